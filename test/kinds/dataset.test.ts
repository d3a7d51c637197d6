/** From rows of stages to a dataset: the join, what counts as tempered, and the counts and gates of its quality. */

import { describe, expect, it } from 'vitest';
import type { FreshRow, LoggedRow } from '../../src/datasets/dataset-rows.ts';
import { evaluationData } from '../../src/datasets/evaluation-data.ts';
import { gatesSchema } from '../../src/datasets/gates-file.ts';
import { type Joined, joinInputs, words } from '../../src/datasets/join.ts';
import { CLONE_GATES, describeQuality } from '../../src/datasets/quality.ts';
import type { DatasetQuality } from '../../src/datasets/results.ts';
import { hashSample, sampleSize } from '../../src/datasets/sample.ts';
import { dataset } from '../../src/kinds/dataset.ts';
import { calibrateRewards } from '../../src/stats/calibration/reward-calibration.ts';
import { inputsOf } from '../../src/stats/data/data.ts';
import { input, inputs, many } from './support.ts';

const response = (prompt_id: string, more: object = {}) => ({
  prompt_id,
  prompt: '',
  status: 'ok',
  response: 'two words',
  finish_reason: 'stop',
  model: null,
  temperature: 1,
  top_p: 1,
  usage: null,
  ...more,
});
const score = (prompt_id: string, value: number | null, more: object = {}) => ({
  prompt_id,
  status: value === null ? 'unparseable' : 'ok',
  score: value,
  variance: value === null ? null : 0.01,
  ...more,
});
const logprob = (prompt_id: string, value: number | null) => ({
  prompt_id,
  status: value === null ? 'shape' : 'ok',
  logprob: value,
});
const label = (policy: string, prompt_id: string, value: number | null, status = 'ok') => ({
  policy,
  prompt_id,
  status,
  label: value,
});

const joinedOf = (given: {
  readonly responses: Readonly<Record<string, readonly object[]>>;
  readonly logprobs?: Readonly<Record<string, readonly object[]>>;
  readonly scores?: Readonly<Record<string, readonly object[]>>;
  readonly labels?: readonly object[];
  readonly probe?: readonly object[];
  readonly mostApart?: Parameters<typeof joinInputs>[2];
}): Joined => {
  const rows = (of: Readonly<Record<string, readonly object[]>> = {}) =>
    many(Object.fromEntries(Object.entries(of).map(([name, list]) => [name, { rows: list }])));
  return joinInputs(
    inputs({
      responses: rows(given.responses),
      logprobs: rows(given.logprobs),
      scores: rows(given.scores),
      oracle: input({ rows: given.labels ?? [] }),
      ...(given.probe === undefined ? {} : { probe: input({ rows: given.probe }) }),
    }),
    'p0',
    given.mostApart,
  );
};

describe('a probe', () => {
  it('takes its labels away from what teaches and corrects, and keeps them apart', () => {
    const { logged, fresh, probe, notes } = joinedOf({
      responses: { p0: [response('a')], pi: [response('a'), response('b')] },
      scores: { p0: [score('a', 0.4)], pi: [score('a', 0.9), score('b', 0.7)] },
      labels: [label('p0', 'a', 0.3), label('pi', 'a', 0.8), label('pi', 'b', 0.6)],
      probe: [label('p0', 'a', 0.1), label('pi', 'b', 0.5)],
    });
    expect(logged.map(({ oracle_label }) => oracle_label)).toEqual([0.3]);
    expect(fresh.map(({ oracle_label }) => oracle_label)).toEqual([0.8, null]);
    expect(probe).toEqual([{ ...fresh[1], oracle_label: 0.5, part: 'probe' }]);
    expect(notes).toEqual({ 'label on pi to learn from, as it is the probe’s': 1 });
  });
});

