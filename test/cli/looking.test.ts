/** What commands that look say of an experiment that was built twice: their defaults, what they pass on, their exit codes. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PricedProject, pricedProject } from '../helpers/priced-project.ts';
import type { Event } from '../helpers/project.ts';

let at: PricedProject;
const SYSTEM = 'Your style: brief.';
beforeAll(async () => {
  at = await pricedProject({ confirmAbove: 100 });
  expect((await at.cje('build', 'scores')).exit).toBe(0);
  at.project.edit('configs/policies/brief.yaml', SYSTEM, 'Say little.');
  expect((await at.cje('build', 'dataset', '--tag', 'two')).exit).toBe(0);
});
afterAll(() => at.close());

/** The value of a command that prints one, and its exit code. */
async function told(...args: string[]) {
  const { exit, finished, stderr } = await at.cje(...args, '--json');
  expect([exit, stderr]).toEqual([0, '']);
  return finished;
}
const refusal = async (...args: string[]) => {
  const { exit, stdout, stderr } = await at.cje(...args);
  return [exit, stdout, /\[(CJE-[A-Z-]+)\]/.exec(stderr)?.[1]];
};

describe('cje log', () => {
  it('lists as many builds as it is told, 0 for all, and counts the rest', async () => {
    for (const limit of ['--limit', '-n']) {
      const one = (await at.cje('log', limit, '1')).stdout;
      expect(one).toContain('two ');
      expect(one).not.toContain('scores/brief');
      expect(one).toContain('1 older build: --limit 0 lists all.');
    }
    for (const args of [['--limit', '0'], ['--limit', '2'], []]) {
      const { stdout } = await at.cje('log', ...args);
      expect(stdout.match(/built/g)).toHaveLength(2);
      expect(stdout).not.toContain('older');
    }
    expect((await at.cje('log', '--limit', '1', '--json')).events).toMatchObject([
      { tags: ['two'], calls: { bought: 20 } },
    ]);
    expect(await refusal('log', '--limit', '-1')).toEqual([2, '', 'CJE-USAGE']);
  });

  it('tells what was billed of all builds, however few are listed', async () => {
    const ledger = await told('log', '--cost', '--limit', '1');
    expect(ledger).toMatchObject({ type: 'ledger', unrecorded: { bought: 0 } });
    expect(ledger.builds.map(({ bought }: { bought: number }) => bought)).toEqual([20, 40]);
    const { stdout } = await at.cje('log', '--cost', '--limit', '1');
    expect(stdout.match(/^\d{8}-/gm)).toHaveLength(1);
    expect(stdout).toContain('By model');
  });
});

describe('cje plan', () => {
  it('shows three changed requests unless told how many', async () => {
    const path = 'configs/policies/brief.yaml';
    at.project.edit(path, 'Say little.', 'Say less.');
    try {
      const shown = async (...args: string[]) => (await told('plan', 'responses', ...args)).examples.length;
      expect([await shown(), await shown('--examples', '0'), await shown('--examples', '5')]).toEqual([3, 0, 5]);
      const { stdout } = await at.cje('plan', 'responses');
      expect(stdout).toContain('Requests that change (3 examples):');
      expect((await at.cje('plan', 'responses', '--examples', '0')).stdout).not.toContain('Requests that change');
    } finally {
      at.project.edit(path, 'Say less.', 'Say little.');
    }
  });

  it('plans what it is told would run again, and writes nothing but the file that it is given', async () => {
    const plan = (...args: string[]) => told('plan', 'responses', ...args);
    const runs = (made: Event) => made.nodes.flatMap(({ node, action }: Event) => (action === 'run' ? [node] : []));
    expect(runs(await plan())).toEqual([]);
    const forced = await plan('--force', 'responses/brief');
    expect([runs(forced), forced.calls]).toEqual([['responses/brief'], 0]);
    const again = await plan('--ask-again', 'responses/brief:q3');
    expect([runs(again), again.calls]).toEqual([['responses/brief'], 1]);
    const saved = await at.cje('plan', 'responses', '--out', 'plan.json');
    expect(saved.stdout).toContain('Saved. To build it: cje build --plan plan.json');
    expect(existsSync(join(at.project.folder, 'plan.json'))).toBe(true);
    expect(await refusal('plan', '--lane', 'batch')).toEqual([2, '', 'CJE-BAD-OPTION']);
    expect(
      (await at.cje('plan', '--lane', 'online', '--force', 'responses', '--ask-again', 'responses/brief')).stdout,
    ).toContain('Lane     online');
  });
});

