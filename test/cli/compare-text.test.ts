import { describe, expect, it } from 'vitest';
import type { Agreement } from '../../src/compare/agreement.ts';
import type { BuildDifference } from '../../src/compare/difference.ts';
import type { ComparedEstimate } from '../../src/compare/estimates.ts';
import { compareText } from '../../src/terminal/compare-text.ts';
import { buildRecord } from '../helpers/build-record.ts';

const LINES = (...lines: string[]) => `${lines.join('\n')}\n`;
const LOOK = { color: false, width: 80 };
const BEFORE = buildRecord('b1', { tags: ['v1'] });
const AFTER = buildRecord('b2', { profile: 'full' });
const bare: BuildDifference = {
  a: BEFORE,
  b: { ...AFTER, totals: { ...AFTER.totals, cost: { ...AFTER.totals.cost, reproduce: null } } },
  edits: { different: 0, same: 1234, added: [], removed: [], edits: [] },
  estimates: { changes: [], unchanged: 0 },
  rankings: [],
  scores: { changes: [], unchanged: 0 },
  labels: { changes: [], unchanged: 0 },
};
const HEAD = [
  '        build    profile  bought  billed  to reproduce',
  'before  b1 (v1)  sim           0   $2.50         $5.00',
  'after   b2       full          0   $2.50             ?',
  '',
];
const text = (more: Partial<BuildDifference>, verbose = false) => compareText({ ...bare, ...more }, LOOK, { verbose });
/** What stands below the line on nodes. */
const below = (more: Partial<BuildDifference>, verbose = false) => text(more, verbose).split(/^Nodes: .*\n/m)[1];

