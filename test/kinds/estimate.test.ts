/** Kind `estimate`: which gates refuse which policy, what is marked as tempered, and how results become rows. */

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/core/json.ts';
import { gatesSchema } from '../../src/datasets/gates-file.ts';
import type { DatasetQuality, EstimateRow, GateResult, PolicyComparisons } from '../../src/datasets/results.ts';
import { estimate } from '../../src/kinds/estimate.ts';
import { ablationSchema } from '../../src/kinds/files/ablation.ts';
import { benjaminiHochberg } from '../../src/stats/inference/comparison.ts';
import { input, inputs } from './support.ts';

const N = 40;
const POLICIES = ['clone', 'pi', 'rho'];
/** Scores 0, 0.1 … 0.9 in turn, with labels a little above or below a line. */
const scoreOf = (i: number) => (i % 10) / 10;
const labelOf = (i: number) => 0.1 + 0.8 * scoreOf(i) + (i % 20 < 10 ? 0.05 : -0.05);
const rows = (variance = 0) =>
  Array.from({ length: N }, (_, i) => ({
    prompt_id: `q${i}`,
    judge_score: scoreOf(i),
    judge_variance: variance,
    oracle_label: labelOf(i),
    base_logprob: -10,
    // A log ratio that rises a little with the score; its mean weight is near 1.
    target_logprobs: Object.fromEntries(POLICIES.map((policy, p) => [policy, -10 + 0.1 * p * (scoreOf(i) - 0.45)])),
    response_words: 5,
  }));
const fresh = POLICIES.flatMap((policy, p) =>
  Array.from({ length: N }, (_, i) => ({
    policy,
    prompt_id: `q${i}`,
    judge_score: Math.min(scoreOf(i) + 0.02 * p, 0.9),
    judge_variance: 0,
    oracle_label: null,
    response_words: 5,
  })),
);

interface Given {
  readonly gates?: readonly Partial<GateResult>[];
  readonly tempered?: readonly string[];
  readonly ablation?: object;
  readonly logged?: readonly object[];
}

function work({ gates = [], tempered = [], ablation = {}, logged = rows() }: Given) {
  const quality: Partial<DatasetQuality> = {
    logger: 'p0',
    targets: POLICIES,
    gates: gates.map((gate) => ({
      gate: 'usable_share',
      policy: null,
      passed: false,
      value: 0.5,
      bound: '≥ 0.95',
      ...gate,
    })),
    logprobs: ['p0', ...POLICIES].map((policy) => ({
      policy,
      usable: N,
      zeroRate: 0,
      statuses: {},
      tempered: tempered.includes(policy),
    })),
  };
  const params = {
    name: 'the-name',
    scorer: 'judge',
    ablation: ablationSchema.parse({ estimator: 'snips', ...ablation }),
    gates: gatesSchema.parse({ data: {}, overlap: {} }),
  };
  const dataset = input({ rows: logged, files: { 'fresh.jsonl': fresh, 'quality.json': JSON.stringify(quality) } });
  return { params, dataset: inputs({ dataset }) };
}

async function run(given: Given) {
  const { params, dataset } = work(given);
  const outputs = await estimate.run(params, dataset);
  return {
    ...ofTargets(
      [...(outputs.files['rows.jsonl'] as Iterable<JsonObject>)] as EstimateRow[],
      parse(outputs.files['comparisons.json'] as string) as PolicyComparisons,
    ),
    refusal: outputs.refusal,
  };
}

/** Apart from the policy that wrote the log, which comes last and has tests of its own. */
function ofTargets(all: readonly EstimateRow[], comparisons: PolicyComparisons) {
  const rows = all.filter(({ policy }) => policy !== 'p0');
  const pairs = comparisons.pairs.filter(({ b }) => b !== 'p0');
  return { rows, logger: all.find(({ policy }) => policy === 'p0'), comparisons: { ...comparisons, pairs } };
}
const verdicts = (of: readonly EstimateRow[]) =>
  Object.fromEntries(of.map((row) => [row.policy, row.status === 'ok' ? 'ok' : row.gate]));