describe('cje ls, show, status and graph', () => {
  it('name what their targets are, and everything where there are none', async () => {
    const listed = async (...args: string[]) =>
      new Set((await at.cje('ls', ...args, '--json')).events.map(({ node }) => node));
    expect([...(await listed('responses/brief'))]).toEqual(['responses/brief']);
    expect((await listed()).size).toBe(7);
    expect((await at.cje('ls')).stdout).toContain('Not built, or not up to date: estimates/naive and 3 more');
    const nodes = async (...args: string[]) => (await told('graph', ...args)).nodes.length;
    expect([await nodes(), await nodes('responses/brief')]).toEqual([11, 2]);
    expect((await at.cje('graph', '--mermaid', 'responses/brief')).stdout).toMatch(/^flowchart LR\n/);
    expect((await at.cje('graph', 'responses/brief')).stdout).toMatch(/^mine, profile main: 2 nodes\n/);
    const status = async (...args: string[]) => (await told('status', ...args)).nodes.length;
    // The default is the report, which needs everything.
    expect([await status('responses/brief'), await status()]).toEqual([2, 11]);
    expect(await told('status')).toMatchObject({ calls: 60, lock: null, batches: [] });
  });

  it('show the first five rows, or one item with its calls', async () => {
    const shown = await told('show', 'responses/brief');
    expect([shown.type, shown.rows.length]).toEqual(['node', 5]);
    expect(await told('show', 'responses/brief', 'q3')).toMatchObject({
      type: 'item',
      item: 'q3',
      calls: [{ draw: 'brief/0' }],
    });
    expect(await refusal('show', 'responses/brief', 'q99')).toEqual([2, '', 'CJE-UNKNOWN-ITEM']);
    expect(await refusal('show', 'responses')).toEqual([2, '', 'CJE-SEVERAL-NODES']);
    expect((await refusal('show', 'report'))[0]).toBe(1);
  });
});

describe('cje why and diff', () => {
  it('compare with the build that they are told, else with the last', async () => {
    expect(await told('why', 'responses/brief')).toMatchObject({ state: 'fresh', causes: [] });
    const since = await told('why', 'responses/brief', '--since', 'last~1');
    expect(since.causes).toHaveLength(1);
    expect((await at.cje('why', 'responses/brief', '--since', 'last~1')).stdout).toContain('Say little.');
    const item = await told('why', 'responses/brief', 'q3', '--since', 'last~1');
    expect(item.calls).toMatchObject([{ texts: [{ name: 'system' }] }]);
    expect(await told('why', 'responses/brief', 'q3')).toMatchObject({ calls: [{ texts: [] }] });
    expect(await refusal('why', 'prompts', 'q3')).toEqual([2, '', 'CJE-UNKNOWN-ITEM']);
    expect(await refusal('why', 'responses/brief', 'q99')).toEqual([2, '', 'CJE-UNKNOWN-ITEM']);
  });

  it('put the older build before the newer one unless told otherwise', async () => {
    const sides = async (...args: string[]) => {
      const { a, b } = await told('diff', ...args);
      return [a.calls.bought, b.calls.bought];
    };
    expect([await sides(), await sides('last~1'), await sides('two', 'last~1')]).toEqual([
      [40, 20],
      [40, 20],
      [20, 40],
    ]);
    expect((await refusal('diff', 'nowhere'))[0]).toBe(2);
  });
});

describe('cje export', () => {
  it('writes into a new folder or a new sheet, and never over what is there', async () => {
    expect(await told('export', 'dataset', '-o', 'out-eval')).toMatchObject({ node: 'dataset', fresh: 20, logged: 0 });
    expect((await refusal('export', 'dataset', '-o', 'out-eval'))[2]).toBe('CJE-FOLDER-TAKEN');
    expect((await refusal('export', 'dataset', '-o', 'my-file'))[0]).toBe(0);
    expect(await refusal('export', 'dataset')).toEqual([2, '', 'CJE-USAGE']);
    expect(await refusal('export', '--format', 'labels')).toEqual([2, '', 'CJE-USAGE']);
    expect(await refusal('export', '--format', 'csv', '-o', 'x')).toEqual([2, '', 'CJE-BAD-OPTION']);
    expect(await told('export', '--format', 'labels', '-o', 'sheet.csv')).toMatchObject({
      node: 'labels',
      texts: 20,
      kept: 0,
    });
    const sheet = at.project.read('sheet.csv');
    expect(await told('export', '--format', 'labels', '-o', 'sheet.csv')).toMatchObject({ texts: 0, kept: 20 });
    expect(at.project.read('sheet.csv')).toBe(sheet);
  });
});

