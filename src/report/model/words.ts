/** Sentences that every form of the report says the same way. */

import type { PolicyComparisons } from '../../datasets/results.ts';
import { scaleText } from '../../datasets/scale.ts';
import { decimal, interval, significant } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import { type OrderedPair, orderedPairs } from './comparisons.ts';
import type { ReportData } from './data.ts';
import { estimatorNote, leadingReason } from './estimator-note.ts';
import { type Ranking, unseparated } from './ranking.ts';
import type { Prose } from './section.ts';

/** Stands after every number that is tempered. */
export const TEMPERED_MARK = '†';

export const TEMPERED_NOTE =
  'Tempered: the text was sampled at another temperature than 1, while log probabilities are those of temperature 1. The ratio is of other policies than those that answered, so the estimate is off by an unknown amount.';

const SIMULTANEOUS =
  'The intervals hold together: the chance that any of them misses its difference is 5 %. The family-wise p-value is adjusted for the chance of any false separation (max-t), the other for the share of false discoveries (Benjamini–Hochberg).';

/** Where the logging policy is ranked too, differences from it are adjusted among themselves. */
export function simultaneousNote({ logger, policies }: Pick<ReportData, 'logger' | 'policies'>): string {
  if (logger === null || !policies.includes(logger)) return SIMULTANEOUS;
  return `${SIMULTANEOUS} Target policies among themselves are one such family, and their differences from ${logger}, which wrote the log, another.`;
}

export const REFUSED_NOTE =
  'A refused number cannot be trusted and is withheld; the gate that refused it is named in its place.';

export function isTempered(data: ReportData): boolean {
  return (
    data.estimates.some((row) => row.tempered) ||
    data.quality.some(({ logprobs }) => logprobs.some((policy) => policy.tempered))
  );
}

/** Such as `200 prompts · logged policy p0 · 4 target policies`, or without a log `200 prompts · 4 policies`. */
export function experimentLine(data: ReportData): string {
  const prompts = counted(data.samples, 'prompt');
  const units = data.scale === undefined ? '' : ` · ${scaleText(data.scale, isLabelled(data) ? 'labels' : 'scores')}`;
  if (data.logger === null) return `${prompts} · ${counted(data.policies.length, 'policy', 'policies')}${units}`;
  const others = data.policies.filter((policy) => policy !== data.logger).length;
  const targets = counted(others, 'target policy', 'target policies');
  return `${prompts} · logged policy ${data.logger} · ${targets}${units}`;
}

const isLabelled = ({ quality }: ReportData): boolean =>
  quality.some(({ labels: { calibration, validation } }) =>
    [calibration, ...Object.values(validation)].some((count) => count > 0),
  );

/** The order: `>` where neighbours are separated, `≈` where they are not. */
export const rankingLine = (ranking: Ranking): Prose =>
  ranking.ranked.flatMap(({ row, aboveNext }) => [
    row.policy + (row.tempered ? TEMPERED_MARK : ''),
    ...(aboveNext === null ? [] : [{ sign: aboveNext ? '>' : '≈' } as const]),
  ]);

/** Which policies are told apart; empty with fewer than two ranked policies. */
export function separationLine(ranking: Ranking, name: (policy: string) => string = (policy) => policy): string {
  if (ranking.ranked.length < 2 || ranking.judgeAlone) return '';
  if (ranking.comparisons !== undefined) return pairedLine(ranking.comparisons, name);
  const pairs = unseparated(ranking);
  if (pairs.length === 0) return 'Neighbours in the ranking are separated: their 95 % intervals do not overlap.';
  const names = pairs.map(([better, worse]) => `${name(better.row.policy)} and ${name(worse.row.policy)}`);
  return `Not separated (95 % intervals overlap): ${names.join('; ')}.`;
}

/** Told by the better policy, so that many pairs make few words. */
function pairedLine(comparisons: PolicyComparisons, name: (policy: string) => string): string {
  const pairs = orderedPairs(comparisons);
  const level = `${Number((100 * comparisons.confidence).toPrecision(4))} % family-wise`;
  const separated = new Map<string, string[]>();
  for (const { better, worse, separated: apart } of pairs) {
    if (apart) separated.set(better, [...(separated.get(better) ?? []), name(worse)]);
  }
  const ties = pairs.filter((pair) => !pair.separated).map(({ better, worse }) => `${name(better)} and ${name(worse)}`);
  if (separated.size === 0) return `Separated at ${level}: no pair.`;
  if (ties.length === 0) return `Separated at ${level}: every pair.`;
  const apart = [...separated].map(([better, worse]) => `${name(better)} > ${worse.join(', ')}`).join('; ');
  return `Separated at ${level}: ${apart}. Not separated: ${ties.join('; ')}.`;
}

