/** The problems that a build prints: one for all nodes that failed for the same reason, one for each stop. */

import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/core/problem.ts';
import type { NodeResult } from '../../src/engine/build/node-runner.ts';
import { problemsOf } from '../../src/engine/build/problems.ts';

const results = (all: readonly (readonly [string, Partial<NodeResult>])[]) =>
  problemsOf(new Map(all.map(([name, more]) => [name, { outcome: 'failed', ...more }])));
const stop = (cause: string, missing: number): Partial<NodeResult> => ({
  stop: { id: 'CJE-BUDGET-REACHED', cause, missing, hint: 'more' },
});
const failed = (node: string, more: Partial<Problem> = {}): Partial<NodeResult> => ({
  problem: { id: 'CJE-RETRIES-SPENT', headline: `${node} failed: busy`, facts: [['missing', node]], ...more },
});

describe('stops', () => {
  it('are one for each cause, with all that is missing for it', () => {
    const nodes = [1, 2, 3, 4].map((items) => [`s/${items}`, stop('the cap is reached', items)] as const);
    expect(results([...nodes, ['t', stop('interrupted', 7)], ['u', { outcome: 'run' }]])).toEqual([
      {
        id: 'CJE-BUDGET-REACHED',
        headline: 'the build stopped: the cap is reached',
        facts: [
          ['unfinished', 's/1, s/2, s/3 and 1 more'],
          ['missing', '10 items'],
        ],
        hint: 'more',
      },
      expect.objectContaining({
        facts: [
          ['unfinished', 't'],
          ['missing', '7 items'],
        ],
      }),
    ]);
    expect(results(nodes.slice(0, 3))[0]?.facts?.[0]).toEqual(['unfinished', 's/1, s/2, s/3']);
  });
});

describe('failures', () => {
  it('are one where they differ in the name of their node alone, and come before stops', () => {
    const found = results([
      ['s/1', stop('the cap is reached', 1)],
      ['x/one', failed('x/one')],
      ['x/two', failed('x/two')],
      ['x/six', failed('x/six', { headline: 'x/six failed: gone' })],
    ]);
    expect(found.map(({ headline, facts }) => [headline, facts])).toEqual([
      ['x/one and 1 more failed: busy', [['nodes', 'x/one, x/two']]],
      ['x/six failed: gone', [['missing', 'x/six']]],
      ['the build stopped: the cap is reached', expect.anything()],
    ]);
  });

  it('that name no node are one where their facts are the same, too', () => {
    const same = { headline: 'the disk is full', facts: [['left', '0']] as const };
    expect(
      results([
        ['a', failed('a', same)],
        ['b', failed('b', same)],
      ]),
    ).toHaveLength(1);
    const other = { ...same, facts: [['left', '1']] as const };
    expect(
      results([
        ['a', failed('a', same)],
        ['b', failed('b', other)],
      ]),
    ).toHaveLength(2);
  });
});