describe('cje doctor', () => {
  it('asks nobody before what it may cost is approved, nor above its cap', async () => {
    at.project.edit('pipeline.yaml', 'confirm_above: 100 ', 'confirm_above: 1 ');
    const before = at.server.asked.length;
    const refused = await at.cje('doctor', '--json');
    expect([refused.exit, refused.finished.exit, at.server.asked.length]).toEqual([3, 3, before]);
    const capped = await at.cje('doctor', '--max-cost', '0.5', '--json');
    expect([capped.exit, capped.finished.exit, at.server.asked.length]).toEqual([3, 3, before]);
    at.project.edit('pipeline.yaml', 'confirm_above: 1 ', 'confirm_above: 100, max_cost: 0.5 ');
    expect((await at.cje('doctor')).exit).toBe(3);
    expect(at.server.asked).toHaveLength(before);
    at.project.edit('pipeline.yaml', 'confirm_above: 100, max_cost: 0.5 ', 'confirm_above: 1 ');
    const probed = await at.cje('doctor', '--yes', '--json');
    expect([probed.exit, probed.finished.calls.bought, at.server.asked.length - before]).toEqual([0, 2, 2]);
    // A cap is an approval.
    const room = await at.cje('doctor', '--max-cost', '12', '--json');
    expect([room.exit, room.finished.calls.bought]).toEqual([0, 2]);
    expect(await refusal('doctor', 'nobody')).toEqual([2, '', expect.any(String)]);
    at.project.edit('pipeline.yaml', 'confirm_above: 1 ', 'confirm_above: 100 ');
  });
});

describe('cje cache gc', () => {
  it('says what would go and takes nothing; keeps ten builds where only a size is given', async () => {
    const collect = (...args: string[]) => told('cache', 'gc', ...args);
    const replies = async () => (await told('cache', 'stats')).replies.replies;
    // One build is tagged; the replies of the other's answers are its own.
    const dry = await collect('--keep-builds', '0', '--dry-run');
    expect(dry).toMatchObject({ dryRun: true, builds: 1, removed: { replies: 20 } });
    expect(await replies()).toBe(60);
    expect(await collect('--max-size', '0', '--dry-run')).toMatchObject({
      builds: 2,
      removed: { replies: 0 },
      fits: false,
    });
    expect(await collect('--max-size', '1GB', '--keep-builds', '0')).toMatchObject({
      removed: { replies: 0 },
      fits: true,
    });
    expect((await at.cje('cache', 'gc', '--keep-builds', '0', '--dry-run')).stdout).toContain('Would remove:');
    expect(await replies()).toBe(60);
    expect(await refusal('cache', 'gc')).toEqual([2, '', 'CJE-USAGE']);
    expect(await refusal('cache', 'gc', '--delete', '--max-size', '0')).toEqual([2, '', 'CJE-USAGE']);
    expect(await refusal('cache', 'gc', '--older-than', '1d', '--max-size', '0')).toEqual([2, '', 'CJE-USAGE']);
    expect(await refusal('cache', 'gc', '--remote', '--keep-builds', '1')).toEqual([2, '', 'CJE-USAGE']);
    for (const own of ['--keep-builds', '--max-size']) {
      const mixed = await refusal('cache', 'gc', '--remote', '--older-than', '1d', own, '1');
      expect(mixed).toEqual([2, '', 'CJE-USAGE']);
    }
    expect(await refusal('cache', 'gc', '--remote')).toEqual([2, '', 'CJE-USAGE']);
    expect(await collect('--keep-builds', '0')).toMatchObject({ dryRun: false, removed: { replies: 20 } });
    expect(await replies()).toBe(40);
  });

  it('keeps ten builds, and no more, where only a size is given', async () => {
    for (let build = 0; build < 11; build++) await at.cje('build', 'prompts', '--force', 'prompts');
    expect(await told('cache', 'gc', '--max-size', '0', '--dry-run')).toMatchObject({ builds: 11 });
  });
});