/** Such as `Best with probability: a 0.93, b 0.07.`; empty without comparisons. */
export function bestLine(ranking: Ranking, name: (policy: string) => string = (policy) => policy): string {
  if (ranking.judgeAlone) return '';
  const likely = ranking.ranked.filter(({ probabilityOfBest: share }) => share !== null && share >= 0.005);
  if (likely.length === 0) return '';
  return `Best${ofThese(ranking)} with probability: ${likely.map(({ row, probabilityOfBest: share }) => `${name(row.policy)} ${share!.toFixed(2)}`).join(', ')}.`;
}

export function orderLine(ranking: Ranking): string {
  if (ranking.order === null) return '';
  const { pairs, agreeing } = ranking.order;
  if (agreeing === pairs) return `The order${ofThese(ranking)} is the true one.`;
  return `${agreeing} of ${pairs} pairs are in the true order.`;
}

/** Says of whom a sentence speaks where a policy is missing in the ranking; empty where none is. */
function ofThese(ranking: Ranking): string {
  return rankedOf(ranking) === '' ? '' : ` of these ${ranking.ranked.length}`;
}

/** Such as `3 of 4 policies`, where not all could be estimated; else empty. */
export function rankedOf({ ranked, refused, absent }: Ranking): string {
  const missing = refused.length + absent.length;
  return missing === 0 ? '' : `${ranked.length} of ${counted(ranked.length + missing, 'policy', 'policies')}`;
}

/** What stands over the policies. */
export const rankingTitle = ({ judgeAlone }: Ranking): string => (judgeAlone ? 'Judge scores (no ranking)' : 'Ranking');

/** The best two policies: `a is better than b by 0.033 [0.003, 0.064], p = 0.027.` */
export function pairLine(pair: OrderedPair, name: (policy: string) => string = (policy) => policy): string {
  const { difference, lower, upper, familyP, separated } = pair;
  const [better, worse] = [name(pair.better), name(pair.worse)];
  const numbers = `${decimal(difference)} ${interval(lower, upper)}, ${familyP < 0.001 ? 'p < 0.001' : `p = ${significant(familyP)}`}`;
  return separated
    ? `${better} is better than ${worse} by ${numbers}.`
    : `${better} and ${worse} cannot be told apart: they differ by ${numbers}.`;
}

/** The same of two policies that the judge alone has scored. */
export function scoredLine(
  { difference, lower, upper, better, worse }: OrderedPair,
  name = (policy: string) => policy,
) {
  return `The judge scores ${name(better)} above ${name(worse)} by ${decimal(difference)} ${interval(lower, upper)}.`;
}

/** @param lacking what an estimate of labels lacks, where one was asked for. */
export const judgeAloneLine = (lacking: string | undefined): string =>
  lacking === undefined
    ? 'These are the judge’s scores alone: no label says what they are worth.'
    : `No difference is claimed: these are the judge’s scores alone, and what they are worth is not known yet (${lacking}).`;

/** Why this ablation leads, and what it does. Without a log it is no choice between estimators that weigh one. */
export function leadingLine(ranking: Ranking, { logger }: Pick<ReportData, 'logger'>): string {
  const why = leadingReason(ranking.estimator);
  const note = estimatorNote(ranking.estimator);
  if (note === null) return why;
  return logger === null ? `It ${note}.` : `${why} It ${note}.`;
}

export function truthLine(data: ReportData): string {
  if (!data.truth.available) return '';
  switch (data.truth.population) {
    case 'prompt law':
      return 'Truth is the policy’s exact value in the simulated world, over the law that prompts are drawn from.';
    case 'these prompts':
      return 'Truth is the policy’s exact value in the simulated world, over the prompts of this run.';
    case null:
      return 'Truth is the policy’s exact value in the simulated world.';
  }
}