const everyone = (verdict: string) => Object.fromEntries(POLICIES.map((policy) => [policy, verdict]));

describe('a failed data gate', () => {
  it('of one policy refuses that policy alone, and leaves it out of the comparisons', async () => {
    const { rows: of, comparisons, refusal } = await run({ gates: [{ policy: 'pi' }] });
    expect(verdicts(of)).toEqual({ clone: 'ok', pi: 'usable_share', rho: 'ok' });
    expect(comparisons.pairs.map(({ a, b }) => [a, b])).toEqual([['clone', 'rho']]);
    expect(comparisons.ranks.map(({ policy }) => policy).sort()).toEqual(['clone', 'p0', 'rho']);
    expect(refusal).toBeUndefined();
    expect(of[1]).toMatchObject({ reason: 'the data gate usable_share of pi failed: 0.5000, must be ≥ 0.95', n: N });
  });

  it('of the first policy alone does not refuse the node', async () => {
    const { rows: of, refusal } = await run({ gates: [{ policy: 'clone' }] });
    expect(verdicts(of)).toEqual({ clone: 'usable_share', pi: 'ok', rho: 'ok' });
    expect(refusal).toBeUndefined();
  });

  it('of the logger refuses every policy: all weights are over its log probabilities', async () => {
    const { rows: of, comparisons, refusal } = await run({ gates: [{ policy: 'p0' }] });
    expect(verdicts(of)).toEqual(everyone('usable_share'));
    expect(comparisons.pairs).toEqual([]);
    expect(refusal).toBe('the data gate usable_share of p0 failed: 0.5000, must be ≥ 0.95');
  });

  it('of the logger does not refuse the logger, which is measured on what it wrote; cut answers do', async () => {
    const { logger, refusal } = await run({ gates: [{ policy: 'p0' }], tempered: ['p0'] });
    expect(logger).toMatchObject({ status: 'ok', n: N, tempered: false });
    expect(refusal).toBeDefined();
    const cut = await run({ gates: [{ gate: 'maximum_truncated', policy: 'p0' }] });
    expect(cut.logger).toMatchObject({ status: 'refused', gate: 'maximum_truncated' });
    expect((await run({ ablation: { mode: 'parity' } })).logger).toBeUndefined();
  });

  it.each(['clone_mean_weight', 'clone_ess'])(
    '%s of the clone refuses every policy: it judges the measurement',
    async (gate) => {
      const { rows: of } = await run({ gates: [{ gate, policy: 'clone', value: null }] });
      expect(verdicts(of)).toEqual(everyone(gate));
      expect(of[0]).toMatchObject({
        reason: expect.stringContaining('not computable'),
        collect: expect.stringContaining('must weigh 1'),
      });
    },
  );

  it('of the clone’s own log probabilities refuses the clone alone', async () => {
    expect(verdicts((await run({ gates: [{ gate: 'zero_rate', policy: 'clone' }] })).rows)).toEqual({
      clone: 'zero_rate',
      pi: 'ok',
      rho: 'ok',
    });
  });

  it('of cut answers refuses its policy for every estimator, and the log’s for those that weigh it', async () => {
    const cut = (policy: string) => [{ gate: 'maximum_truncated', policy, value: 0.5, bound: '≤ 0.2' }];
    const direct = { estimator: 'direct' } as const;
    const others = { clone: 'ok', rho: 'ok' };
    expect(verdicts((await run({ gates: cut('pi'), ablation: direct })).rows)).toEqual({
      ...others,
      pi: 'maximum_truncated',
    });
    expect(verdicts((await run({ gates: cut('pi') })).rows)).toEqual({ ...others, pi: 'maximum_truncated' });
    expect(verdicts((await run({ gates: cut('p0'), ablation: direct })).rows)).toEqual({ ...others, pi: 'ok' });
    const { rows: of } = await run({ gates: cut('p0') });
    expect(verdicts(of)).toEqual(everyone('maximum_truncated'));
    expect(of[0]).toMatchObject({ collect: expect.stringContaining('Raise max_tokens of p0') });
  });

  it('that passed refuses nobody', async () => {
    const gates = [
      { policy: 'p0', passed: true },
      { gate: 'clone_ess', policy: 'clone', passed: true },
    ];
    expect(verdicts((await run({ gates })).rows)).toEqual(everyone('ok'));
  });

  it.each(['naive', 'direct'])('refuses nothing of %s, which reads no log probability', async (estimator) => {
    expect(
      verdicts((await run({ gates: [{ policy: 'p0' }, { policy: 'pi' }], ablation: { estimator } })).rows),
    ).toEqual(everyone('ok'));
  });

  it('warns in parity, on the policies that it would have refused', async () => {
    const warned = async (policy: string, estimator = 'snips') =>
      (await run({ gates: [{ policy }], ablation: { mode: 'parity', estimator } })).rows.map(
        (row) => row.status === 'ok' && row.warnings.some(({ text }) => text.includes('usable_share')),
      );
    expect(await warned('pi')).toEqual([false, true, false]);
    expect(await warned('p0')).toEqual([true, true, true]);
    expect(await warned('p0', 'direct')).toEqual([false, false, false]);
  });
});

