/** A judge and an oracle asked by Anthropic's API: of a server of its own, and of the simulator. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyProject, type Project, type Ran, ROOT, removeProject, shippedProject } from '../helpers/project.ts';

const KEY = 'sk-ant-test-0123456789';
const PROMPTS = ['a cup of tea', 'a volcano', 'coffee', 'the moon', 'rain'];

interface Bill {
  readonly requests: number;
  readonly answered: number;
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly wrong: readonly string[];
}

describe('a server of its own', () => {
  let project: Project;
  let server: ChildProcess;

  beforeAll(async () => {
    project = emptyProject();
    const source = readFileSync(join(ROOT, 'test/servers/anthropic.ts'), 'utf8');
    project.write('server.mjs', transformSync(source, { loader: 'ts', format: 'esm' }).code);
    server = fork('server.mjs', { cwd: project.folder });
    const [port] = (await once(server, 'message')) as [number];
    project.write('prompts.jsonl', PROMPTS.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
    project.write(
      'providers.yaml',
      `providers:
  sim: { type: simulator }
  claude: { type: anthropic, base_url: 'http://127.0.0.1:${port}/v1', key: TEST_ANTHROPIC_KEY, concurrency: 2 }
models:
  base: { provider: sim, model: sim-base, template: llama4 }
  judge: { provider: claude, model: claude-test }
prices: prices.yaml
`,
    );
    project.write(
      'prices.yaml',
      `date: 2026-01-01
models:
  sim-base: { input: 0, output: 0 }
  claude-test: { input: 3, cached_input: 0.3, output: 15 }
`,
    );
    project.write('policy.yaml', "model: base\ndraw: p0\ntemperature: 0\nmax_tokens: 40\nprompt: '{{prompt}}'\n");
    project.write('judge.md', 'Rate from 0 to 10.\n{{prompt}}\n{{response}}\n');
    project.write('judge.yaml', 'model: judge\nmax_tokens: 64\ntemplate: judge.md\noutput: score\nattempts: 1\n');
    project.write('oracle.md', 'Label from 0 to 10.\n{{prompt}}\n{{response}}\n');
    project.write('oracle.yaml', 'model: judge\nmax_tokens: 64\ntemplate: oracle.md\noutput: score\nattempts: 1\n');
    project.write(
      'pipeline.yaml',
      `name: claude
default: [scores, oracle]
profiles:
  here: { providers: providers.yaml }
stages:
  prompts: { kind: prompts, params: { source: prompts.jsonl, samples: 5, seed: 1, language: any } }
  responses:
    kind: responses
    matrix: { policy: [p0] }
    inputs: { prompts: prompts }
    params: { policy: policy.yaml }
  scores:
    kind: scores
    inputs: { responses: responses/p0 }
    params: { judge: judge.yaml }
    tolerate: 0.4
  oracle:
    kind: oracle
    inputs: { responses: 'responses/*' }
    params: { oracle: oracle.yaml, logger: p0, calibration_share: 1, validation_share: 1 }
    tolerate: 0.4
`,
    );
  });
  afterAll(() => {
    server?.disconnect();
    removeProject(project);
  });

  const run = (...args: string[]): Ran => project.runWith({ TEST_ANTHROPIC_KEY: KEY }, ...args);

  async function billOf(): Promise<Bill> {
    server.send('bill');
    const [bill] = (await once(server, 'message')) as [Bill];
    return bill;
  }

  it('is found in order by the doctor', () => {
    const found = run('doctor', '--yes', '--json');
    const judge = found.events.find((event) => event.type === 'model-checked' && event.model === 'claude-test');
    const server = found.events.find((event) => event.type === 'provider-checked' && event.provider === 'claude');
    expect(judge).toMatchObject({ verdict: 'ok', settings: {} });
    const details = (event: typeof judge) => event!.checks.map(({ detail }: { detail: string }) => detail).join('\n');
    expect(details(judge)).toContain('the provider lists it');
    expect(details(judge)).toContain('0.8 on the unit scale (temperature 0, max_tokens 64, a tool with the schema)');
    expect(details(server)).toContain('4,000 requests a minute');
  });

  it('is bought from after it was overloaded, to the cent, and never again for the same', async () => {
    const before = await billOf();
    const built = run('build', '--yes', '--json');
    expect(built.stderr).toBe('');
    const { finished, events } = built;
    const after = await billOf();
    expect(after.wrong).toEqual([]);
    expect(after.answered - before.answered).toBe(2 * PROMPTS.length);
    expect(events.filter(({ type }) => type === 'node-failed')).toEqual([]);
    // Of each judge's replies one is a refusal: no answer, and paid for.
    expect(finished).toMatchObject({ exit: 0, calls: { bought: 3 * PROMPTS.length - 2, failed: 2 } });
    const reasons = events.filter(({ type }) => type === 'call-retry').map(({ failure }) => failure.reason);
    expect(new Set(reasons)).toEqual(new Set(['rate_limited', 'overloaded']));

    const input = after.input - before.input;
    const cached = after.cached - before.cached;
    expect(cached).toBeGreaterThan(0);
    const dollars = (input * 3 + cached * 0.3 + (after.output - before.output) * 15) / 1e6;
    expect(finished.cost.billed).toBeCloseTo(dollars, 12);

    const statuses = (node: string) =>
      project
        .read(`out/${node}/rows.jsonl`)
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { status: string }).status)
        .sort();
    for (const node of ['scores', 'oracle']) {
      expect(statuses(node)).toEqual(['ok', 'ok', 'ok', 'refused', 'unparseable']);
    }

    expect(run('build', '--json').finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
    expect((await billOf()).requests).toBe(after.requests);
  });

  it('cannot be asked for raw text, which is said where the policy names it', () => {
    project.edit('policy.yaml', 'model: base', 'model: judge');
    const { exit, stderr } = run('plan');
    project.edit('policy.yaml', 'model: judge', 'model: base');
    expect(exit).toBe(2);
    expect(stderr).toContain('This model speaks anthropic-messages, which takes no raw prompt');
    expect(stderr).toContain('policy.yaml:1');
  });
});

describe('the simulator', () => {
  let project: Project;
  afterAll(() => removeProject(project));

  it('judges the shipped experiment by it as well, and a second build buys nothing', () => {
    project = shippedProject({ samples: 20 });
    const file = 'configs/providers/simulator.yaml';
    const text = project.read(file);
    project.write(
      file,
      text
        .replace(/^providers:\n/m, 'providers:\n  claude: { type: simulator, protocol: anthropic-messages }\n')
        .replace(/^( {2}judge:\s*(?:\{|\n {4}))( ?)provider: \w+/m, '$1$2provider: claude'),
    );
    const built = project.build('ablations');
    expect(built.stderr).toBe('');
    expect(built.finished).toMatchObject({ exit: 0, calls: { failed: 0 } });
    const rows = project.read('out/scores/deterministic/p0/rows.jsonl').trim().split('\n');
    expect(rows.map((row) => (JSON.parse(row) as { status: string }).status)).toEqual(Array(20).fill('ok'));
    const { prompt_id: item } = JSON.parse(rows[0]!) as { prompt_id: string };
    expect(project.run('show', 'scores/deterministic/p0', item).stdout).toContain('call 1 of 1: /messages of ');
    expect(project.build('ablations').finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
  });
});
