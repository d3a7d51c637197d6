/** Plans, forecasts and explanations as they are printed, whole, of small values that are set by hand. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Lane } from '../../src/core/batch.ts';
import type { PowerForecast } from '../../src/datasets/planning/outlook.ts';
import type { Explanation, ItemExplanation, NodeCause } from '../../src/engine/explain/why.ts';
import type { PlannedCalls } from '../../src/engine/plan/plan-cost.ts';
import type { Plan, PlannedNode } from '../../src/engine/plan/planned.ts';
import { readPlan, savePlan } from '../../src/engine/plan/saved-plan.ts';
import { moveText } from '../../src/terminal/plan-move-text.ts';
import { planText } from '../../src/terminal/plan-text.ts';
import { powerText } from '../../src/terminal/power-text.ts';
import { changeLines, whyItemText, whyText } from '../../src/terminal/why-text.ts';
import { buildRecord } from '../helpers/build-record.ts';
import { toyGraph } from '../helpers/toy.ts';

const LINES = (...lines: string[]) => `${lines.join('\n')}\n`;
const folder = mkdtempSync(join(tmpdir(), 'cje-plans-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const calls = (more: Partial<PlannedCalls> = {}): PlannedCalls => ({
  identity: 'lab',
  model: 'm',
  calls: 5,
  inputTokens: 1000,
  outputTokens: 2000,
  low: 1,
  expected: 2,
  high: 3,
  atMost: 4,
  basis: 'recorded',
  ...more,
});

function planned(node: string, more: Partial<PlannedNode> = {}): PlannedNode {
  const stage = node.split('/')[0]!;
  return {
    node,
    stage,
    kind: 'answers',
    action: 'run',
    why: { type: 'new' },
    key: 'k',
    changes: [],
    parts: {},
    waitsFor: [],
    items: 10,
    unsettled: 5,
    hits: 3,
    calls: 5,
    exact: true,
    models: [calls()],
    ...more,
  };
}
const idle = { items: 1, unsettled: 0, hits: 0, calls: 0, models: [] };
const waits = (...on: string[]) => ({ why: { type: 'waits' as const, on, changes: [] }, waitsFor: on });

const planOf = (nodes: readonly PlannedNode[], more: Partial<Plan> = {}): Plan => ({
  experiment: 'toy',
  profile: 'sim',
  targets: ['last', 'count'],
  nodes,
  calls: 5,
  exact: true,
  inputTokens: 1000,
  outputTokens: 2000,
  dollars: { low: 1, expected: 2, high: 3, atMost: 4 },
  realDollars: 2,
  minutes: 0,
  models: [calls()],
  unpriced: [],
  examples: [],
  ...more,
});
const text = (plan: Plan, verbose = false) => planText(plan, toyGraph(), { verbose });

describe('the text of a plan', () => {
  it('puts what asks before what only runs, and sums up', () => {
    const plan = planOf([
      planned('words', { action: 'cached', why: { type: 'up-to-date' }, ...idle }),
      planned('answers/a', { requests: { items: 10, unsettled: 5, edited: true } }),
      planned('answers/b', { requests: { items: 10, unsettled: 4, edited: false } }),
      planned('scores/x', { calls: 0, why: { type: 'forced' }, unsettled: 0, models: [], items: 1234 }),
      planned('count', { ...idle, ...waits('answers/a', 'answers/b') }),
    ]);
    expect(text(plan)).toBe(
      LINES(
        'toy, profile sim: last, count',
        '',
        'node           items  stored  calls  dollars',
        'answers/* (2)     20       6     10    $4.00',
        '  not built yet: 10 of 20 requests differ',
        'scores/x       1,234       3      0       $0',
        '  forced',
        '',
        'Run, and buy nothing:',
        '  count: depends on answers/a and 1 more',
        '',
        '4 nodes to run, 1 up to date.',
        'Calls    5',
        'Tokens   1,000 in, 2,000 out (as recorded of like calls)',
        'Dollars  $1.00 – $2.00 – $3.00 (low, expected, high)',
        '         never above $4.00',
        'Time     no provider in it has a limit',
      ),
    );
    expect(text(plan, true)).toContain(
      LINES(
        'answers/a     10       3      5    $2.00',
        '  not built yet: 5 of 10 requests differ',
        'answers/b     10       3      5    $2.00',
        '  not built yet: 4 of 10 requests to buy',
      ),
    );
    expect(text(plan, true)).toContain(
      LINES('Run, and buy nothing:', '  count', '    depends on answers/a and 1 more', ''),
    );
  });

  it('says where it is a bound, where a price is unknown, and what is guessed', () => {
    const bound = planned('answers/a', { exact: false, models: [calls({ expected: null })] });
    const plan = planOf([bound, planned('answers/b')], {
      exact: false,
      dollars: null,
      unpriced: ['m', 'n'],
      models: [calls({ basis: 'guessed' })],
      minutes: 2,
    });
    expect(text(plan)).toContain('answers/* (2)     20       6   ≤ 10        ?\n');
    expect(text(plan)).toContain(
      LINES(
        'Calls    at most 5',
        'Tokens   1,000 in, 2,000 out (a guess: no like call is stored)',
        'Dollars  unknown: no price for m, n',
        'Time     2 min 00 s at the configured limits',
      ),
    );
    const mixed = [calls(), calls({ model: 'n', basis: 'guessed', expected: null })];
    expect(text(planOf([planned('answers/a')], { models: mixed, realDollars: 0 }))).toMatch(
      new RegExp(
        [
          'Tokens {3}1,000 in, 2,000 out \\(partly recorded, partly guessed\\)',
          'Dollars {2}\\$1.00 – \\$2.00 – \\$3.00 \\(low, expected, high\\)',
          ' {9}never above \\$4.00; simulated: nothing is charged',
          'Time .*',
          '',
          'model  calls  tokens in    out  dollars',
          'm          5      1,000  2,000    \\$2.00',
          'n          5      1,000  2,000        \\?',
          '$',
        ].join('\n'),
      ),
    );
    const open = planOf([planned('answers/a')], {
      dollars: { low: 0, expected: 0, high: 0, atMost: null },
      realDollars: 0,
    });
    expect(text(open)).toContain('Dollars  $0 – $0 – $0 (low, expected, high)\nTime');
  });

  it('ends with the number of calls where none is to be bought', () => {
    expect(text(planOf([planned('count', idle)], { calls: 0, exact: false }))).toMatch(/Calls {4}at most 0\n$/);
  });

  it('names the models of which calls cannot wait, and no other', () => {
    const waiting = { calls: 5, online: 2, expected: 1 };
    const models = [calls({ batch: waiting }), calls({ model: 'n', calls: 4 })];
    const plan = planOf([planned('answers/a')], { calls: 9, models, batch: waiting });
    expect(text(plan)).toContain(
      LINES(
        'Batches  5 calls can wait up to 24 hours for $1.00 in place of $2.00, 50 % less:',
        '         --lane batch',
        '         4 calls cannot, and are bought online: n',
      ),
    );
    const inLane = (of: Plan, lane: Lane) => planText(of, toyGraph(), { verbose: false, lane });
    expect(inLane(plan, 'batch')).toContain('\nLane     batch: $1.00 expected in all\n');
    expect(inLane(plan, 'online')).toContain('\nLane     online: the dollars above\n');
    expect(inLane(planOf([planned('answers/a')]), 'batch')).toContain('none of these calls can wait');
    expect(text(plan)).not.toContain('Lane');
  });

  it('says how much less a batch costs, and of a single call that it cannot wait', () => {
    const waiting = { calls: 5, online: 4, expected: 1 };
    const models = [calls({ batch: waiting }), calls({ model: 'n', calls: 1 })];
    const mixed = text(planOf([planned('answers/a')], { calls: 6, models, batch: waiting }));
    expect(mixed).toContain('$1.00 in place of $4.00, 75 % less');
    expect(mixed).toContain('\n         1 call cannot, and is bought online: n\n');
    expect(text(planOf([planned('answers/a')], { models: [models[0]!], batch: waiting }))).not.toContain('cannot');
  });

  it('groups what waits by what it waits for', () => {
    const reason = (...nodes: PlannedNode[]) => /buy nothing:\n((?: {2}.*\n)*)/.exec(text(planOf(nodes)))?.[1];
    const one = (name: string, ...on: string[]) => planned(name, { ...idle, ...waits(...on) });
    expect(reason(one('s/a', 'r/a'), one('s/b', 'r/b'))).toBe('  s/* (2): depends on r/*\n');
    expect(reason(one('s/a', 'r/a'), one('s/b', 'r/a'))).toBe('  s/* (2): depends on r/a\n');
    expect(reason(one('s/a', 'r/a'), one('t/a', 'r/a'))).toBe('  s/a: depends on r/a\n  t/a: depends on r/a\n');
    expect(reason(one('s/a', 'r/a'), planned('s/b', idle))).toBe('  s/a: depends on r/a\n  s/b: not built yet\n');
  });

  it('compares with a reference where the pipeline has one', () => {
    const graph = { ...toyGraph(), reference: { name: 'the paper', calls: 95_000, dollars: 100, time: '3 days' } };
    expect(planText(planOf([planned('a')]), graph, { verbose: false })).toMatch(
      /\n\nFor comparison, the paper: 95,000 calls, \$100.00, 3 days.\n$/,
    );
  });
});

describe('the text of a forecast', () => {
  const forecast: PowerForecast = {
    dataset: 'dataset/a',
    estimator: 'dr',
    alpha: 0.05,
    power: 0.8,
    minimumLabels: 30,
    pilot: {
      prompts: 1000,
      labels: 250,
      ownLabels: 0,
      policies: [
        { status: 'ok', policy: 'pi', perPrompt: 0.25, perLabel: 0.125, rSquared: 0.9, standardError: 0.01 },
        { status: 'refused', policy: 'bad', gate: 'overlap', reason: 'no', collect: 'More.' },
        { status: 'ok', policy: 'few', perPrompt: 0.5, perLabel: 1, rSquared: null, standardError: 0.02 },
      ],
      pairs: [],
    },
    responsesPerPrompt: 3,
    labelsPerPrompt: 1,
    ownLabelsPerPrompt: 0,
    prices: { score: 0.5, label: 2 },
    hardest: 'pi',
    chosen: false,
    rSquared: 0.9,
    detectableDifference: 0.04,
    goal: { type: 'none' },
    plan: null,
  };
  const plan = { prompts: 4000, labels: 1200, cost: 4200, standardError: 0.005, detectableDifference: 0.02 };

  it('is what the pilot has and can tell apart', () => {
    expect(powerText(forecast)).toBe(
      LINES(
        'dr on dataset/a: 1,000 prompts, 250 labels',
        '',
        'policy                SE  σ² a prompt  σ² a label    R²',
        'pi                0.0100        0.250       0.125  0.90',
        'bad     refused: overlap',
        'few               0.0200        0.500        1.00     –',
        '',
        'This dataset tells two policies apart that differ by 0.0400 (80 % power at α',
        '0.05; for pi, the least certain).',
      ),
    );
  });

  it.each([
    [0.5, null],
    [0.49, /R² below 0\.5/],
    [null, /too small to check/],
  ])('with a fit of %j', (rSquared, warning) => {
    const said = powerText({ ...forecast, rSquared });
    if (warning === null) expect(said).not.toMatch(/rough|R² below/);
    else expect(said).toMatch(warning);
  });

  it('says where labels are too few for any difference', () => {
    const none = { ...plan, detectableDifference: Number.POSITIVE_INFINITY };
    const told = powerText({
      ...forecast,
      detectableDifference: Number.POSITIVE_INFINITY,
      goal: { type: 'budget', budget: 9 },
      plan: none,
    });
    expect(told.replaceAll(/\s+/g, ' ')).toContain(
      'This dataset tells no two policies apart, as its labels hardly rise with what their calibration predicts (80 % power at α 0.05; for pi, the least certain).',
    );
    expect(told).toMatch(/\n {2}detects +nothing/);
  });

  it('shows the pairs, and says where the least labels bind', () => {
    const pairs = [
      {
        a: 'pi',
        b: 'few',
        perPrompt: 0.125,
        perLabel: 0.5,
        overstated: 0,
        remaining: 0,
        rSquared: 0.75,
        standardError: 0.005,
        degreesOfFreedom: 50,
      },
    ];
    const of = { ...forecast, pilot: { ...forecast.pilot, pairs }, hardest: 'pi − few' };
    expect(powerText(of)).toContain(
      LINES('difference      SE  σ² a prompt  σ² a label    R²', 'pi − few    0.0050        0.125       0.500  0.75'),
    );
    const least = powerText({ ...of, plan: { ...plan, labels: 30 } });
    expect(least.replaceAll(/\s+/g, ' ')).toContain('$2.00 each; the least that a calibration takes');
    expect(least).not.toContain('independent');
  });

  it('adds a plan for a budget or a difference', () => {
    const rows = (more: Partial<PowerForecast>) => powerText({ ...forecast, plan, ...more }).split('certain).\n')[1];
    expect(rows({ goal: { type: 'budget', budget: 5000 } })).toBe(
      LINES(
        '',
        'For $5,000.00:',
        '  prompts  4,000      each answered and scored 3 times, $0.5000 each time',
        '  labels   1,200      on the logged policy’s responses, $2.00 each',
        '  cost     $4,200.00',
        '  SE       0.0050',
        '  detects  0.0200     taking the two policies as independent; sharing prompts',
        '                      does better',
      ),
    );
    const own = rows({
      goal: { type: 'difference', difference: 0.02 },
      ownLabelsPerPrompt: 0.5,
      prices: { score: undefined, label: undefined },
    });
    expect(own).toContain('To tell a difference of 0.02 apart:\n');
    // Several policies' answers to a prompt may be labelled.
    expect(rows({ goal: { type: 'budget', budget: 5000 }, labelsPerPrompt: 2.5 })).toContain('  labels   3,000 ');
    expect(own).toMatch(/scored 3 times, \$0 each time\n.*responses, \$0 each\n {2}own labels {2}2,000 /);
  });
});

describe('the text of an explanation', () => {
  const look = { color: false, width: 80 };
  const since = buildRecord('b1', { tags: ['v1'] });
  const cause = (node: string, more: Partial<NodeCause> = {}): NodeCause => ({
    node,
    kind: 'answers',
    state: 'stale',
    reason: 'an output is missing from the cache',
    since: 'b1',
    changes: [],
    inputs: [],
    files: {},
    ...more,
  });
  const of = (more: Partial<Explanation>): string =>
    whyText({ target: 'last', state: 'stale', since, nodes: [], causes: [], ...more }, look);

  it('leads from an edit to the target', () => {
    const edited = cause('answers/a', {
      changes: [
        { path: ['params', 'suffix'], before: '!', after: '?' },
        { path: ['params', 'judge', 'template'], before: 'a\nb', after: 'a\nc' },
        { path: ['code'], before: 'c1', after: 'c2' },
      ],
      inputs: [
        { input: 'words', node: 'words', change: 'added' },
        { input: 'words', node: 'others', change: 'removed' },
        { input: 'words', node: 'third', change: 'other' },
      ],
      files: { 'judge.template': 'judge.md' },
    });
    const causes = [{ nodes: ['answers/a', 'answers/b'], cause: edited, path: ['answers/a', 'count', 'last'] }];
    expect(of({ causes })).toBe(
      LINES(
        'last would run. Compared with build b1 (v1):',
        '',
        'answers/* (2): suffix changed',
        '    ! → ?',
        '  judge prompt changed in judge.md',
        '    @@ line 1 @@',
        '     a',
        '    -b',
        '    +c',
        '  code of kind `answers` changed',
        '  input words: words was added',
        '  input words: others was removed',
        '  reaches it by answers/a → count → last',
      ),
    );
    expect(of({ causes, state: 'fresh' })).toMatch(
      /^last would not run: a result for its key is in the cache\. Compared with build b1 \(v1\):\n/,
    );
  });

  it('says of the target itself no way, and of new or lost outputs why', () => {
    const root = (nodes: string[], one: NodeCause) => ({ nodes, cause: one, path: ['last'] });
    expect(of({ causes: [root(['last'], cause('last'))] })).toMatch(
      /:\n\nlast: an output is missing from the cache\n$/,
    );
    expect(of({ causes: [root(['x', 'y/z'], cause('x', { since: null }))] })).toMatch(
      /:\n\nx and 1 more: not built before\n {2}reaches it by last\n$/,
    );
    expect(of({ since: undefined, causes: [root(['last'], cause('last', { since: null }))] })).toBe(
      'last: no recorded build made it; it would run.\n',
    );
    expect(of({ since: undefined, state: 'fresh' })).toBe(
      'last: no recorded build made it; a result for its key is in the cache.\n',
    );
  });

  it('says that nothing changed, or that only inputs did', () => {
    expect(of({ nodes: [cause('last')] })).toBe(
      LINES('last is up to date: nothing changed since build b1 (v1).', 'Why it ran then: cje why last --since last~1'),
    );
    const inputs = [
      { input: 'count', node: 'count', change: 'unknown' as const },
      { input: 'count', node: 'other', change: 'other' as const },
    ];
    expect(of({ nodes: [cause('last', { inputs })] })).toBe(
      LINES(
        'last would run. Compared with build b1 (v1):',
        '',
        'last: input count, count, has to run first',
        'last: input count, other, has another output with the same key (it was asked again)',
      ),
    );
  });

  it('shows values of up to sixty characters side by side, longer ones line by line', () => {
    const change = (length: number) =>
      changeLines({ path: ['params', 'a'], before: 1, after: 'x'.repeat(length) }, look);
    expect(change(60)).toEqual([`    1 → ${'x'.repeat(60)}`]);
    expect(change(61)).toEqual(['    @@ line 1 @@', '    -1', `    +${'x'.repeat(61)}`]);
    expect(changeLines({ path: ['params', 'a'], before: undefined, after: { b: 1 } }, look)).toEqual([
      '    absent → {"b":1}',
    ]);
    expect(changeLines({ path: ['sources', 'a'], before: 'x', after: 'y' }, look)).toEqual([]);
  });

  it('of an item goes through its calls', () => {
    const item = (more: Partial<ItemExplanation>) =>
      whyItemText({ node: 'a', item: 'w0', since, without: undefined, calls: [], ...more }, look);
    const call = {
      call: 0,
      before: 'k1',
      after: 'k2',
      stored: false,
      texts: [{ name: 'user', before: 'b', after: 'c' }],
    };
    expect(item({ calls: [call] })).toBe(
      LINES(
        'w0 of a, compared with build b1 (v1)',
        '',
        'its call is another request; its reply is not stored',
        '  @@ line 1 @@',
        '  -b',
        '  +c',
      ),
    );
    const more = [
      { ...call, after: 'k1', stored: true },
      { ...call, call: 1, before: null, stored: true },
      { ...call, call: 2, after: null },
    ];
    expect(item({ calls: more, since: undefined, without: 'no earlier build made this node' })).toBe(
      LINES(
        'w0 of a',
        'Nothing to compare with: no earlier build made this node.',
        '',
        'call 1 is the same request; its reply is stored',
        '',
        'call 2 is new; its reply is stored',
        '',
        'call 3 is not asked any more',
      ),
    );
    expect(item({})).toMatch(/\n\nIt asks nothing \(0 calls\)\.\n$/);
  });
});

describe('a plan in a file', () => {
  const path = join(folder, 'plan.json');

  it('is read as it was saved, with its reasons in words', () => {
    const plan = planOf([planned('answers/a', { requests: { items: 10, unsettled: 5, edited: true } })]);
    savePlan(path, plan);
    expect(readPlan(path)).toMatchObject({ type: 'plan', version: 1, targets: ['last', 'count'], calls: 5 });
    expect(JSON.parse(readFileSync(path, 'utf8')).nodes[0]).toMatchObject({
      reason: 'not built yet: 5 of 10 requests differ',
      cause: 'not built yet',
    });
    const saved = JSON.parse(readFileSync(path, 'utf8'));
    for (const broken of [{ type: 'build' }, { version: 2 }, { nodes: 1 }, { models: 1 }, { targets: 1 }]) {
      writeFileSync(path, JSON.stringify({ ...saved, ...broken }));
      expect(() => readPlan(path)).toThrow(`${path} is not a plan of this version of cje`);
    }
    writeFileSync(path, 'no JSON');
    expect(() => readPlan(path)).toThrow(`cannot read the plan ${path}`);
    expect(() => savePlan(join(folder, 'none', 'plan.json'), plan)).toThrow('cannot write the plan to');
  });

  it('says how it moved', () => {
    expect(moveText({ type: 'other', what: 'profile', before: 'sim', after: 'full' })).toEqual([
      'profile',
      'sim in the plan, full now',
    ]);
    expect(moveText({ type: 'node-gone', node: 'a' })).toEqual(['a', 'is gone']);
    expect(moveText({ type: 'node-new', node: 'a' })).toEqual(['a', 'is new']);
    expect(moveText({ type: 'node-changed', node: 'a', parts: ['x', 'y'] })).toEqual(['a', 'x, y changed']);
    expect(moveText({ type: 'price', model: 'm', before: 1, after: 2 })).toEqual([
      'm',
      'its price grew: $1.00 to $2.00',
    ]);
    expect(moveText({ type: 'price', model: 'm', before: 1, after: null })).toEqual(['m', 'has no price any more']);
    expect(moveText({ type: 'calls', before: 1000, after: 2000 })).toEqual(['calls', '1,000 in the plan, 2,000 now']);
    expect(moveText({ type: 'dollars', before: 1, after: 2 })).toEqual([
      'dollars',
      '$1.00 expected in the plan, $2.00 now',
    ]);
  });
});