describe('the difference of two builds', () => {
  it('begins with the builds and counts their nodes', () => {
    expect(text({})).toBe(LINES(...HEAD, 'Nodes: 0 differ, 1,234 are the same bytes.'));
    const edits = { ...bare.edits, different: 2000, added: ['x', 'y', 'z'], removed: ['q', 'r'] };
    expect(text({ edits })).toContain(
      'Nodes: 2,000 differ, 1,234 are the same bytes; 3 only after (x, y …); 2 only before (q, r).\n',
    );
    expect(text({ edits: { ...bare.edits, removed: ['q'] } })).toContain('bytes; 1 only before (q).\n');
  });

  it('shows edits, three changes each unless all are wanted, and names kinds whose code changed', () => {
    const change = (name: string) => ({ path: ['params', name], before: 1, after: 2 });
    const code = { path: ['code'], before: 'c1', after: 'c2' };
    const edit = (nodes: string[], names: string[], coded: boolean) => ({
      nodes,
      kind: 'scores',
      parts: [...names, ...(coded ? ['code of kind `scores`'] : [])],
      changes: [...names.map(change), ...(coded ? [code] : [])],
    });
    const four = ['a', 'b', 'c', 'd'];
    const edits = {
      ...bare.edits,
      edits: [edit(['s/x', 's/y', 's/z'], four, true), edit(['t'], ['a'], false), edit(['u'], [], true)],
    };
    expect(below({ edits })).toBe(
      LINES(
        'Code changed of the kinds scores.',
        '',
        's/x and 2 more: a, b, c, d changed',
        ...Array.from({ length: 3 }, () => '    1 → 2'),
        '',
        't: a changed',
        '    1 → 2',
      ),
    );
    expect(below({ edits }, true)!.match(/1 → 2/g)).toHaveLength(5);
    expect(below({ edits: { ...edits, edits: [edits.edits[1]!] } })).not.toContain('Code');
  });

  it('shows how scores, labels and other measures moved', () => {
    const moved: Agreement = {
      n: 1000,
      meanBefore: 0.25,
      meanAfter: 0.5,
      shift: 0.25,
      lower: 0.125,
      upper: 0.375,
      correlation: 0.75,
      meanAbsolute: 0.25,
      unchanged: 0.5,
    };
    const none = { ...moved, n: 0, lower: null, upper: null, correlation: null };
    const changes = [
      { node: 'scores/a', agreement: moved, leftOut: 2 },
      { node: 'scores/b', agreement: none, leftOut: 1 },
    ];
    expect(below({ scores: { changes, unchanged: 2 } })).toMatch(
      new RegExp(
        [
          '^',
          'Scores on the same responses:',
          '\\S+ +n +before +after +shift \\(95 %\\) +corr\\. +same',
          '(scores/)?a +1,000 +0\\.250 +0\\.500 +\\+0\\.250 ± 0\\.125 +0\\.750 +50 %',
          '(scores/)?b +0',
          'Left out: 3 rows with another response, or without a number on one side\\.',
          '2 other nodes unchanged\\.',
          '$',
        ].join('\n'),
      ),
    );
    const quiet = { changes: [{ ...changes[0]!, leftOut: 0 }], unchanged: 0 };
    expect(below({ labels: quiet })).toMatch(/^\nOracle labels on the same responses:\n.*\n.* 50 %\n$/);
    expect(below({ measures: [{ ...quiet, rows: 'brevities', label: 'Brevity' }] })).toMatch(
      /^\nBrevity on the same items:/,
    );
    expect(below({ scores: { changes: [], unchanged: 2 } })).toBe('');
  });

  it('shows estimates that moved, came and went', () => {
    const cell = { scorer: 's', ablation: 'dr', policy: 'pi', leading: true, paired: null };
    const ok = (estimate: number) => ({ status: 'ok', estimate });
    const refused = (gate: string) => ({ status: 'refused', gate });
    const change = (more: object) => ({ ...cell, ...more }) as ComparedEstimate;
    const paired = { difference: 0.25, standardError: 0.1, lower: -0.125, upper: 0.5 };
    const moved = { type: 'moved', before: ok(0.25), after: ok(0.5), delta: 0.25 };
    const changes = [
      change({ ...moved, paired }),
      change({ ...moved, leading: false }),
      change({ type: 'newly-refused', before: ok(0.25), after: refused('overlap') }),
      change({ type: 'newly-estimated', before: refused('overlap'), after: ok(0.5) }),
      change({ type: 'refused-otherwise', before: refused('overlap'), after: refused('rows') }),
      change({ type: 'added', after: ok(0.5) }),
      change({ type: 'added', after: refused('rows') }),
      change({ type: 'removed', before: ok(0.25) }),
      change({ type: 'removed', before: refused('rows') }),
    ];
    expect(below({ estimates: { changes, unchanged: 3 } })).toBe(
      LINES(
        '',
        'Estimates (Δ paired by prompt):',
        'estimate  policy   before    after       Δ        95 % of Δ',
        's/dr      pi        0.250    0.500  +0.250  -0.125 … +0.500',
        's/dr      pi        0.250  refused                           overlap',
        's/dr      pi      refused    0.500',
        's/dr      pi      refused  refused                           overlap → rows',
        's/dr      pi                 0.500                           new',
        's/dr      pi               refused                           new',
        's/dr      pi        0.250                                    gone',
        's/dr      pi      refused                                    gone',
        '1 more moved (--verbose shows them); 3 unchanged.',
      ),
    );
    expect(below({ estimates: { changes, unchanged: 0 } }, true)).toContain(
      's/dr      pi        0.250    0.500  +0.250\n',
    );
    const alone = (more: object) => below({ estimates: { changes: [change({ ...moved, ...more })], unchanged: 0 } });
    expect(alone({})).toMatch(/\+0\.250\nWhere the interval is missing, one build cannot be computed again/);
    expect(alone({ paired })).not.toMatch(/interval is missing/);
    expect(alone({ leading: false })).toBe(LINES('', 'Estimates:', '1 more moved (--verbose shows them).'));
    expect(below({ estimates: { changes: [], unchanged: 3 } })).toBe(LINES('', 'Estimates: all 3 unchanged.'));
  });

  it('shows which model answered, where another one did', () => {
    expect(below({ served: [{ node: 'scores', before: '', after: 'm-q4\u001b' }] })).toBe(
      LINES('', 'Which model answered:', '  scores: m-q4\\e', '    before: the model that was asked'),
    );
    expect(below({ served: [] })).toBe('');
  });

  it('shows rankings', () => {
    const ranking = { scorer: 's', ablation: 'dr', before: ['a', 'b'], after: ['b', 'a'], changed: true };
    const rankings = [
      ranking,
      { ...ranking, before: [], after: ['b'] },
      { ...ranking, changed: false },
      { ...ranking, beforeBy: 'naive' },
    ];
    expect(below({ rankings })).toBe(
      LINES(
        '',
        'Ranking, best first:',
        '  s/dr: b > a',
        '    before: a > b',
        '  s/dr: b',
        '    before: no estimate',
        '  s/dr: b > a (unchanged)',
        '  s/dr: b > a',
        '    before, by naive: a > b',
      ),
    );
  });
});
