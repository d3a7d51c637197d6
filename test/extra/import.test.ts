/** Data that is there already: from a folder to a report, and from a build to the Python library's files and back. */

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyProject, type Project, projectIn, ROOT, removeProject, shippedProject } from '../helpers/project.ts';

const FIXTURES = join(ROOT, 'test/fixtures/reference');
const SHARED = resolve(ROOT, '../shared');
const hasShared = existsSync(join(SHARED, 'reference/missing/logged_data.jsonl')) && existsSync(join(SHARED, 'arena'));

interface Cell {
  readonly policy: string;
  readonly status: string;
  readonly estimate: number;
  readonly standardError: number;
  readonly lower: number;
  readonly n: number;
}

let place: Project;
beforeEach(() => {
  place = emptyProject();
});
afterEach(() => removeProject(place));

/** A new pipeline for the data, which must come out without a word on stderr. */
function initialised(name: string, data: string): Project {
  const made = place.run('init', name, '--from', 'import', data);
  expect(made.stderr).toBe('');
  expect(made.exit).toBe(0);
  return projectIn(join(place.folder, name));
}

function built(project: Project, ...args: string[]): void {
  const { finished, stderr } = project.build(...args);
  expect(stderr).toBe('');
  expect(finished).toMatchObject({ exit: 0, nodes: { failed: 0, skipped: 0 }, calls: { bought: 0 } });
  const again = project.build(...args).finished;
  expect(again).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0, cached: 0 } });
}

const cells = (project: Project, node: string): Cell[] =>
  project
    .read(`out/${node}/rows.jsonl`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Cell);

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** Results recorded under the monotone calibration; where `auto` chose it they stand there alone. */
function monotone(path: string): Record<string, Record<string, never>> {
  const { modes } = json(path);
  return (modes.monotone.same_as === undefined ? modes.monotone : modes[modes.monotone.same_as]).estimators;
}

/** Ablations that follow cje-eval 0.3.0 to the letter; returns the setting that selects them. */
function parityAblations(project: Project, calibration: string): readonly string[] {
  const names = ['snips', 'calibrated-ips', 'dr-cpo', 'mrdr', 'tmle', 'stacked-dr', 'direct'];
  for (const name of names) {
    const text = `estimator: ${name}\nmode: parity\nreward_calibration: ${calibration}\n`;
    project.write(`configs/ablations/theirs-${name}.yaml`, text);
  }
  return names;
}

function expectParity(project: Project, names: readonly string[], recorded: Record<string, Record<string, never>>) {
  for (const name of names) {
    for (const cell of cells(project, `estimates/theirs-${name}`)) {
      const theirs = recorded[name]![cell.policy]! as { estimate: number; se: number; ci: [number, number]; n: number };
      expect(cell.status, `${name} ${cell.policy}`).toBe('ok');
      expect(Math.abs(cell.estimate - theirs.estimate), `${name} ${cell.policy}`).toBeLessThanOrEqual(1e-9);
      expect(Math.abs(cell.standardError - theirs.se), `${name} ${cell.policy}`).toBeLessThanOrEqual(1e-9);
      expect(Math.abs(cell.lower - theirs.ci[0]), `${name} ${cell.policy}`).toBeLessThanOrEqual(1e-9);
      expect(cell.n).toBe(theirs.n);
    }
  }
}

const setting = (names: readonly string[]) => `ablations=[${names.map((name) => `theirs-${name}`).join(', ')}]`;