describe('the scale', () => {
  const on = (policy: string, scale?: readonly [number, number]) => ({
    [policy]: [score('a', 0.5, scale === undefined ? {} : { scale })],
  });
  const responses = { pi: [response('a')], rho: [response('a')] };
  const scaleWith = (scores: Readonly<Record<string, readonly object[]>>, labels: readonly object[] = []) =>
    joinedOf({ responses, scores, labels }).scale;

  it('is the judge’s where nobody has labelled, and the labels’ from the first one on', () => {
    expect(scaleWith({ ...on('pi', [1, 5]), ...on('rho', [1, 5]) })).toEqual([1, 5]);
    expect(scaleWith({ ...on('pi', [1, 5]), ...on('rho') })).toBeUndefined();
    expect(scaleWith({ ...on('pi', [1, 5]), ...on('rho', [0, 3]) })).toBeUndefined();
    expect(scaleWith(on('pi', [1, 5]), [label('pi', 'a', 0.5)])).toBeUndefined();
    expect(scaleWith(on('pi', [1, 5]), [{ ...label('pi', 'a', 0.5), scale: [0, 9] }])).toEqual([0, 9]);
  });
});

describe('the join', () => {
  const joined = joinedOf({
    responses: {
      pi: [response('b', { response: ' one  two\nthree ' }), response('a', { finish_reason: 'length' })],
      p0: [
        response('a'),
        response('b'),
        response('c', { status: 'filtered', response: null, finish_reason: 'content_filter' }),
      ],
    },
    logprobs: { p0: [logprob('b', -7), logprob('a', -5)], pi: [logprob('a', -6), logprob('b', null)] },
    scores: { p0: [score('a', 0.4), score('b', null)], pi: [score('a', 0.9), score('b', 0.7)] },
    labels: [
      label('p0', 'a', 0.3),
      label('pi', 'a', 0.8),
      label('p0', 'b', 0.5, 'unparseable'),
      label('pi', 'b', null),
    ],
  });

  it('puts everything of a prompt into one row, each policy’s own', () => {
    expect(joined.targets).toEqual(['pi']);
    expect(joined.logged).toEqual([
      {
        prompt_id: 'a',
        judge_score: 0.4,
        judge_variance: 0.01,
        oracle_label: 0.3,
        response_words: 2,
        base_logprob: -5,
        target_logprobs: { pi: -6 },
      },
      {
        prompt_id: 'b',
        judge_score: null,
        judge_variance: null,
        oracle_label: null,
        response_words: 2,
        base_logprob: -7,
        target_logprobs: { pi: null },
      },
      {
        prompt_id: 'c',
        judge_score: null,
        judge_variance: null,
        oracle_label: null,
        response_words: null,
        base_logprob: null,
        target_logprobs: { pi: null },
      },
    ]);
    expect(joined.fresh).toEqual([
      { policy: 'pi', prompt_id: 'b', judge_score: 0.7, judge_variance: 0.01, oracle_label: null, response_words: 3 },
      { policy: 'pi', prompt_id: 'a', judge_score: 0.9, judge_variance: 0.01, oracle_label: 0.8, response_words: 2 },
    ]);
  });

  it('counts what became of each row', () => {
    const plain = (counts: ReadonlyMap<string, ReadonlyMap<string, number>>) =>
      Object.fromEntries([...counts].map(([name, of]) => [name, Object.fromEntries(of)]));
    expect(plain(joined.responseStatuses)).toEqual({ pi: { ok: 2 }, p0: { ok: 2, filtered: 1 } });
    expect(plain(joined.scoreStatuses)).toEqual({ pi: { ok: 2 }, p0: { ok: 1, unparseable: 1 } });
    expect(plain(joined.logprobStatuses)).toEqual({ p0: { ok: 2 }, pi: { ok: 1, shape: 1 } });
    expect(Object.fromEntries(joined.truncated)).toEqual({ pi: 1, p0: 0 });
  });

  it.each([
    [1, 1, false],
    [0.7, 1, true],
    [1.3, 1, true],
    [0, 1, true],
    [1, 0.9, true],
    [1, 0.999, true],
    [0.7, 0.9, true],
  ])('at temperature %f and top_p %f: tempered %s', (temperature, top_p, tempered) => {
    const one = joinedOf({
      responses: { p0: [response('a')], pi: [response('a', { temperature, top_p }), response('b')] },
    });
    expect([...one.tempered]).toEqual(tempered ? ['pi'] : []);
    const logger = joinedOf({ responses: { p0: [response('a', { temperature, top_p })], pi: [response('a')] } });
    expect([...logger.tempered]).toEqual(tempered ? ['p0'] : []);
  });

  it.each<[string, object, boolean]>([
    ['of the law that sampled', { temperature: 0.5, top_p: 1, bound: 0.02 }, false],
    ['of another temperature', { temperature: 0.7, top_p: 1, bound: 0.02 }, true],
    ['of another top_p', { temperature: 0.5, top_p: 0.9, bound: 0.02 }, true],
    ['with the widest bound', { temperature: 0.5, top_p: 1, bound: 0.1 }, false],
    ['with too wide a bound', { temperature: 0.5, top_p: 1, bound: 0.1001 }, true],
  ])('values %s: tempered %s', (_, law, tempered) => {
    const own = (prompt_id: string) => ({ ...logprob(prompt_id, -9), as_sampled: { raw: -11, ...law } });
    const cold = { temperature: 0.5 };
    const joined = joinedOf({
      responses: { p0: [response('a', cold), response('b', cold)], pi: [response('a'), response('b')] },
      logprobs: { p0: [own('a'), own('b')], pi: [logprob('a', -8), logprob('b', -8)] },
    });
    expect([...joined.tempered]).toEqual(tempered ? ['p0'] : []);
    expect(joined.asSampled?.get('p0')).toMatchObject({ bound: (law as { bound: number }).bound });
    // A row that is of no law makes all of them of none.
    const mixed = joinedOf({
      responses: { p0: [response('a', cold), response('b', cold)], pi: [response('a'), response('b')] },
      logprobs: { p0: [own('a'), logprob('b', -9)], pi: [logprob('a', -8), logprob('b', -8)] },
    });
    expect([...mixed.tempered]).toEqual(['p0']);
  });

  it('holds values of another law to generation by what they are at temperature 1', () => {
    const check = { generated: -11, agreement: 'agrees', informative: 1, gg: 1, fg: 1, median: 0, largest: 0 };
    const row = (raw: number) => ({
      ...logprob('a', -4),
      check,
      as_sampled: { temperature: 0.5, top_p: 1, raw, bound: 0 },
    });
    const statuses = [-11, -16].map((raw) => {
      const joined = joinedOf({
        responses: { p0: [response('a')], pi: [response('a')] },
        logprobs: { p0: [row(raw)], pi: [] },
        mostApart: { response: 1, token: 0.5 },
      });
      return [...(joined.logprobStatuses.get('p0')?.keys() ?? [])];
    });
    expect(statuses).toEqual([['ok'], ['inconsistent']]);
    const far = joinedOf({
      responses: { p0: [response('a')], pi: [response('a')] },
      logprobs: { p0: [{ ...row(-11), check: { ...check, largest: 0.6 } }], pi: [] },
      mostApart: { response: 1, token: 0.5 },
    });
    expect([...(far.logprobStatuses.get('p0')?.keys() ?? [])]).toEqual(['inconsistent']);
  });

  it('counts words by white space', () => {
    expect(['', ' ', 'a', ' a\tb\n\nc '].map(words)).toEqual([0, 0, 1, 3]);
  });
});

