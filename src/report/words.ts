/** Sentences that every form of the report says the same way. */

import type { ReportData } from './data.ts';
import { estimatorNote, leadingReason } from './estimator-note.ts';
import { count } from './number.ts';
import { type Ranking, unseparated } from './ranking.ts';

/** Stands after every number that is tempered. */
export const TEMPERED_MARK = '†';

export const TEMPERED_NOTE =
  'Tempered: the text was sampled at another temperature than 1, while log probabilities are those of temperature 1. The ratio is of other policies than those that answered, so the estimate is off by an unknown amount.';

export const REFUSED_NOTE =
  'A refused number cannot be trusted and is withheld; the gate that refused it is named in its place.';

export function isTempered(data: ReportData): boolean {
  return (
    data.estimates.some((row) => row.tempered) ||
    data.quality.some(({ logprobs }) => logprobs.some((policy) => policy.tempered))
  );
}

/** Such as `200 prompts · logged policy p0 · 4 target policies`. */
export function experimentLine(data: ReportData): string {
  const targets = data.policies.length === 1 ? '1 target policy' : `${data.policies.length} target policies`;
  return `${count(data.samples)} prompts · logged policy ${data.logger} · ${targets}`;
}

/** The order as one line: `>` where intervals are apart, `≈` where they overlap. */
export function rankingLine(ranking: Ranking, name: (policy: string) => string = (policy) => policy): string {
  return ranking.ranked
    .map(
      ({ row, aboveNext }) =>
        name(row.policy) + (row.tempered ? TEMPERED_MARK : '') + (aboveNext === null ? '' : aboveNext ? ' > ' : ' ≈ '),
    )
    .join('');
}

/** What the intervals say about neighbours; empty with fewer than two ranked policies. */
export function separationLine(ranking: Ranking, name: (policy: string) => string = (policy) => policy): string {
  if (ranking.ranked.length < 2) return '';
  const pairs = unseparated(ranking);
  if (pairs.length === 0) return 'Neighbours in the ranking are separated: their 95 % intervals do not overlap.';
  const names = pairs.map(([better, worse]) => `${name(better.row.policy)} and ${name(worse.row.policy)}`);
  return `Not separated (95 % intervals overlap): ${names.join('; ')}.`;
}

export function orderLine(ranking: Ranking): string {
  if (ranking.order === null) return '';
  const { pairs, agreeing } = ranking.order;
  if (agreeing === pairs) return 'The order is the true one.';
  return `${agreeing} of ${pairs} pairs are in the true order.`;
}

export function leadingLine(ranking: Ranking): string {
  const why = leadingReason(ranking.estimator);
  const note = estimatorNote(ranking.estimator);
  return note === null ? why : `${why} It ${note}.`;
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

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}
