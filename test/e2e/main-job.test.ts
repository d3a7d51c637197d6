import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, ranNodes, removeProject, shippedProject } from '../helpers/project.ts';

const SAMPLES = 40;

/** Nothing may run and nothing may be bought: how each story here ends. */
function expectIdle(project: Project, ...args: string[]): void {
  const { exit, finished } = project.build(...args);
  expect(exit).toBe(0);
  expect(finished).toMatchObject({ type: 'finished', exit: 0, nodes: { run: 0 }, calls: { bought: 0, cached: 0 } });
}

describe('the shipped experiment', () => {
  let project: Project;
  let first: Map<string, string>;

  beforeAll(() => {
    project = shippedProject({ samples: SAMPLES });
    const built = project.build('ablations');
    expect(built.stderr).toBe('');
    expect(built.finished).toMatchObject({ exit: 0, nodes: { failed: 0, skipped: 0 }, calls: { failed: 0 } });
    expect(built.events[0]).toMatchObject({ type: 'started', version: 2 });
    first = project.outputs();
  });
  afterAll(() => removeProject(project));

  it('builds every ablation, and the same command again does nothing, on the fast path and off it', () => {
    for (const file of ['estimates.csv', 'estimates.json', 'report.md', 'report.html']) {
      expect(first.get(`ablations/${file}`)?.length).toBeGreaterThan(500);
    }
    expectIdle(project, 'ablations');
    expectIdle(project, 'ablations');
    // Without its memory the command walks the whole graph, and says the same.
    const quick = project.run('build', 'ablations');
    rmSync(join(project.folder, '.cache/fast-path.json'), { force: true });
    const slow = project.run('build', 'ablations');
    expect(slow.stdout).toBe(quick.stdout);
    expect(slow.stdout).toContain('Nothing to do');
    // The screen of before: who is ranked, and who is not.
    expect(slow.stdout).toMatch(/Ranking (of \d of 5 policies )?by (direct-augmented|dr-cpo)/);
    expect(slow.stdout).toContain('pi_clone');
  });

  it('refuses pi_bad to the weighting estimators, and builds all the same', () => {
    const rows = JSON.parse(project.read('out/ablations/data.json')).estimates as {
      policy: string;
      estimator: string;
      status: string;
    }[];
    const bad = rows.filter((row) => row.policy === 'pi_bad' && ['ips', 'snips'].includes(row.estimator));
    expect(bad.length).toBeGreaterThan(0);
    expect(new Set(bad.map((row) => row.status))).toEqual(new Set(['refused']));
    expect(rows.filter((row) => row.policy === 'pi_clone' && row.status === 'ok').length).toBeGreaterThan(10);
  });

  it("pays for the deterministic judge's calls alone when its prompt is edited, and for nothing when it is put back", () => {
    const planned = (() => {
      project.edit('configs/judges/deterministic.md', '**Accuracy**', '**Correctness**');
      return JSON.parse(project.run('plan', 'ablations', '--json').stdout) as {
        calls: number;
        nodes: { node: string; calls: number }[];
      };
    })();
    const edited = project.build('ablations');
    const scoring = edited.events.filter((event) => event.type === 'node-finished' && event.calls.bought > 0);
    expect(scoring.map((event) => event.node).sort()).toEqual(
      ['p0', 'pi_bad', 'pi_bigger_model', 'pi_clone', 'pi_cot'].map((policy) => `scores/deterministic/${policy}`),
    );
    // One call for each distinct rendered request.
    const requests = new Set<string>();
    for (const policy of ['p0', 'pi_clone', 'pi_cot', 'pi_bigger_model', 'pi_bad']) {
      for (const line of project.read(`out/responses/${policy}/rows.jsonl`).trim().split('\n')) {
        const { prompt, response } = JSON.parse(line);
        requests.add(JSON.stringify([prompt, response]));
      }
    }
    expect(edited.finished.calls.bought).toBe(requests.size);
    expect(planned.calls).toBe(requests.size);
    expect(ranNodes(edited).every((node) => /deterministic|^ablations$/.test(node))).toBe(true);
    expectIdle(project, 'ablations');

    // For people, a build says how far the estimates moved since the one before.
    project.edit('configs/judges/deterministic.md', '**Correctness**', '**Truth**');
    expect(project.run('build', 'ablations').stdout).toMatch(/since the last build/i);
    expect(project.run('build', 'ablations').stdout).not.toMatch(/since the last build/i);

    project.edit('configs/judges/deterministic.md', '**Truth**', '**Accuracy**');
    const reverted = project.build('ablations');
    expect(reverted.finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
    expect(project.outputs()).toEqual(first);
    expectIdle(project, 'ablations');
  });

  it('runs nothing after a comment, another order of keys, or other quotes', () => {
    const before = new Map<string, string>();
    const change = (path: string, edit: (text: string) => string) => {
      before.set(path, project.read(path));
      project.write(path, edit(project.read(path)));
    };
    change('pipeline.yaml', (text) => `# a comment\n${text}\n# another\n`);
    change('configs/policies/pi_cot.yaml', (text) => {
      const lines = text.split('\n');
      const at = lines.findIndex((line) => line.startsWith('temperature:'));
      const [line] = lines.splice(at, 1);
      return `${line}\n${lines.join('\n')}`;
    });
    change('configs/gates.yaml', (text) => text.replaceAll(/: (\d)/g, ':    $1'));
    expectIdle(project, 'ablations');
    for (const [path, text] of before) project.write(path, text);
    expectIdle(project, 'ablations');
  });

  it('re-makes a copy under out/ that is missing or changed', () => {
    rmSync(join(project.folder, 'out/ablations/report.md'));
    project.write('out/ablations/estimates.csv', 'tampered');
    expectIdle(project, 'ablations');
    expect(project.outputs()).toEqual(first);
  });

  it('shows an item with its request and its raw reply', () => {
    const shown = JSON.parse(project.run('show', 'scores/deterministic/pi_cot', '0', '--json').stdout);
    expect(shown.calls).toHaveLength(1);
    expect(shown.calls[0].path).toBe('/chat/completions');
    expect(JSON.parse(shown.calls[0].raw).choices[0].message.content).toContain('score');
    expect(project.run('show', 'scores/deterministic/pi_cot', 'nobody').exit).toBe(2);
    expect(project.run('status').stdout).toContain('up to date');
    expect(project.run('graph', '--mermaid').stdout).toMatch(/^flowchart LR\n/);
  });

  it('lets what needs labels refuse, and the rest build, without an oracle', () => {
    const built = project.build('ablations', '--set', 'oracle=off');
    expect(built.finished).toMatchObject({ exit: 0, calls: { bought: 0 } });
    const rows = JSON.parse(project.read('out/ablations/data.json')).estimates as {
      ablation: string;
      status: string;
      gate?: string;
    }[];
    expect(rows.filter((row) => row.ablation === 'dr-cpo').map((row) => row.gate)).toEqual(
      Array(10).fill('no-oracle-labels'),
    );
    expect(rows.some((row) => row.ablation === 'snips-uncalibrated' && row.status === 'ok')).toBe(true);
    expectIdle(project, 'ablations', '--set', 'oracle=off');
  });
});

describe('one target', () => {
  it('runs what it depends on and nothing else', () => {
    const project = shippedProject({ samples: 10 });
    try {
      const built = project.build('scores/deterministic/pi_cot');
      expect(ranNodes(built).sort()).toEqual(['prompts', 'responses/pi_cot', 'scores/deterministic/pi_cot']);
      expectIdle(project, 'scores/deterministic/pi_cot');
    } finally {
      removeProject(project);
    }
  });
});

describe('outputs', () => {
  it('are the same bytes from one call at a time and from sixty-four', () => {
    // An estimator of each sort: how many calls fly together has no other way into an estimate.
    const few = ['ablations', '--set', 'ablations=[direct, snips, stacked-dr]'];
    const outputs = ['1', '64'].map((jobs) => {
      const project = shippedProject({ samples: 10 });
      try {
        expect(project.build(...few, '--jobs', jobs).exit).toBe(0);
        expectIdle(project, ...few);
        return project.outputs();
      } finally {
        removeProject(project);
      }
    });
    expect(outputs[0]!.size).toBeGreaterThan(60);
    expect(outputs[0]).toEqual(outputs[1]);
  });
});