describe('a share of rows', () => {
  it('is rounded up, but for what rounding itself adds', () => {
    expect([sampleSize(10, 0.25), sampleSize(8, 0.25), sampleSize(10, 0.3), sampleSize(10, 1)]).toEqual([3, 2, 3, 10]);
    expect(hashSample(['a', 'b'], 0, 1).size).toBe(0);
    expect(hashSample(['a', 'b', 'c', 'd'], 0.5, 1).size).toBe(2);
    expect(hashSample(['d', 'c', 'b', 'a'], 0.5, 1)).toEqual(hashSample(['a', 'b', 'c', 'd'], 0.5, 1));
  });
});

const logged = (index: number, more: Partial<LoggedRow> = {}): LoggedRow => ({
  prompt_id: `q${index}`,
  judge_score: 0.5,
  judge_variance: 0,
  oracle_label: null,
  base_logprob: -10,
  target_logprobs: { clone: -10, pi: -10 },
  response_words: 5,
  ...more,
});
const fresh = (policy: string, index: number, more: Partial<FreshRow> = {}): FreshRow => ({
  policy,
  prompt_id: `q${index}`,
  judge_score: 0.5,
  judge_variance: 0,
  oracle_label: null,
  response_words: 5,
  ...more,
});
const joinedRows = (rows: readonly LoggedRow[], more: Partial<Joined> = {}): Joined => ({
  logged: rows,
  fresh: [],
  targets: ['clone', 'pi'],
  logprobStatuses: new Map(['p0', 'clone', 'pi'].map((policy) => [policy, new Map([['ok', rows.length]])])),
  tempered: new Set(),
  scoreStatuses: new Map(),
  responseStatuses: new Map(),
  truncated: new Map(),
  ...more,
});
const gates = gatesSchema.parse({ data: {}, overlap: {} });
const quality = (joined: Joined, clone: string | null = 'clone', logger: string | null = 'p0'): DatasetQuality =>
  describeQuality(joined, { scorer: 'judge', logger, clone, gates, seed: 42 });
