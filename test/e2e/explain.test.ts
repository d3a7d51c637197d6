/** An edit as a user lives through it: what would it cost, why, try it, build what was planned, and what did it do? */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Event, type Project, ranNodes, removeProject, shippedProject } from '../helpers/project.ts';

const SAMPLES = 40;
const TARGET = 'estimates/deterministic/naive';
const POLICIES = ['p0', 'pi_clone', 'pi_cot', 'pi_bigger_model', 'pi_bad'];
const SCORES = POLICIES.map((policy) => `scores/deterministic/${policy}`);
const JUDGE = 'configs/judges/deterministic.md';

let project: Project;
beforeAll(() => {
  project = shippedProject({ samples: SAMPLES });
  expect(project.build(TARGET, '--tag', 'v1').exit).toBe(0);
  project.edit(JUDGE, '**Accuracy**', '**Correctness**');
});
afterAll(() => removeProject(project));

const json = (...args: string[]): Event => JSON.parse(project.run(...args, '--json').stdout) as Event;

describe('an edit of the judge prompt', () => {
  it('is planned: the reason in words, the calls, dollars, an example', () => {
    const shown = project.run('plan', TARGET, '--out', 'plan.json').stdout;
    expect(shown).toContain('judge prompt changed: 200 of 200 requests differ');
    expect(shown).toMatch(/^Calls {4}200$/m);
    expect(shown).toMatch(/^Dollars {2}\$[\d.]+ – \$[\d.]+ – \$[\d.]+ \(low, expected, high\)$/m);
    expect(shown).toContain('+- **Correctness**');
    const beforeExamples = shown.slice(0, shown.indexOf('Requests that')).split('\n');
    expect(Math.max(...beforeExamples.map((line) => line.length))).toBeLessThanOrEqual(80);

    const plan = JSON.parse(project.read('plan.json')) as Event;
    expect(plan).toMatchObject({ type: 'plan', version: 1, calls: 200, exact: true });
    expect(plan.examples).toHaveLength(3);
    expect(plan.models).toEqual([expect.objectContaining({ model: 'sim-base', calls: 200, basis: 'recorded' })]);
  });

  it('is explained, for a node and for an item', () => {
    const why = project.run('why', TARGET).stdout;
    expect(why).toContain(`scores/deterministic/* (5): judge prompt changed in ${JUDGE}`);
    expect(why).toContain('-- **Accuracy**');
    expect(why).toContain('reaches it by scores/deterministic/p0 → dataset/deterministic → ');
    const item = json('why', 'scores/deterministic/pi_cot', '3');
    expect(item).toMatchObject({ type: 'why-item', item: 'sim_3' });
    expect(item.calls[0]).toMatchObject({ stored: false, texts: [{ name: 'user' }] });
    expect(item.calls[0].texts[0].diff).toContain('+- **Correctness**');
    expect(project.run('status', 'scores/deterministic').stdout).toContain('judge prompt changed');
    expect(project.run('why', 'dataset/deterministic', '0').exit).toBe(2);
  });

  it('is tried on some items, and nothing is finished by that', () => {
    const { events, finished } = project.build(TARGET, '--canary', '10');
    expect(finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 10 }, build: null });
    const canary = events.find(({ type }) => type === 'canary')!;
    expect(canary.nodes.map(({ node }: Event) => node)).toEqual(SCORES);
    for (const { items, agreement, sameInputs } of canary.nodes) {
      expect({ items, n: agreement.n, sameInputs }).toEqual({ items: 2, n: 2, sameInputs: true });
      expect(agreement.lower).toBeLessThanOrEqual(agreement.shift);
    }
    expect(canary.rest).toMatchObject({ calls: 190, exact: true });
  });

  it('is not built when the plan has moved or become dearer', () => {
    project.edit(JUDGE, '**Correctness**', '**Truth**');
    const moved = project.run('build', '--plan', 'plan.json', TARGET);
    expect(moved.exit).toBe(3);
    expect(moved.stderr).toContain('judge prompt changed');
    project.edit(JUDGE, '**Truth**', '**Correctness**');

    const prices = project.read('configs/prices.yaml');
    project.edit('configs/prices.yaml', /sim-base: .*/.exec(prices)![0], 'sim-base: { input: 9, output: 9 }');
    const dearer = project.run('build', '--plan', 'plan.json', TARGET);
    expect(dearer.exit).toBe(3);
    expect(dearer.stderr).toMatch(/sim-base\s+its price grew/);
    project.write('configs/prices.yaml', prices);
  });

  it('is built as planned, with what the canary bought', () => {
    const built = project.build('--plan', 'plan.json', TARGET);
    expect(built.finished).toMatchObject({ exit: 0, calls: { bought: 190, cached: 10 } });
    expect(ranNodes(built)).toEqual(expect.arrayContaining(SCORES));
  });

  it('is compared with the build before: edit, scores, estimates, cost', () => {
    expect(project.run('diff', 'v1', 'last').stdout).toContain('Scores on the same responses:');
    const diff = json('diff');
    expect(diff).toMatchObject({ type: 'diff', version: 1, a: { tags: ['v1'] }, b: { calls: { bought: 190 } } });
    expect(diff.edits.edits.map(({ parts }: Event) => parts)).toEqual([['judge prompt']]);
    expect(diff.scores.changes.map(({ node }: Event) => node)).toEqual(SCORES);
    for (const { agreement, leftOut } of diff.scores.changes) {
      expect(agreement.n + leftOut).toBe(SAMPLES);
      expect(agreement.correlation).toBeGreaterThan(0.5);
      expect(agreement.meanAfter - agreement.meanBefore).toBeCloseTo(agreement.shift, 10);
    }
    // The naive estimate is the mean score, so the two comparisons must tell the same, interval included.
    const naive = diff.estimates.changes.find(({ policy }: Event) => policy === 'pi_cot');
    const { agreement } = diff.scores.changes.find(({ node }: Event) => node.endsWith('/pi_cot'));
    expect(naive.delta).toBeCloseTo(agreement.shift, 10);
    expect(naive.paired.difference).toBeCloseTo(agreement.shift, 10);
    expect(naive.paired.lower).toBeCloseTo(agreement.lower, 10);
    expect(naive.paired.upper).toBeCloseTo(agreement.upper, 10);
    expect(project.run('diff', 'v1', 'v2').exit).toBe(2);
  });

  it('stands in the ledger, down to the item', () => {
    const ledger = json('log', '--cost');
    expect(ledger).toMatchObject({ type: 'ledger', unrecorded: { bought: 10 } });
    const sum = (bills: Event[]) => bills.reduce((total, { cost }) => total + cost, 0);
    expect(sum(ledger.builds) + ledger.unrecorded.cost).toBeCloseTo(ledger.billed, 10);
    expect(sum(ledger.nodes)).toBeCloseTo(sum(ledger.builds), 10);
    expect(sum(ledger.models)).toBeCloseTo(sum(ledger.builds), 10);
    expect(project.run('log').stdout).toMatch(/v1/);
    const listed = project.run('ls', TARGET).stdout;
    expect(listed).toContain(`out/${TARGET}/rows.jsonl`);
    expect(listed).not.toContain('out/prompts');
    const item = json('show', 'scores/deterministic/pi_cot', 'sim_3');
    expect(item.row.score).toBeCloseTo(JSON.parse(item.calls[0].parsed.content).score / 10, 10);
  });

  it('leaves a build that has nothing to do', () => {
    const { finished } = project.build(TARGET);
    expect(finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0, cached: 0 } });
  });
});
