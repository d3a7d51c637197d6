import { clusterIndex } from '../data/clustering.ts';
import type { EvaluationData, FreshDraws } from '../data/data.ts';
import { labelWeights } from '../data/label-weights.ts';
import { concatenate, indicesWhere, range, take } from '../numeric/moments.ts';
import { kolmogorovSmirnovP, rankSumP, weightedRankP } from '../numeric/rank-tests.ts';

/** One comparison of labelled with unlabelled responses of one writer. */
export interface BalanceTest {
  /** What differs, or does not. */
  readonly of: 'judge score' | 'response length';
  readonly test: 'rank-sum' | 'Kolmogorov–Smirnov';
  /** Adjusted for all tests of the data set (Bonferroni), at most 1. */
  readonly pValue: number;
}

/** The test with the smallest p of each group of responses; null where nothing could be tested. */
export interface LabelBalance {
  readonly log: BalanceTest | null;
  readonly draws: ReadonlyMap<string, BalanceTest | null>;
  /** Of a policy's probe against its draws without a label. */
  readonly probes: ReadonlyMap<string, BalanceTest | null>;
}

type Columns = Pick<FreshDraws, 'promptIds' | 'judgeScores' | 'oracleLabels' | 'responseLengths' | 'labelPropensities'>;

const LEAST_FOR_LIMIT_LAW = 8;

const known = new WeakMap<EvaluationData, LabelBalance>();

/**
 * Whether labelled responses look like the others, by rank-sum test (clustered by prompt where prompts repeat) and, where
 * they do not, Kolmogorov–Smirnov test of judge scores and of response lengths. It shows imbalance, not innocence: labels
 * that are missing by their own value at equal scores cannot be seen. Labels drawn with known probabilities are held
 * against all responses by 1/π. Of pooled draws each policy is tested by itself, as policies may have different shares of
 * labels. A probe stands for its policy's draws too: it is held against them, unless its own probabilities are known.
 */
export function labelBalance(data: EvaluationData): LabelBalance {
  let balance = known.get(data);
  if (balance === undefined) {
    const log = data.pooled === true ? [] : testsOf(data.logged);
    const draws = data.policies.map((policy) => {
      const own = data.freshDraws.get(policy);
      return [policy, own === undefined ? [] : testsOf(own)] as const;
    });
    const probes = [...(data.probes ?? [])].map(([policy, probe]) => {
      const own = data.freshDraws.get(policy);
      const weighed = own === undefined || probe.labelPropensities !== undefined;
      return [policy, weighed ? [] : testsOf(probeAmong(probe, own))] as const;
    });
    const count = [...draws, ...probes].reduce((total, [, tests]) => total + tests.length, log.length);
    const least = (of: typeof draws) => new Map(of.map(([policy, tests]) => [policy, smallest(tests, count)]));
    balance = { log: smallest(log, count), draws: least(draws), probes: least(probes) };
    known.set(data, balance);
  }
  return balance;
}

/** A probe's labelled responses, and the policy's draws as responses without a label. */
function probeAmong(probe: FreshDraws, own: FreshDraws): Columns {
  const labelled = indicesWhere(probe.oracleLabels.length, (i) => !Number.isNaN(probe.oracleLabels[i]!));
  const joined = (of: (draws: FreshDraws) => Float64Array) => concatenate([take(of(probe), labelled), of(own)]);
  return {
    promptIds: [...Array.from(labelled, (i) => probe.promptIds[i]!), ...own.promptIds],
    judgeScores: joined((of) => of.judgeScores),
    responseLengths: joined((of) => of.responseLengths),
    oracleLabels: concatenate([
      take(probe.oracleLabels, labelled),
      new Float64Array(own.promptIds.length).fill(Number.NaN),
    ]),
  };
}

function smallest(tests: readonly BalanceTest[], count: number): BalanceTest | null {
  const [first, ...rest] = tests;
  if (first === undefined) return null;
  const least = rest.reduce((best, test) => (test.pValue < best.pValue ? test : best), first);
  return { ...least, pValue: Math.min(1, least.pValue * count) };
}

function testsOf(columns: Columns): BalanceTest[] {
  const { promptIds, judgeScores, oracleLabels, responseLengths } = columns;
  const weights = labelWeights(columns);
  const labelled = (i: number) => !Number.isNaN(oracleLabels[i]!);
  const count = oracleLabels.reduce((total, y) => total + (Number.isNaN(y) ? 0 : 1), 0);
  if (count === 0 || count === oracleLabels.length) return [];
  const { of: cluster, count: prompts } = clusterIndex(promptIds);
  const repeats = prompts < promptIds.length;
  return (
    [
      ['judge score', judgeScores],
      ['response length', responseLengths],
    ] as const
  ).flatMap(([of, values]): BalanceTest[] => {
    const rows = Int32Array.from(values, (_, i) => i).filter((i) => !Number.isNaN(values[i]!));
    const present = Float64Array.from(rows, (i) => values[i]!);
    const [low, high] = range(present);
    if (!(high > low)) return [];
    const inFirst = (i: number) => labelled(rows[i]!);
    if (weights !== null) {
      const ofRows = Float64Array.from(rows, (i) => (labelled(i) ? weights[i]! : 0));
      const clusters = Int32Array.from(rows, (i) => cluster[i]!);
      return [{ of, test: 'rank-sum', pValue: weightedRankP(present, ofRows, clusters) }];
    }
    if (repeats) {
      const clusters = Int32Array.from(rows, (i) => cluster[i]!);
      return [{ of, test: 'rank-sum', pValue: rankSumP(present, inFirst, clusters) }];
    }
    const ranks: BalanceTest = { of, test: 'rank-sum', pValue: rankSumP(present, inFirst) };
    const marked = rows.reduce((total, row) => total + (labelled(row) ? 1 : 0), 0);
    // The limit law's p is too small in tiny groups.
    if (Math.min(marked, rows.length - marked) < LEAST_FOR_LIMIT_LAW) return [ranks];
    return [ranks, { of, test: 'Kolmogorov–Smirnov', pValue: kolmogorovSmirnovP(present, inFirst) }];
  });
}