const gateOf = (of: DatasetQuality, gate: string, policy: string) =>
  of.gates.find((entry) => entry.gate === gate && entry.policy === policy);
/** Log ratio of a weight. */
const ln = (weight: number) => -10 + Math.log(weight);
const rowsWhere = (n: number, more: (index: number) => Partial<LoggedRow>) =>
  Array.from({ length: n }, (_, index) => logged(index, more(index)));

describe('data gates', () => {
  it.each([
    [1, true],
    [2, false],
  ])('of 20 rows %d without a log probability: usable_share passes %s', (missing, passed) => {
    const of = quality(
      joinedRows(
        rowsWhere(20, (i) => (i < missing ? { base_logprob: null, target_logprobs: { clone: -10, pi: null } } : {})),
      ),
    );
    for (const policy of ['p0', 'pi']) {
      expect(gateOf(of, 'usable_share', policy)).toEqual({
        gate: 'usable_share',
        policy,
        passed,
        value: (20 - missing) / 20,
        bound: '≥ 0.95',
      });
    }
    expect(gateOf(of, 'usable_share', 'clone')).toMatchObject({ passed: true, value: 1 });
  });

  it.each([
    [0, true],
    [1, false],
  ])('of 25 rows %d with a log probability of 0: zero_rate passes %s', (zeros, passed) => {
    const of = quality(
      joinedRows(rowsWhere(25, (i) => (i < zeros ? { base_logprob: 0, target_logprobs: { clone: -10, pi: 0 } } : {}))),
    );
    for (const policy of ['p0', 'pi']) {
      expect(gateOf(of, 'zero_rate', policy)).toMatchObject({ passed, value: zeros / 25, bound: '< 0.04' });
    }
    expect(gateOf(of, 'zero_rate', 'clone')).toMatchObject({ passed: true, value: 0 });
  });

  it.each([
    [1, true],
    [2, false],
  ])('of 5 answers %d cut at the token limit: maximum_truncated passes %s', (cut, passed) => {
    const statuses = new Map(Object.entries({ truncated: cut, ok: 5 - cut }));
    const of = quality({
      ...joinedRows(rowsWhere(5, () => ({}))),
      responseStatuses: new Map([['pi', statuses]]),
      truncated: new Map([
        ['pi', cut],
        ['p0', 0],
      ]),
    });
    expect(gateOf(of, 'maximum_truncated', 'pi')).toMatchObject({ passed, value: cut / 5, bound: '≤ 0.2' });
    expect(gateOf(of, 'maximum_truncated', 'p0')).toBeUndefined();
  });

  it('counts zeros among usable rows alone', () => {
    const of = quality(
      joinedRows(rowsWhere(20, (i) => ({ target_logprobs: { clone: -10, pi: i < 10 ? null : i === 10 ? 0 : -10 } }))),
    );
    expect(gateOf(of, 'zero_rate', 'pi')!.value).toBe(0.1);
    expect(of.logprobs.find(({ policy }) => policy === 'pi')).toMatchObject({ usable: 10, zeroRate: 0.1 });
  });

  it.each([
    [0.8, false],
    [0.899, false],
    [0.901, true],
    [1, true],
    [1.099, true],
    [1.101, false],
    [1.2, false],
  ])('a clone that weighs %f: clone_mean_weight passes %s', (weight, passed) => {
    const of = quality(joinedRows(rowsWhere(20, () => ({ target_logprobs: { clone: ln(weight), pi: -10 } }))));
    expect(gateOf(of, 'clone_mean_weight', 'clone')).toMatchObject({
      passed,
      value: expect.closeTo(weight, 12),
      bound: '1 ± 0.1',
      note: `95 % interval ${weight.toFixed(4)} to ${weight.toFixed(4)}`,
    });
    expect(gateOf(of, 'clone_ess', 'clone')).toMatchObject({ passed: true, value: expect.closeTo(1, 12) });
  });

  it.each([
    // Half at 1 − d and half at 1 + d: effective share 1/(1 + d²), which is 0.9 at d = ⅓.
    [0.33, true],
    [0.34, false],
  ])('a clone whose weights are 1 ± %f: clone_ess passes %s', (d, passed) => {
    const of = quality(
      joinedRows(rowsWhere(20, (i) => ({ target_logprobs: { clone: ln(i % 2 === 0 ? 1 - d : 1 + d), pi: -10 } }))),
    );
    expect(gateOf(of, 'clone_ess', 'clone')).toMatchObject({
      passed,
      value: expect.closeTo(1 / (1 + d * d), 12),
      bound: '≥ 0.9 n',
    });
    expect(gateOf(of, 'clone_mean_weight', 'clone')!.passed).toBe(true);
  });

  it('passes at its very bound, and tells the interval of the mean', () => {
    const all = gatesSchema.parse({ data: { clone_ess_share: 1 }, overlap: {} });
    const of = describeQuality(joinedRows(rowsWhere(4, () => ({}))), {
      scorer: 'judge',
      logger: 'p0',
      clone: 'clone',
      gates: all,
      seed: 42,
    });
    expect(gateOf(of, 'clone_ess', 'clone')).toMatchObject({ passed: true, value: 1 });
    // Weights 0.5 and 1.5 twice each: s² = 1/3, and 1.96 · √(1/3/4) = 0.5658.
    const spread = quality(
      joinedRows(rowsWhere(4, (i) => ({ target_logprobs: { clone: ln(i % 2 === 0 ? 0.5 : 1.5), pi: -10 } }))),
    );
    expect(gateOf(spread, 'clone_mean_weight', 'clone')!.note).toBe('95 % interval 0.4342 to 1.5658');
    // One row has no spread, and no score no mean.
    const one = quality(joinedRows(rowsWhere(1, () => ({ judge_score: null }))));
    expect(one.weights[0]).toMatchObject({ n: 1, mean: 1, meanLower: 1, meanUpper: 1 });
    expect(one.scores[0]).toMatchObject({ n: 0, mean: 0, standardDeviation: 0 });
    const scored = quality(joinedRows(rowsWhere(1, () => ({ judge_score: 0.25 }))));
    expect(scored.scores[0]).toMatchObject({ n: 1, mean: 0.25, standardDeviation: 0 });
  });

  it('fail for a clone of which nothing was measured, and are not there without a clone', () => {
    const unmeasured = quality(joinedRows(rowsWhere(20, () => ({ target_logprobs: { clone: null, pi: -10 } }))));
    expect(gateOf(unmeasured, 'clone_mean_weight', 'clone')).toEqual({
      gate: 'clone_mean_weight',
      policy: 'clone',
      passed: false,
      value: null,
      bound: '1 ± 0.1',
    });
    expect(gateOf(unmeasured, 'clone_ess', 'clone')).toMatchObject({ passed: false, value: null });
    const none = quality(joinedRows(rowsWhere(20, () => ({}))), null);
    expect(none.gates.filter(({ gate }) => CLONE_GATES.has(gate))).toEqual([]);
    expect([...CLONE_GATES]).toEqual(['clone_mean_weight', 'clone_ess']);
  });
});

