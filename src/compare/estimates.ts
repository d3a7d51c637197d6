/** How far the estimates of two builds differ, paired by prompt where both can be computed again. */

import { ProblemError } from '../core/problem.ts';
import { DamageError } from '../core/storage.ts';
import { QUALITY } from '../datasets/dataset-rows.ts';
import { rankedData } from '../datasets/evaluation-data.ts';
import type { DatasetQuality } from '../datasets/results.ts';
import { DATASET, ESTIMATES } from '../datasets/row-types.ts';
import type { Scale } from '../datasets/scale.ts';
import { unitsOf } from '../datasets/units.ts';
import type { EstimateParams } from '../kinds/estimate.ts';
import { estimatorSettings } from '../kinds/files/ablation.ts';
import { DATA, REPORT_JSON, type ReportData } from '../report/model/data.ts';
import { diffEstimates, type EstimateChange, type ToldEstimates } from '../report/model/difference.ts';
import { headlineRanking, type Ranking, rankPolicies } from '../report/model/ranking.ts';
import { comparePolicies, type EstimateResult, estimate } from '../stats/index.ts';
import type { BuiltNode, PastBuild } from './past-build.ts';

/** The difference of one policy's estimates, with the interval that counts the prompts that both share. */
interface PairedDifference {
  readonly difference: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
}

export type ComparedEstimate = EstimateChange & {
  /** True for the ablation that the report leads with. */
  readonly leading: boolean;
  /** Null where it was not asked for, where one side cannot be computed again by this version, or where one side gave no estimate. */
  readonly paired: PairedDifference | null;
};

export interface ComparedEstimates {
  readonly changes: readonly ComparedEstimate[];
  readonly unchanged: number;
}

/** @param all pair every ablation and not the leading one alone: each computes two estimates again. */
export function compareEstimates(
  a: PastBuild,
  b: PastBuild,
  leadingName: string | undefined,
  all: boolean,
): ComparedEstimates {
  const before = a.writing(ESTIMATES);
  const after = b.writing(ESTIMATES);
  const told = (past: PastBuild, nodes: readonly BuiltNode[]): ToldEstimates => ({
    estimates: nodes.flatMap((node) => [...past.read(node).rows(ESTIMATES)]),
    quality: past.writing(DATASET).flatMap((node) => qualityOf(past, node) ?? []),
  });
  const { changes, unchanged } = diffEstimates(told(a, before), told(b, after));
  const results = new Map<string, readonly [Again, Again] | undefined>();
  const resultsOf = (scorer: string, ablation: string) => {
    const name = JSON.stringify([scorer, ablation]);
    if (!results.has(name)) {
      const [old, now] = [again(a, before, scorer, ablation), again(b, after, scorer, ablation)];
      results.set(name, old === undefined || now === undefined ? undefined : [old, now]);
    }
    return results.get(name);
  };
  const paired = changes.map((change): ComparedEstimate => {
    const { scorer, ablation, policy } = change;
    const leading = ablation === leadingName;
    if (change.type !== 'moved' || !(all || leading)) return { ...change, leading, paired: null };
    return { ...change, leading, paired: pairedDifference(resultsOf(scorer, ablation), policy) };
  });
  return { changes: paired, unchanged };
}

/** Undefined where it is no longer in the cache: it says the scale alone, and the estimates are there. */
function qualityOf(past: PastBuild, node: BuiltNode): DatasetQuality | undefined {
  try {
    return JSON.parse(past.read(node).text(QUALITY)) as DatasetQuality;
  } catch (error) {
    if (error instanceof ProblemError) return undefined;
    throw error;
  }
}

/** An estimate computed again, and the scale of the labels behind it. */
interface Again {
  readonly result: EstimateResult;
  readonly scale: Scale | undefined;
}

/** Computes an estimate of a build again, for its influence values; undefined where that build's data is another shape. */
function again(past: PastBuild, nodes: readonly BuiltNode[], scorer: string, ablation: string): Again | undefined {
  const node = nodes.find(({ parts }) => parts.params.name === ablation && parts.params.scorer === scorer);
  const dataset = node === undefined ? undefined : past.upstream(node, 'dataset');
  if (node === undefined || dataset === undefined) return undefined;
  try {
    const { ablation: settings, gates } = node.parts.params as EstimateParams;
    const input = past.read(dataset);
    const { scale } = JSON.parse(input.text(QUALITY)) as DatasetQuality;
    const data = rankedData(input);
    const uncertain = [data.logged, ...data.freshDraws.values()].some(({ judgeVariances }) =>
      judgeVariances.some((variance) => variance > 0),
    );
    return { result: estimate(estimatorSettings(settings, gates.overlap, uncertain), data), scale };
  } catch (error) {
    if (error instanceof DamageError) throw error;
    // Data or settings that another version of the program wrote need not be readable to this one.
    return undefined;
  }
}

function pairedDifference(results: readonly [Again, Again] | undefined, policy: string): PairedDifference | null {
  if (results === undefined) return null;
  const [old, now] = results;
  // In two units there is no difference.
  if (old.scale?.join() !== now.scale?.join()) return null;
  const [before, after] = results.map(({ result }) => result.policies.find((cell) => cell.policy === policy));
  if (before?.status !== 'ok' || after?.status !== 'ok') return null;
  const { difference, standardError, interval } = comparePolicies(after, before, now.result.config);
  const told = unitsOf(now.scale).difference;
  return {
    difference: told(difference),
    standardError: told(standardError),
    lower: told(interval[0]),
    upper: told(interval[1]),
  };
}

export interface RankingChange {
  readonly scorer: string;
  readonly ablation: string;
  /** Policies, best first; refused ones are left out. */
  readonly before: readonly string[];
  /** The ablation that the earlier build led with, where it has no estimate by this one; absent where it has. */
  readonly beforeBy?: string;
  readonly after: readonly string[];
  readonly changed: boolean;
}

/** The report of a build; undefined where it made none. */
export function reportOf(past: PastBuild): ReportData | undefined {
  const [node] = past.writing(REPORT_JSON);
  if (node === undefined || node.action.outputs[DATA] === undefined) return undefined;
  return JSON.parse(past.read(node).text(DATA)) as ReportData;
}

/** The ablation that a report leads with. */
export const leadingAblation = (data: ReportData): string | undefined => headlineRanking(data)?.ablation;

/** The rankings of both builds by the later one's leading ablation, for each scorer. */
export function compareRankings(before: ReportData, after: ReportData): RankingChange[] {
  const ablation = leadingAblation(after);
  if (ablation === undefined) return [];
  const scorers = [...new Set(after.estimates.map(({ scorer }) => scorer))];
  return scorers.map((scorer) => {
    const now = orderOf(rankPolicies(after, scorer, ablation));
    const same = orderOf(rankPolicies(before, scorer, ablation));
    // Before the first labels another estimator led: that its order is another must not go unsaid.
    const led = leadingAblation(before);
    const other = same.length === 0 && led !== undefined ? orderOf(rankPolicies(before, scorer, led)) : [];
    const old = other.length > 0 ? other : same;
    const by = other.length > 0 && led !== undefined ? { beforeBy: led } : {};
    return { scorer, ablation, before: old, ...by, after: now, changed: old.join('\n') !== now.join('\n') };
  });
}

const orderOf = ({ ranked }: Ranking): string[] => ranked.map(({ row }) => row.policy);