describe('the tempered mark', () => {
  it.each([
    ['snips', ['pi'], [false, true, false]],
    ['dr-cpo', ['clone', 'rho'], [true, false, true]],
    ['ips', [], [false, false, false]],
    ['direct', ['clone', 'pi', 'rho'], [false, false, false]],
    ['naive', ['pi'], [false, false, false]],
  ])('%s with %j tempered', async (estimator, tempered, marks) => {
    expect((await run({ tempered, ablation: { estimator } })).rows.map((row) => row.tempered)).toEqual(marks);
  });
});

describe('a row', () => {
  it('holds the parts of the estimate in their own columns', async () => {
    const { rows: of, comparisons } = await run({
      ablation: { estimator: 'dr-cpo' },
      logged: rows().map((row, i) => (i % 2 === 0 ? row : { ...row, oracle_label: null })),
    });
    const [clone] = of;
    if (clone?.status !== 'ok') throw new Error(clone?.reason);
    expect(clone).toMatchObject({ scorer: 'judge', ablation: 'the-name', estimator: 'dr-cpo', policy: 'clone', n: N });
    const { standardError, samplingStandardError, oracleStandardError, extrapolationStandardError, sharedVariance } =
      clone;
    expect(
      samplingStandardError ** 2 + oracleStandardError ** 2 + sharedVariance + extrapolationStandardError ** 2,
    ).toBeCloseTo(standardError ** 2, 14);
    expect(oracleStandardError).toBeGreaterThan(0);
    expect(clone.lower).toBeLessThan(clone.estimate);
    expect(clone.upper).toBeGreaterThan(clone.estimate);
    expect(clone.diagnostics).toEqual({ ess: N, rawEss: N, meanRawWeight: 1, tailIndex: null, maxWeightShare: 1 / N });
    expect(comparisons.confidence).toBeCloseTo(0.95, 12);
    for (const pair of comparisons.pairs) {
      expect(pair.lower).toBeLessThan(pair.difference);
      expect(pair.upper).toBeGreaterThan(pair.difference);
      expect(pair.simultaneousLower).toBeLessThanOrEqual(pair.lower);
      expect(pair.simultaneousUpper).toBeGreaterThanOrEqual(pair.upper);
      expect(pair.upper - pair.difference).toBeCloseTo(pair.difference - pair.lower, 12);
      expect(pair.simultaneousUpper - pair.difference).toBeCloseTo(pair.difference - pair.simultaneousLower, 12);
      expect(pair.discoveryP).toBeGreaterThanOrEqual(pair.pValue);
      expect(pair.familyP).toBeGreaterThanOrEqual(pair.pValue);
    }
    expect(comparisons.pairs.map((pair) => pair.discoveryP)).toEqual(
      benjaminiHochberg(comparisons.pairs.map((pair) => pair.pValue)),
    );
    for (const { rank, bestRank, worstRank } of comparisons.ranks) {
      expect(bestRank).toBeLessThanOrEqual(rank);
      expect(worstRank).toBeGreaterThanOrEqual(rank);
    }
    expect(comparisons.ranks.reduce((sum, { probabilityOfBest }) => sum + probabilityOfBest, 0)).toBeCloseTo(1, 9);
  });

  it('tells the judge’s own error where the judge states one, and where the ablation says so', async () => {
    const errorOf = async (variance: number, ablation = {}) => {
      const [row] = (await run({ logged: rows(variance), ablation: { reward_calibration: 'none', ...ablation } })).rows;
      return row?.status === 'ok' ? row.judgeStandardError : undefined;
    };
    // Weights of 1, variance 0.04 on 40 rows: √(0.04/40).
    expect(await errorOf(0.04)).toBeCloseTo(Math.sqrt(0.001), 12);
    expect(await errorOf(0)).toBe(0);
    expect(await errorOf(0.04, { judge_uncertainty: false })).toBe(0);
  });

  it('of a refused estimate says why, and nothing that is no finite number gets into one', async () => {
    const short = await run({ logged: rows().slice(0, 29), ablation: { reward_calibration: 'none' } });
    expect(verdicts(short.rows)).toEqual(everyone('too-few-rows'));
    expect(short.refusal).toContain('rows');
    const wild = rows().map((row) => ({ ...row, base_logprob: -2000 }));
    const { rows: of } = await run({
      logged: wild,
      ablation: { estimator: 'ips', mode: 'parity', reward_calibration: 'none' },
    });
    expect(verdicts(of)).toEqual(everyone('not-finite'));
  });

  it('is heavy by resampling or by the number of rows', () => {
    const params = (inference: 'analytic' | 'bootstrap') => ({
      name: '',
      scorer: '',
      ablation: ablationSchema.parse({ estimator: 'direct', inference }),
      gates: gatesSchema.parse({ data: {}, overlap: {} }),
    });
    const sizes = (dataset: number) => ({ one: () => dataset, many: () => new Map<string, number>() });
    expect(estimate.heavy!(params('analytic'), sizes(1999))).toBe(false);
    expect(estimate.heavy!(params('analytic'), sizes(2000))).toBe(true);
    expect(estimate.heavy!(params('bootstrap'), sizes(1))).toBe(true);
  });

  it.each([
    ['estimates', rows()],
    ['refusals, as there are no labels', rows().map((row) => ({ ...row, oracle_label: null }))],
  ])('writes the same %s from blocks of replicates as in one piece', async (what, logged) => {
    const { params, dataset } = work({
      ablation: { estimator: 'direct', inference: 'bootstrap', replicates: 100 },
      logged,
    });
    const { units, rows: unitsOf, join } = estimate.blocks!;
    expect(units(params)).toBe(100);
    const made = [0, 33, 99].map((from, block) => {
      const of = [...unitsOf(params, dataset, from)].slice(0, [33, 66, 1][block]);
      return of.flat();
    });
    expect(made.map(({ length }) => length)).toEqual(what === 'estimates' ? [33, 66, 1] : [0, 0, 0]);
    // Blocks travel as text.
    const joined = join(params, dataset, JSON.parse(JSON.stringify(made.flat())) as JsonObject[]);
    const whole = await estimate.run(params, dataset);
    expect(whole.refusal === undefined).toBe(what === 'estimates');
    expect(joined).toEqual(whole);
    if (what === 'estimates')
      expect(() => join(params, dataset, made.slice(1).flat())).toThrow('67 replicates, not 100');
  });

  it('is one piece without a bootstrap', () => {
    expect(estimate.blocks!.units(work({}).params)).toBe(1);
  });
});