describe('quality', () => {
  it('marks as tempered a policy that is, and every policy where the logger is', () => {
    const marks = (...policies: string[]) =>
      quality(joinedRows([logged(0)], { tempered: new Set(policies) })).logprobs.map(({ policy, tempered }) => [
        policy,
        tempered,
      ]);
    expect(marks()).toEqual([
      ['p0', false],
      ['clone', false],
      ['pi', false],
    ]);
    expect(marks('pi')).toEqual([
      ['p0', false],
      ['clone', false],
      ['pi', true],
    ]);
    expect(marks('p0')).toEqual([
      ['p0', true],
      ['clone', true],
      ['pi', true],
    ]);
  });

  it('sums weights up: mean and its interval, effective rows, quantiles, a histogram', () => {
    // Weights 0.5, 1, 1, 1.5: sd √(0.5/3), over √4; effective 16/4.5.
    const of = quality(
      joinedRows([0.5, 1, 1.5, 1].map((w, i) => logged(i, { target_logprobs: { clone: -10, pi: ln(w) } }))),
    );
    const [clone, pi] = of.weights;
    expect(pi).toMatchObject({
      policy: 'pi',
      n: 4,
      mean: expect.closeTo(1, 12),
      meanLower: expect.closeTo(1 - 1.959963985 * Math.sqrt(0.5 / 12), 8),
      meanUpper: expect.closeTo(1 + 1.959963985 * Math.sqrt(0.5 / 12), 8),
      ess: expect.closeTo(16 / 4.5, 12),
      histogramFrom: expect.closeTo(Math.log(0.5), 12),
      histogramTo: expect.closeTo(Math.log(1.5), 12),
    });
    expect(pi!.logRatioQuantiles).toHaveLength(9);
    expect(pi!.logRatioQuantiles[0]).toBeCloseTo(Math.log(0.5), 12);
    expect(pi!.logRatioQuantiles[4]).toBeCloseTo(0, 12);
    // A quarter of the way, at (n − 1)/4 = 0.75 of the first step.
    expect(pi!.logRatioQuantiles[3]).toBeCloseTo(0.25 * Math.log(0.5), 12);
    // 40 bins from ln 0.5 to ln 1.5: 0 lies 0.6309 along, in the 26th.
    expect(pi!.histogram).toHaveLength(40);
    expect([pi!.histogram[0], pi!.histogram[25], pi!.histogram[39]]).toEqual([1, 2, 1]);
    expect(clone!.histogram[0]).toBe(4);
    // Typical at 90 %: surprisals per word fall with the weight, so 1.5, 1, 1 hold 3.5 of 4: all four are needed.
    expect(pi!.typicality).toEqual({ coverage: 1, factor: expect.closeTo(Math.sqrt(4.5 / 4), 12) });
    expect(quality(joinedRows([logged(0)])).weights[0]!.typicality).toEqual({ coverage: 1, factor: 1 });
    const unknown = quality(joinedRows([logged(0), logged(1, { response_words: null })]));
    expect(unknown.weights[0]!.typicality).toBeNull();
  });

  it('counts labels by what they are for, and rows, prompts and scores', () => {
    const of = quality(
      joinedRows([logged(0, { oracle_label: 0.2 }), logged(1, { oracle_label: 0.4, judge_score: null }), logged(2)], {
        fresh: [
          fresh('pi', 0, { oracle_label: 0.5, judge_score: 0.25 }),
          fresh('pi', 7, { judge_score: 0.625 }),
          fresh('pi', 1, { judge_score: 1 }),
          fresh('clone', 0),
        ],
        scoreStatuses: new Map([
          [
            'pi',
            new Map([
              ['unparseable', 3],
              ['ok', 2],
            ]),
          ],
        ]),
      }),
    );
    expect(of).toMatchObject({
      rows: 3,
      prompts: 4,
      labels: { calibration: 2, validation: { clone: 0, pi: 1 } },
      calibration: null,
      transport: [],
    });
    const [p0, , pi] = of.scores;
    expect(p0).toMatchObject({ policy: 'p0', n: 2, mean: 0.5, standardDeviation: 0, unparseable: 0 });
    // 0.25, 0.625, 1: two deviations of 0.375 over 2.
    expect(pi).toMatchObject({ n: 3, mean: 0.625, standardDeviation: expect.closeTo(0.375, 12), unparseable: 3 });
    // Twenty bins of 0.05, the last closed.
    expect([pi!.histogram[5], pi!.histogram[12], pi!.histogram[19]]).toEqual([1, 1, 1]);
    expect(of.missing).toEqual({ 'judge score of pi: unparseable': 3 });
  });

  it('names what is missing, from each kind of row', () => {
    const of = quality(
      joinedRows([logged(0)], {
        responseStatuses: new Map([
          [
            'p0',
            new Map([
              ['ok', 5],
              ['filtered', 2],
            ]),
          ],
        ]),
        truncated: new Map([
          ['p0', 4],
          ['pi', 0],
        ]),
        scoreStatuses: new Map([
          [
            'pi',
            new Map([
              ['ok', 5],
              ['refused', 1],
            ]),
          ],
        ]),
        logprobStatuses: new Map([
          [
            'pi',
            new Map([
              ['ok', 5],
              ['shape', 3],
            ]),
          ],
        ]),
        notes: { 'rows left out': 6 },
      }),
    );
    expect(of.missing).toEqual({
      'response of p0: filtered': 2,
      'response of p0 cut at the token limit': 4,
      'judge score of pi: refused': 1,
      'log probability under pi: shape': 3,
      'rows left out': 6,
    });
  });

  // Ten labelled rows: five at score 0 with mean label 0.2, five at 1 with mean label 0.8.
  const labelledRows = (count: number) =>
    rowsWhere(Math.max(count, 12), (i) => ({
      judge_score: i % 2,
      oracle_label: i < count ? (i % 2 === 0 ? 0.2 : 0.8) : null,
    }));

  it('draws a curve from ten labels on, not from nine', () => {
    expect(quality(joinedRows(labelledRows(9))).calibration).toBeNull();
    const { calibration } = quality(joinedRows(labelledRows(10)));
    expect(calibration!.points).toHaveLength(10);
    expect(calibration!.curve).toHaveLength(101);
    expect(calibration!.curve[0]).toEqual([0, expect.closeTo(0.2, 12)]);
    expect(calibration!.curve[100]).toEqual([1, expect.closeTo(0.8, 12)]);
    expect(calibration!.curve[50]![0]).toBe(0.5);
  });

  it('draws a thousand points at the most', () => {
    const pointsOf = (labels: number) => quality(joinedRows(labelledRows(labels))).calibration!.points.length;
    expect([pointsOf(1_000), pointsOf(1_001)]).toEqual([1_000, 1_000]);
  });

  it('tells its error out of five folds, and audits with the 95 % interval', () => {
    // Labels that scatter, so that each fold's levels differ a little.
    const rows = labelledRows(40).map((row, i) => ({ ...row, oracle_label: row.oracle_label! + 0.01 * (i % 7) }));
    const own = Array.from({ length: 20 }, (_, i) =>
      fresh('clone', i, { judge_score: i % 2, oracle_label: (i % 2 === 0 ? 0.2 : 0.8) + (i % 4 < 2 ? 0.06 : 0.02) }),
    );
    const { calibration } = quality(joinedRows(rows));
    const scores = Float64Array.from(rows, (row) => row.judge_score!);
    const labels = Float64Array.from(rows, (row) => row.oracle_label!);
    const ids = rows.map((row) => row.prompt_id);
    const fit = calibrateRewards(inputsOf(scores, []), labels, ids, {
      mode: 'auto',
      folds: 5,
      seed: 42,
      jackknifeGroups: null,
    });
    expect(calibration!.rmse).toBeCloseTo(fit.diagnostics.outOfFoldRmse, 12);
    // Residuals of 0.06 and 0.02: (20/19) · 20 · 0.02²/20², and t of 19 degrees of freedom.
    const [audit] = quality(joinedRows(labelledRows(10), { fresh: own })).transport;
    const half = 2.093024054408263 * Math.sqrt(((20 / 19) * 0.0004) / 20);
    expect(audit).toMatchObject({ lower: expect.closeTo(0.04 - half, 9), upper: expect.closeTo(0.04 + half, 9) });
  });

  it('audits each target’s own labels against it, with the gates’ margin', () => {
    const own = (policy: string, bias: number) =>
      Array.from({ length: 30 }, (_, i) =>
        fresh(policy, i, { judge_score: i % 2, oracle_label: i < 20 ? (i % 2 === 0 ? 0.2 : 0.8) + bias : null }),
      );
    const joined = joinedRows(labelledRows(10), { fresh: [...own('clone', 0.04), ...own('pi', -0.06)] });
    const { transport } = quality(joined);
    expect(transport).toMatchObject([
      { policy: 'clone', state: 'pass', labels: 20, bias: expect.closeTo(0.04, 12), margin: 0.05 },
      { policy: 'pi', state: 'fail', labels: 20, bias: expect.closeTo(-0.06, 12), margin: 0.05 },
    ]);
    const wide = gatesSchema.parse({ data: {}, overlap: { transport_margin: 0.07 } });
    expect(
      describeQuality(joined, { scorer: 'judge', logger: 'p0', clone: null, gates: wide, seed: 42 }).transport.map(
        ({ state }) => state,
      ),
    ).toEqual(['pass', 'pass']);
    const one = quality(
      joinedRows(labelledRows(10), { fresh: [fresh('pi', 0, { judge_score: 1, oracle_label: 0.9 })] }),
    ).transport[1]!;
    expect(one).toMatchObject({
      labels: 1,
      bias: expect.closeTo(0.1, 12),
      lower: null,
      upper: null,
      detectableBias: null,
      labelsToPass: null,
    });
  });

  it('without a log: the draws calibrate, nothing is held back and nothing is audited', () => {
    const of = quality(
      joinedRows([], { fresh: [fresh('pi', 0, { oracle_label: 0.5 }), fresh('clone', 0)], logprobStatuses: new Map() }),
      null,
      null,
    );
    expect(of).toMatchObject({
      logger: null,
      rows: 2,
      labels: { calibration: 1, validation: {} },
      transport: [],
      logprobs: [],
      gates: [],
    });
  });
});

