/** What a build's estimates come to, in a few sentences: who leads, by how much, who is missing, and what to do next. */

import type { EstimatedRow, EstimateRow, RefusedRow } from '../../datasets/results.ts';
import { decimal, interval } from '../../text/numbers.ts';
import { type OrderedPair, orderedPairs } from './comparisons.ts';
import type { ReportData } from './data.ts';
import { ESTIMATOR_PREFERENCE } from './estimator-note.ts';
import { headlineRanking, type Ranking } from './ranking.ts';
import { refusalWords } from './refusal-words.ts';
import { judgeAloneLine } from './words.ts';

export interface Headline {
  readonly ranking: Ranking;
  /** Why the ablation that would have led does not: a sentence without its end; undefined where it leads. */
  readonly insteadOf: string | undefined;
  /** Policies that are not ranked, in the pipeline's order and the logging one last, and why. */
  readonly unranked: readonly UnrankedPolicy[];
  /** What is not known yet and why, where these are the judge's scores alone; a sentence, or undefined. */
  readonly unknown: string | undefined;
  /** The best policy against the one after it; undefined where fewer than two could be estimated, or nothing is known of labels. */
  readonly pair: OrderedPair | undefined;
  readonly refused: { readonly cells: number; readonly of: number; readonly policies: readonly string[] };
  /** What mends most policies, of those that are not ranked and of the ablation that should have led; undefined where all is well. */
  readonly remedy: Remedy | undefined;
}

interface UnrankedPolicy {
  readonly policy: string;
  /** In words, to go on after the name. */
  readonly why: string;
}

interface Remedy {
  readonly gate: string;
  /** What to do, as an imperative. */
  readonly text: string;
  readonly policies: readonly string[];
  /** Whether the text is another way to a number, and not what mends the refusal. */
  readonly detour?: true;
}

/** Undefined where there is no row at all. */
export function headlineOf(data: ReportData): Headline | undefined {
  const ranking = headlineRanking(data);
  if (ranking === undefined) return undefined;
  const [first, second] = ranking.ranked;
  const pairs = ranking.comparisons === undefined ? [] : orderedPairs(ranking.comparisons);
  const refused = data.estimates.filter((row): row is RefusedRow => row.status === 'refused');
  const leader = refusedLeader(ranking, data.estimates);
  return {
    ranking,
    insteadOf: insteadOf(ranking, leader[0], data.estimates),
    unknown: ranking.judgeAlone ? judgeAloneLine(leader[0]?.reason) : undefined,
    unranked: [...data.policies.flatMap((policy) => unrankedPolicy(ranking, policy, data)), ...loggerOf(data)],
    pair: pairs.find(({ better, worse }) => better === first?.row.policy && worse === second?.row.policy),
    refused: {
      cells: refused.length,
      of: data.estimates.length,
      policies: data.policies.filter((policy) => refused.some((row) => row.policy === policy)),
    },
    remedy: remedyFor([...ranking.refused, ...leader], data),
  };
}

/** The policy that wrote the log, where no estimate is made of it. */
function loggerOf({ logger, policies }: ReportData): UnrankedPolicy[] {
  if (logger === null || policies.includes(logger)) return [];
  return [{ policy: logger, why: MEASURE }];
}

const MEASURE = 'the others are measured on what it answered';

function unrankedPolicy({ refused, absent }: Ranking, policy: string, { logger }: ReportData): UnrankedPolicy[] {
  const row = refused.find((entry) => entry.policy === policy);
  if (row !== undefined) return [{ policy, why: refusalWords(row).why }];
  return absent.includes(policy) ? [{ policy, why: policy === logger ? MEASURE : 'nothing was estimated' }] : [];
}

function insteadOf(
  { insteadOf: ablation, scorer }: Ranking,
  row: RefusedRow | undefined,
  rows: readonly EstimateRow[],
): string | undefined {
  if (ablation === null || row === undefined) return undefined;
  // Where no answer has a label, whatever gave an estimate did so without any.
  const why =
    row.gate === 'no-oracle-labels' ? 'no label yet, so the judge is taken at its word' : refusalWords(row).why;
  const gives = rows.some((each) => each.status === 'ok' && each.ablation === ablation && each.scorer === scorer);
  return `${ablation} is refused${gives ? ` for ${row.policy}` : ''}: ${why}`;
}

/** Cells of the ablation that would have led. */
function refusedLeader({ insteadOf, scorer }: Ranking, rows: readonly EstimateRow[]): RefusedRow[] {
  return rows.filter(
    (row): row is RefusedRow => row.status === 'refused' && row.ablation === insteadOf && row.scorer === scorer,
  );
}

/** Of the refusal that most policies share; of equals the first. */
function remedyFor(rows: readonly RefusedRow[], data: ReportData): Remedy | undefined {
  const byGate = new Map<string, RefusedRow[]>();
  for (const row of rows) byGate.set(row.gate, [...(byGate.get(row.gate) ?? []), row]);
  const [most] = [...byGate.values()].sort((a, b) => b.length - a.length);
  const first = most?.[0];
  if (most === undefined || first === undefined) return undefined;
  const policies = [...new Set(most.map(({ policy }) => policy))];
  const other = policies.length === 1 ? otherEstimate(data, first) : undefined;
  const text =
    other === undefined
      ? refusalWords(first).remedy
      : `read its estimate by ${other.ablation}, ${decimal(other.estimate)} ${interval(other.lower, other.upper)}`;
  return { gate: first.gate, text, policies, ...(other === undefined ? {} : { detour: true }) };
}

/** What another trusted estimator says of the policy; the one that uses most of the evidence. */
function otherEstimate({ estimates }: ReportData, { policy, scorer }: RefusedRow): EstimatedRow | undefined {
  const trust = ({ ablation }: EstimateRow) => ESTIMATOR_PREFERENCE.indexOf(ablation);
  return estimates
    .filter((row) => row.status === 'ok' && row.policy === policy && row.scorer === scorer && trust(row) >= 0)
    .sort((a, b) => trust(a) - trust(b))
    .find((row): row is EstimatedRow => row.status === 'ok');
}
