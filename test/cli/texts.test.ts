import { describe, expect, it } from 'vitest';
import { makePlan } from '../../src/engine/plan/plan.ts';
import { planText } from '../../src/terminal/plan-text.ts';
import { diffText, unifiedDiff } from '../../src/text/diff.ts';
import { toyGraph, toyWorld } from '../helpers/toy.ts';

const LOOK = { color: false, width: 80 };

describe('differences of texts', () => {
  it('show what goes and what comes with the lines around it', () => {
    const before = ['a', 'b', 'c', 'd', 'e'].join('\n');
    const after = ['a', 'b', 'C', 'd', 'e'].join('\n');
    expect(unifiedDiff(before, after, LOOK, '')).toEqual(['@@ line 1 @@', ' a', ' b', '-c', '+C', ' d', ' e']);
    expect(diffText(before, after)).toBe('@@ -1,5 +1,5 @@\n a\n b\n-c\n+C\n d\n e\n');
    expect(unifiedDiff(before, before, LOOK)).toEqual([]);
  });

  it('let no text steer the terminal', () => {
    const lines = unifiedDiff('harmless', '\u001b[2Jgone\u202e', LOOK).join('\n');
    expect(lines).toContain('+\\e[2Jgone\\u{202e}');
    expect(lines).not.toContain('\u001b');
  });

  it('cut very long lines to where they differ', () => {
    const long = (middle: string) => `${'x'.repeat(3000)}${middle}${'y'.repeat(3000)}`;
    const [, gone, come] = unifiedDiff(long('old'), long('new'), LOOK, '');
    expect(gone).toMatch(/^-…x+oldy+…$/);
    expect(come).toMatch(/^\+…x+newy+…$/);
    expect(gone!.length).toBeLessThan(500);
  });
});

describe('the text of a plan', () => {
  it('puts alike nodes together, fits 80 columns, and says why', async () => {
    const world = toyWorld();
    await world.build();
    const graph = toyGraph({ words: ['one', 'two', 'four'] });
    const plan = await makePlan(graph, ['last'], { force: new Set(), retryFailed: false }, world.ports());
    const text = planText(plan, graph, { verbose: false });
    expect(text).toContain('answers/* (2)');
    expect(text).toContain('  input words changed: 2 of 6 requests differ');
    expect(text).toMatch(/Calls {4}2\n/);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(planText(plan, graph, { verbose: true })).toContain('answers/b');
  });

  it('says so when there is nothing to do', async () => {
    const world = toyWorld();
    await world.build();
    const plan = await makePlan(toyGraph(), ['last'], { force: new Set(), retryFailed: false }, world.ports());
    expect(planText(plan, toyGraph(), { verbose: false })).toBe(
      'toy, profile toy: last\n\nNothing to do: 5 nodes up to date, 0 calls.\n',
    );
  });

  it('says where a build would fail for want of completeness, though nothing is to be bought', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) =>
      prompt === 'two!' ? { class: 'permanent', reason: 'refused', message: 'no' } : prompt;
    expect((await world.build(toyGraph({ tolerate: 0.5 }))).exit).toBe(0);
    const strict = toyGraph({ tolerate: 0.1 });
    const plan = await makePlan(strict, ['last'], { force: new Set(), retryFailed: false }, world.ports());
    const text = planText(plan, strict, { verbose: false });
    expect(text).toContain('  answers/a: 1 refused of 3 items; the stage tolerates 10.0 %\n');
    expect(text).toContain('Nothing to do: 3 nodes up to date, 0 calls.\n');
    expect((await world.build(strict)).exit).toBe(1);
  });
});
