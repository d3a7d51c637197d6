/** How far two measurements of the same items agree: two judge prompts on the same responses, two passes, two builds. */

import { mean, sampleVariance } from '../stats/numeric/moments.ts';
import { studentQuantile } from '../stats/numeric/special-functions.ts';

export interface Agreement {
  /** Items that both measured. */
  readonly n: number;
  readonly meanBefore: number;
  readonly meanAfter: number;
  /** Mean of after − before. */
  readonly shift: number;
  /** 95 % interval of the shift, paired by item (Student, n − 1 degrees of freedom); null for fewer than two items. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** Pearson's correlation; null where either side does not vary. */
  readonly correlation: number | null;
  /** Mean of |after − before|. */
  readonly meanAbsolute: number;
  /** Share of items with the very same value. */
  readonly unchanged: number;
}

/** @param pairs values before and after, in their own unit; one entry for each item that both measured. */
export function agreementOf(pairs: readonly (readonly [before: number, after: number])[]): Agreement {
  const n = pairs.length;
  const before = pairs.map(([value]) => value);
  const after = pairs.map(([, value]) => value);
  const differences = pairs.map(([old, now]) => now - old);
  const shift = mean(differences);
  const half = n < 2 ? null : studentQuantile(0.975, n - 1) * Math.sqrt(sampleVariance(differences) / n);
  return {
    n,
    meanBefore: mean(before),
    meanAfter: mean(after),
    shift,
    lower: half === null ? null : shift - half,
    upper: half === null ? null : shift + half,
    correlation: correlationOf(before, after),
    meanAbsolute: mean(differences.map(Math.abs)),
    unchanged: n === 0 ? 0 : differences.filter((difference) => difference === 0).length / n,
  };
}

function correlationOf(a: readonly number[], b: readonly number[]): number | null {
  const [meanA, meanB] = [mean(a), mean(b)];
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index]! - meanA, b[index]! - meanB];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA === 0 || squareB === 0 ? null : Math.max(-1, Math.min(1, product / Math.sqrt(squareA * squareB)));
}