it('a dataset is heavy by the number of the logger’s responses alone', () => {
  const params = { scorer: '', logger: 'p0', clone: '', gates, seed: 1 };
  const heavy = (of: Readonly<Record<string, number>>) =>
    dataset.heavy!(params, { one: () => 0, many: () => new Map(Object.entries(of)) });
  expect([heavy({ p0: 1999, pi: 5000 }), heavy({ p0: 2000, pi: 1 }), heavy({ pi: 5000 })]).toEqual([
    false,
    true,
    false,
  ]);
});

describe('columns for the estimators', () => {
  const data = (logger: string | null) =>
    evaluationData(
      input({
        rows: [
          logged(0, { oracle_label: 0.3, judge_variance: 0.02, target_logprobs: { pi: -11, clone: null } }),
          logged(1, { judge_score: null, base_logprob: null }),
        ],
        files: {
          'fresh.jsonl': [
            fresh('pi', 0, { oracle_label: 0.9, response_words: 7 }),
            fresh('pi', 0, { judge_score: 0.1 }),
            fresh('pi', 1, { draw_index: 5 }),
          ],
          'quality.json': JSON.stringify({ targets: ['pi', 'clone'], logger }),
        },
      }),
    );

  it('hold each value in its own, NaN where there is none', () => {
    const { logged: log, freshDraws, policies } = data('p0');
    expect(policies).toEqual(['pi', 'clone']);
    expect(log.promptIds).toEqual(['q0', 'q1']);
    expect([...log.judgeScores]).toEqual([0.5, Number.NaN]);
    expect([...log.judgeVariances]).toEqual([0.02, 0]);
    expect([...log.oracleLabels]).toEqual([0.3, Number.NaN]);
    expect([...log.baseLogprobs]).toEqual([-10, Number.NaN]);
    expect([...log.responseLengths]).toEqual([5, 5]);
    expect([...log.targetLogprobs.get('pi')!]).toEqual([-11, -10]);
    expect([...log.targetLogprobs.get('clone')!]).toEqual([Number.NaN, -10]);
    const pi = freshDraws.get('pi')!;
    expect([...pi.drawIndexes]).toEqual([0, 1, 5]);
    expect([...pi.oracleLabels]).toEqual([0.9, Number.NaN, Number.NaN]);
    expect([...pi.judgeScores]).toEqual([0.5, 0.1, 0.5]);
    expect([...pi.responseLengths]).toEqual([7, 5, 5]);
  });

  it('without a logger are the pooled draws, without log probabilities', () => {
    const pooled = data(null);
    expect(pooled.pooled).toBe(true);
    expect(data('p0').pooled).toBeUndefined();
    expect(pooled.logged.promptIds).toEqual(['q0', 'q0', 'q1']);
    expect([...pooled.logged.oracleLabels]).toEqual([0.9, Number.NaN, Number.NaN]);
    expect(pooled.logged.baseLogprobs.every(Number.isNaN)).toBe(true);
  });
});
