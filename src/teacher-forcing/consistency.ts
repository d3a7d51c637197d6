/**
 * Forced log probabilities beside those that the same model gave the same tokens when it generated them. They must be
 * the same numbers; where they are not, the way in which they differ has a name.
 */

type Agreement =
  | 'agrees'
  /** Certain where generation was not. */
  | 'zeroed'
  /** Each value is that of the token before or after. */
  | 'shifted'
  /** All values are a multiple: another base, or another scale. */
  | 'scaled'
  /** The probability stands where its logarithm should. */
  | 'probability'
  | 'differs';

/** One response under the model that wrote it. */
export type Consistency = {
  /** Log probability at generation, summed over the response's tokens, nats. */
  readonly generated: number;
  readonly agreement: Agreement;
  /** Tokens whose log probability at generation is below −0.1: near certainty hides a wrong scale. */
  readonly informative: number;
  /** Over the informative tokens, generated g and forced f: Σ g², Σ f·g, the median and the largest |f − g|. */
  readonly gg: number;
  readonly fg: number;
  readonly median: number;
  readonly largest: number;
};

/** Log probabilities at generation, above which a token says nothing of a scale. */
const CERTAIN = -0.1;
/** Nats a token, in the mean, up to which two measurements are the same one. */
const SAME = 0.05;
/**
 * Nats that one token may be apart: rounding of logits to 8 bits moves one by a quarter. Where all others agree, one that is
 * further off has another token's value, or was cut.
 */
const OUTLIER = 0.5;
/** Nats a token up to which another reading of the forced values explains them. */
const EXPLAINS = 0.02;
/** The least part by which a scale must be off to have a name. */
const OFF_SCALE = 0.05;

/** @param forced nats, token by token. @param generated the same tokens at generation. */
export function compareWithGeneration(forced: readonly number[], generated: readonly number[]): Consistency {
  const apart: number[] = [];
  let [gg, fg, sum] = [0, 0, 0];
  generated.forEach((g, index) => {
    sum += g;
    if (!(g < CERTAIN)) return;
    const f = forced[index] ?? 0;
    gg += g * g;
    fg += f * g;
    apart.push(Math.abs(f - g));
  });
  apart.sort((a, b) => a - b);
  return {
    generated: sum,
    agreement: agreementOf(forced, generated, gg === 0 ? 1 : fg / gg),
    informative: apart.length,
    gg,
    fg,
    median: apart[Math.floor(apart.length / 2)] ?? 0,
    largest: apart.at(-1) ?? 0,
  };
}

/** Mean |f − g| over the pairs where there are both, nats. */
function meanApart(forced: readonly number[], expected: readonly (number | undefined)[]): number {
  let [total, count] = [0, 0];
  forced.forEach((value, index) => {
    const other = expected[index];
    if (other === undefined) return;
    total += Math.abs(value - other);
    count++;
  });
  return count === 0 ? Number.POSITIVE_INFINITY : total / count;
}

function agreementOf(forced: readonly number[], generated: readonly number[], slope: number): Agreement {
  // A token that generation found unlikely is certain in no forcing of the same model.
  if (generated.some((g, index) => g < CERTAIN && forced[index] === 0)) return 'zeroed';
  const asIs = meanApart(forced, generated);
  const isOut = generated.some((g, index) => Math.abs((forced[index] ?? 0) - g) > OUTLIER);
  if (asIs <= EXPLAINS && !isOut) return 'agrees';
  const explanations: readonly (readonly [Agreement, number])[] = [
    ['shifted', meanApart(forced, [...generated.slice(1), undefined])],
    ['shifted', meanApart(forced, [undefined, ...generated.slice(0, -1)])],
    [
      'probability',
      meanApart(
        forced,
        generated.map((g) => -Math.exp(g)),
      ),
    ],
    ...(Math.abs(slope - 1) > OFF_SCALE
      ? [
          [
            'scaled',
            meanApart(
              forced,
              generated.map((g) => slope * g),
            ),
          ] as const,
        ]
      : []),
  ];
  const best = explanations.reduce((least, each) => (each[1] < least[1] ? each : least));
  if (best[1] <= EXPLAINS && best[1] < asIs / 4) return best[0];
  return asIs <= SAME && !isOut ? 'agrees' : 'differs';
}
