/**
 * The shipped experiment on models that run in this machine: two tiny files, written here. The engine is optional, so these
 * tests are left out where nobody has installed it; `.ci/run` does.
 */

import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyGguf } from '../helpers/gguf.ts';
import { emptyProject, type Project, ROOT, ranNodes, removeProject, shippedProject } from '../helpers/project.ts';

const ENGINE = join(ROOT, '.engine/node_modules');
const SAMPLES = 4;
const POLICIES = ['p0', 'pi_clone', 'pi_cot', 'pi_bigger_model', 'pi_bad'];

let project: Project;

function prepare(): Project {
  const made = shippedProject({ samples: SAMPLES });
  writeFileSync(join(made.folder, 'small.gguf'), tinyGguf({ seed: 1, name: 'tiny small' }));
  writeFileSync(join(made.folder, 'large.gguf'), tinyGguf({ seed: 2, name: 'tiny large' }));
  made.write(
    'configs/providers/simulator.yaml',
    `providers:
  local: { type: llama, threads: 1, context: 2048 }
models:
  scout: { provider: local, model: small.gguf }
  maverick: { provider: local, model: large.gguf }
  judge: { provider: local, model: small.gguf }
  oracle: { provider: local, model: large.gguf }
`,
  );
  const questions = ['What is a house?', 'Ça va?', 'Why the door?', 'Is it 🙂?'];
  made.write('prompts.jsonl', questions.map((prompt) => JSON.stringify({ prompt })).join('\n'));
  made.edit('pipeline.yaml', 'prompts_source: simulated', 'prompts_source: prompts.jsonl');
  for (const policy of POLICIES) {
    const file = `configs/policies/${policy}.yaml`;
    made.write(file, made.read(file).replace(/^max_tokens: \d+/m, 'max_tokens: 16'));
  }
  // The grammar holds a judge to its scale, where its questions name one.
  for (const judge of ['deterministic', 'uncertainty']) {
    const file = `configs/judges/${judge}.yaml`;
    made.write(file, `${made.read(file)}scale: [1, 5]\n`);
  }
  // A model that knows nothing is told little.
  for (const file of ['configs/judges/deterministic.md', 'configs/judges/uncertainty.md', 'configs/oracle.md']) {
    made.write(file, '{{prompt}} {{response}}: how good?\n');
  }
  return made;
}

const rowsOf = (node: string): Record<string, unknown>[] =>
  readFileSync(join(project.folder, 'out', node, 'rows.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe.skipIf(!existsSync(ENGINE))('a model that runs in this machine', () => {
  beforeAll(() => {
    project = prepare();
    mkdirSync(join(project.folder, '.engine'));
    symlinkSync(ENGINE, join(project.folder, '.engine', 'node_modules'));
  });
  afterAll(() => removeProject(project));

  it('is built from end to end, and every forced value is that of generation', () => {
    const BUILD = ['ablations', '--set', 'tolerate=1', '--yes'];
    const ran = project.build(...BUILD);
    expect(ran.exit, ran.stdout.slice(-3000) + ran.stderr).toBe(0);
    for (const policy of POLICIES) {
      const answered = rowsOf(`responses/${policy}`).filter(
        ({ status }) => status === 'ok' || status === 'truncated',
      ).length;
      expect(answered).toBeGreaterThan(SAMPLES / 2);
      expect(rowsOf(`consistency/${policy}`).map(({ status }) => status)).toEqual(new Array(answered).fill('ok'));
      for (const { logprob, check } of rowsOf(`consistency/${policy}`)) {
        expect(Math.abs(Number(logprob) - Number((check as { generated: number }).generated))).toBeLessThan(0.02);
      }
    }
    const scored = POLICIES.flatMap((policy) => rowsOf(`scores/deterministic/${policy}`));
    expect(scored.filter(({ status }) => status !== 'ok' && status !== 'no_response')).toEqual([]);
    expect(scored.some(({ status }) => status === 'ok')).toBe(true);
    const quality = JSON.parse(
      readFileSync(join(project.folder, 'out/dataset/deterministic/quality.json'), 'utf8'),
    ) as { gates: { gate: string; passed: boolean }[] };
    const checked = quality.gates.filter(({ gate }) => /^(?:clone|consistency|usable_share)/.test(gate));
    expect(new Set(checked.map(({ gate }) => gate))).toEqual(
      new Set([
        'usable_share',
        'clone_mean_weight',
        'clone_ess',
        'consistency_slope',
        'consistency_token',
        'consistency_share',
      ]),
    );
    expect(checked.filter(({ passed }) => !passed)).toEqual([]);
    // Other weights, another distribution: the larger model is another one.
    const [same, other] = ['pi_clone', 'pi_bigger_model'].map((policy) => rowsOf(`logprobs/${policy}`));
    const logged = rowsOf('logprobs/p0');
    expect(same?.map(({ logprob }) => logprob)).toEqual(logged.map(({ logprob }) => logprob));
    expect(other?.every(({ logprob }, index) => Math.abs(Number(logprob) - Number(logged[index]?.logprob)) > 0.1)).toBe(
      true,
    );
    const again = project.build(...BUILD);
    expect([again.exit, ranNodes(again), again.finished.calls.bought]).toEqual([0, [], 0]);
  });

  it('is examined by the doctor, who finds nothing to change in how it is forced', () => {
    const { events } = project.run('doctor', '--json');
    const models = events.filter(({ type }) => type === 'model-checked');
    expect(models).toHaveLength(2);
    for (const { checks, settings } of models) {
      expect(settings).toEqual({});
      const forcing = checks.filter(({ name }: { name: string }) => ['echo', 'bos', 'generation'].includes(name));
      expect(forcing.map(({ name, status }: { name: string; status: string }) => [name, status])).toEqual([
        ['echo', 'ok'],
        ['bos', 'ok'],
        ['generation', 'ok'],
      ]);
    }
  });

  it.each([
    [
      'ends the engine',
      { without: ['llama.attention.head_count'] },
      /the local engine ended \(SIG[A-Z]+\).*\[CJE-LOCAL-ENGINE\]/,
    ],
    ['cannot be loaded', { without: ['tokenizer.ggml.model'] }, /odd\.gguf cannot be loaded.*\[CJE-MODEL-NOT-SERVED\]/],
  ])('is told with its place where its file %s', (_, odd, words) => {
    writeFileSync(join(project.folder, 'odd.gguf'), tinyGguf({ seed: 3, name: 'odd', ...odd }));
    const models = project.read('configs/providers/simulator.yaml');
    project.edit(
      'configs/providers/simulator.yaml',
      'scout: { provider: local, model: small',
      'scout: { provider: local, model: odd',
    );
    const ran = project.run('build', 'responses/p0', '--yes');
    project.write('configs/providers/simulator.yaml', models);
    expect(ran.exit).toBe(1);
    const told = ran.stdout + ran.stderr;
    expect(told).toMatch(words);
    expect(told).toContain('pipeline.yaml:');
    expect(told).not.toMatch(/^ +at /m);
  });

  it('costs nothing again when its file is moved', () => {
    writeFileSync(join(project.folder, 'elsewhere.gguf'), readFileSync(join(project.folder, 'small.gguf')));
    project.edit(
      'configs/providers/simulator.yaml',
      'scout: { provider: local, model: small',
      'scout: { provider: local, model: elsewhere',
    );
    const again = project.build('ablations', '--set', 'tolerate=1');
    expect([again.exit, ranNodes(again), again.finished.calls.bought]).toEqual([0, [], 0]);
  });
});