describe('init --from import', () => {
  it('makes a pipeline that builds as it is, and gives what cje-eval 0.3.0 gives where told to', () => {
    const project = initialised('mine', join(FIXTURES, 'plain'));
    const pipeline = project.read('pipeline.yaml');
    expect(pipeline).toContain('logger: base');
    expect(pipeline).toContain('clone: clone');
    expect(pipeline).toContain('severe: ${data}/fresh_draws/severe_responses.jsonl');
    expect(pipeline).toContain('- dr-cpo');
    built(project);
    expect(project.read('out/report/report.md')).toContain('400 prompts · logged policy base · 3 target policies');
    expect(project.read('out/report/report.md')).not.toContain('truth');
    const names = parityAblations(project, 'monotone');
    built(project, '--set', setting(names));
    expectParity(project, names, monotone(join(FIXTURES, 'plain/results.json')));
  });

  it('takes fresh draws and labels alone, and gives what cje-eval 0.6.0 gives where told to', () => {
    const project = initialised('direct', join(FIXTURES, 'plain/fresh_draws'));
    expect(project.read('pipeline.yaml')).not.toContain('logger:');
    project.write('configs/ablations/theirs.yaml', 'estimator: direct-augmented\nmode: parity\n');
    built(project, '--set', 'ablations=[theirs, direct, direct-augmented, naive, snips]');
    const recorded = json(join(FIXTURES, 'direct-v060.json')).datasets.plain.cluster_robust;
    const ours = cells(project, 'estimates/theirs');
    expect(ours.map(({ policy }) => policy)).toEqual(recorded.policies);
    for (const [index, cell] of ours.entries()) {
      expect(Math.abs(cell.estimate - recorded.estimates[index])).toBeLessThanOrEqual(1e-9);
      expect(Math.abs(cell.standardError - recorded.se[index])).toBeLessThanOrEqual(1e-9);
    }
    expect(cells(project, 'estimates/direct').map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(cells(project, 'estimates/snips').map(({ status }) => status)).toEqual(
      recorded.policies.map(() => 'refused'),
    );
    expect(project.read('out/report/report.md')).toContain('400 prompts · 4 policies');
  });

  it('takes draws in files named for their policies, and leaves alone what is none', () => {
    const rows = (policy: string) =>
      Array.from({ length: 40 }, (_, index) =>
        JSON.stringify({ prompt_id: index, target_policy: policy, judge_score: index / 40, oracle_label: index / 50 }),
      ).join('\n');
    place.write('x.jsonl', rows('x'));
    place.write('y.jsonl', rows('y'));
    place.write('prompts.jsonl', '{"prompt": "How?"}\n');
    const project = initialised('mine', '.');
    expect(project.read('pipeline.yaml')).toMatch(/x: \$\{data\}\/x\.jsonl\n +y: \$\{data\}\/y\.jsonl\n/);
    expect(project.read('pipeline.yaml')).not.toContain('prompts');
    expect(project.run('build', 'dataset').exit).toBe(0);
  });

  it('takes one table, and says which columns another lacks', () => {
    const rows = Array.from({ length: 90 }, (_, index) =>
      [index % 45, index < 45 ? 'x' : 'y', ((index * 7) % 45) / 45, index % 2 ? ((index * 7) % 45) / 50 : ''].join(','),
    );
    place.write('data.csv', `prompt_id,policy,judge_score,oracle_label\n${rows.join('\n')}\n`);
    const project = initialised('table', 'data.csv');
    built(project);
    expect(cells(project, 'estimates/direct').map(({ policy, status }) => `${policy} ${status}`)).toEqual([
      'x ok',
      'y ok',
    ]);
    place.write('other.csv', `id,policy,score\n1,x,0.5\n`);
    const refused = place.run('init', 'other', '--from', 'import', 'other.csv');
    expect(refused.exit).toBe(2);
    expect(refused.stderr).toContain('no column of the usual name for prompt_id, judge_score');
    expect(refused.stderr).toMatch(/it has +id, policy, score\n/);
    expect(existsSync(join(place.folder, 'other'))).toBe(false);
  });

  it('says what it does not understand, and writes nothing', () => {
    const complaint = (...args: string[]) => {
      const { exit, stderr } = place.run('init', ...args);
      expect(exit).toBe(2);
      return stderr;
    };
    expect(complaint('x', '--from', 'export', 'y')).toContain('--from takes `import`');
    expect(complaint('--from', 'import')).toContain('needs the folder or file of the data');
    expect(complaint('x', '--from', 'import', 'nowhere')).toContain('there is no');
    expect(complaint('x', '--from', 'import', '.')).toContain('holds no evaluation data that is known');
    expect(complaint('x', 'y')).toContain('init takes one folder');
    expect(existsSync(join(place.folder, 'x'))).toBe(false);
  });
});

describe('a bad row', () => {
  it('stops the build with its file and line, or is dropped and counted', () => {
    const log = readFileSync(join(FIXTURES, 'plain/logged_data.jsonl'), 'utf8').split('\n').slice(0, 60);
    log[16] = log[16]!.replace(/"judge_score": [\d.]+/, '"judge_score": 1.5');
    log[29] = '{"prompt_id": "plain-0029", ';
    place.write('logged_data.jsonl', log.join('\n'));
    const project = initialised('mine', '.');
    const { exit, stderr } = project.run('build');
    expect(exit).toBe(2);
    expect(stderr).toContain('2 rows of ../logged_data.jsonl cannot be used');
    expect(stderr).toMatch(/\.\.\/logged_data\.jsonl:17 +judge_score is 1\.5, outside \[0, 1\]/);
    expect(stderr).toMatch(/\.\.\/logged_data\.jsonl:30 +this line is not JSON/);
    project.edit('pipeline.yaml', 'on_bad_row: refuse', 'on_bad_row: drop');
    built(project);
    const report = project.read('out/report/report.md');
    expect(report).toContain('usable row of base, dropped: broken JSON 1');
    expect(report).toContain('Rows: 58');
  });
});

describe('export --format cje-eval', () => {
  it('and import give the same estimates byte for byte', () => {
    const project = shippedProject({ samples: 40 });
    try {
      const chosen = ['--set', 'scorers=[uncertainty]', '--set', 'ablations=[direct, direct-augmented, snips, dr-cpo]'];
      expect(project.build(...chosen).finished).toMatchObject({ exit: 0 });
      const exported = project.run('export', ...chosen, '-o', 'exported', '--json');
      expect(JSON.parse(exported.stdout)).toMatchObject({
        type: 'exported',
        version: 1,
        logged: 40,
        fresh: 160,
        leftOut: 0,
      });
      const [row] = project.read('exported/logged_data.jsonl').split('\n');
      const { prompt, response, target_policy_logprobs } = JSON.parse(row!);
      expect(prompt.length).toBeGreaterThan(10);
      expect(response.length).toBeGreaterThan(20);
      expect(Object.keys(target_policy_logprobs)).toEqual(['pi_clone', 'pi_cot', 'pi_bigger_model', 'pi_bad']);
      expect(project.run('export', ...chosen, '-o', 'exported').stderr).toContain('is not empty');
      expect(project.run('export', '-o', 'other').stderr).toContain('the pipeline has several datasets');

      expect(project.run('init', 'again', '--from', 'import', 'exported').exit).toBe(0);
      const again = projectIn(join(project.folder, 'again'));
      built(again, '--set', chosen[3]!);
      for (const ablation of ['direct', 'direct-augmented', 'snips', 'dr-cpo']) {
        for (const file of ['rows.jsonl', 'comparisons.json', 'summary.json']) {
          expect(again.read(`out/estimates/${ablation}/${file}`), `${ablation} ${file}`).toBe(
            project.read(`out/estimates/uncertainty/${ablation}/${file}`),
          );
        }
      }
    } finally {
      removeProject(project);
    }
  });
});

describe.skipIf(!hasShared)('data beside the project (skipped where ../shared is absent)', () => {
  it('real Arena data gives what cje-eval 0.3.0 gave', () => {
    const project = initialised('arena', join(SHARED, 'arena'));
    const names = parityAblations(project, 'monotone');
    built(project, '--set', setting(names));
    expectParity(project, names, monotone(join(SHARED, 'reference/arena.json')));
    expect(project.read('out/report/report.md')).toContain('1,000 prompts');
  });

  it.each(['missing', 'multidraw'])('%s gives what cje-eval 0.3.0 gave', (name) => {
    const project = initialised(name, join(SHARED, 'reference', name));
    const names = parityAblations(project, 'monotone');
    built(project, '--set', setting(names));
    expectParity(project, names, monotone(join(SHARED, 'reference', name, 'results.json')));
  });
});
