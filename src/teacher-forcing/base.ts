/** To which base logarithms are, told by the probabilities that they stand for. */

/** One place of a text that was sampled at temperature 1. */
export interface Place {
  /** Values of the likeliest tokens there. */
  readonly likeliest: readonly number[];
  /** The value of the token that was sampled. */
  readonly sampled: number;
}

/** `none`: they are no logarithms of probabilities, to any base. `unknown`: nothing tells. */
type Base = 'e' | '2' | '10' | 'none' | 'unknown';

const FACTORS = [
  ['e', 1],
  ['2', Math.LN2],
  ['10', Math.LN10],
] as const;

/** By how much probabilities may pass 1 by rounding. */
const ROUNDING = 5e-3;
/** How much probability beside the likeliest token makes a place tell. */
const OPEN = 0.02;
/** Standard errors by which the likeliest token may be sampled more or less often than its probability says. */
const FAR = 4;

/**
 * The probabilities of a place come to no more than 1 under the true base, and to nearly 1 where few tokens are possible.
 * And where a token is sampled, it is the likeliest as often as that token's probability says.
 */
export function baseOf(places: readonly Place[]): Base {
  const fits = FACTORS.filter(([, factor]) => possible(places, factor));
  if (places.length > 0 && fits.length === 0) return 'none';
  const whole = fits.filter(([, factor]) => places.some((place) => isWhole(place, factor)));
  // Under too small a factor sums pass 1, under too large a one none comes up to it.
  const calibrated = whole.filter(([, factor]) => Math.abs(surplus(places, factor)) <= FAR);
  const [first, second] = calibrated;
  if (first !== undefined && second === undefined) return first[0];
  if (whole.length > 0 && calibrated.length === 0) return 'none';
  const frequent = fits.filter(([, factor]) => Math.abs(surplus(places, factor)) <= FAR);
  const told = places.filter(({ likeliest }) => sumOf(likeliest.slice(0, 1), 1) < 1 - OPEN).length;
  if (told < MANY || whole.length > 0) return 'unknown';
  const [only, other] = frequent;
  if (only === undefined) return 'none';
  return other === undefined ? only[0] : 'unknown';
}

/** Places that tell how often the likeliest token is sampled. */
const MANY = 40;

const sumOf = (values: readonly number[], factor: number): number =>
  values.reduce((sum, value) => sum + Math.exp(factor * value), 0);

const possible = (places: readonly Place[], factor: number): boolean =>
  places.every(({ likeliest }) => sumOf(likeliest, factor) <= 1 + ROUNDING);

/** More than one token is possible, and together those that are shown are all. */
function isWhole({ likeliest }: Place, factor: number): boolean {
  const sum = sumOf(likeliest, factor);
  const most = Math.max(...likeliest);
  return sum >= 1 - ROUNDING && sum - Math.exp(factor * most) >= OPEN;
}

/** How much more often than told the likeliest token was sampled, in standard errors. */
function surplus(places: readonly Place[], factor: number): number {
  let [difference, variance] = [0, 0];
  for (const { likeliest, sampled } of places) {
    const most = Math.max(...likeliest);
    const chance = Math.min(1, Math.exp(factor * most));
    difference += (sampled >= most ? 1 : 0) - chance;
    variance += chance * (1 - chance);
  }
  return variance === 0 ? 0 : difference / Math.sqrt(variance);
}

/** A token that was sampled first in an answer, and its value. */
export interface Draw {
  readonly token: string;
  readonly value: number;
}

/** Draws of one place from which its law is known well enough. */
const MANY_DRAWS = 30;

/**
 * The base by draws of the same places alone, where no other tokens are told: what was never drawn is as likely as what was
 * drawn once is frequent (Good and Turing), so that the probabilities of those that were come to the rest.
 */
export function baseOfDraws(places: readonly (readonly Draw[])[]): Base {
  const open = places.filter((draws) => draws.length >= MANY_DRAWS && draws.some(({ value }) => value < -OPEN));
  if (open.length === 0) return 'unknown';
  const fits = FACTORS.filter(([, factor]) => Math.abs(excessOf(open, factor)) <= FAR);
  const [first, second] = fits;
  if (first === undefined) return 'none';
  return second === undefined ? first[0] : 'unknown';
}

/** How much more the tokens that were drawn come to than they should, in standard errors. */
function excessOf(places: readonly (readonly Draw[])[], factor: number): number {
  let [difference, variance] = [0, 0];
  for (const draws of places) {
    const counts = new Map<string, { count: number; readonly value: number }>();
    for (const { token, value } of draws) {
      const known = counts.get(token);
      if (known === undefined) counts.set(token, { count: 1, value });
      else known.count++;
    }
    const seen = [...counts.values()];
    const times = (count: number) => seen.filter((each) => each.count === count).length;
    const mass = seen.reduce((sum, { value }) => sum + Math.exp(factor * value), 0);
    difference += mass - (1 - times(1) / draws.length);
    // Of the estimate of what was never drawn.
    variance += (times(1) + 2 * times(2) + 1) / draws.length ** 2;
  }
  return difference / Math.sqrt(variance);
}