describe('without the engine', () => {
  it('the line that installs it is told, and nothing is bought', () => {
    const bare = prepare();
    const ran = bare.run('build', 'responses/p0');
    removeProject(bare);
    expect(ran.exit).toBe(1);
    expect(ran.stderr + ran.stdout).toContain(
      'npm install --prefix .engine --omit=optional --ignore-scripts node-llama-cpp@',
    );
    expect(ran.stderr + ran.stdout).toContain('0 bought');
  });

  it('init writes the shipped experiment, or an own one, on a file', () => {
    const bare = emptyProject();
    writeFileSync(join(bare.folder, 'tiny.gguf'), tinyGguf({ seed: 1 }));
    bare.write('prompts.jsonl', '{"prompt":"What is a house?"}\n');
    const made = [
      bare.run('init', 'shipped', '--local', 'tiny.gguf'),
      bare.run(
        'init',
        'own',
        '--local',
        'tiny.gguf',
        '--prompts',
        'prompts.jsonl',
        '--policies',
        'brief,long',
        '--log-probabilities',
      ),
    ];
    const plans = ['shipped', 'own'].map((name) => bare.run('plan', '-f', `${name}/pipeline.yaml`));
    const refused = [
      bare.run('init', 'other', '--local', 'prompts.jsonl'),
      bare.run('init', 'other', '--local', 'tiny.gguf', '--base-url', 'http://127.0.0.1:1/v1'),
    ];
    removeProject(bare);
    expect(made.map(({ exit }) => exit)).toEqual([0, 0]);
    expect(made[0]?.stdout).toContain('cd shipped && npm install --prefix .engine');
    expect(plans.map(({ exit, stderr }) => [exit, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    expect(plans.every(({ stdout }) => /^Dollars +\$0/m.test(stdout))).toBe(true);
    expect(plans[1]?.stdout).toContain('consistency/*');
    expect(refused.map(({ exit, stderr }) => [exit, stderr.split('\n')[0]])).toEqual([
      [2, 'error: prompts.jsonl is no GGUF file [CJE-FILE-UNREADABLE]'],
      [2, 'error: --local names the model that answers, so there is no --base-url [CJE-USAGE]'],
    ]);
  });

  it('a file that is cut short is a mistake with its place', () => {
    const bare = prepare();
    writeFileSync(join(bare.folder, 'small.gguf'), tinyGguf({ seed: 1 }).subarray(0, 100_000));
    const ran = bare.run('plan');
    removeProject(bare);
    expect(ran.exit).toBe(2);
    expect(ran.stderr).toContain(
      "'small.gguf' lacks some of its tensors: it was not downloaded whole [CJE-FILE-UNREADABLE]",
    );
    expect(ran.stderr).toContain('configs/providers/simulator.yaml:4:');
  });
});
