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
  /** Told to a tenth, a hundredth or a thousandth, so that a response is off by the sum of what was cut. */
  | 'rounded'
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
/** Nats that one token may be apart, whatever the noise of its response. */
const OUTLIER = 0.5;
/** The same where there is hardly any noise: rounding of logits to 8 bits moves one by a quarter. */
const ONE_STEP = 0.26;
/** How much further than the row's median one token may be, before it is no noise of the same kind. */
const BEYOND_NOISE = 50;
/**
 * Nats in the median up to which values are told alike, and nats of one token beyond which it is then another value: what
 * moves one logit of an engine moves the sum of all, and with it each token a little.
 */
const ALIKE = 1e-6;
const ANOTHER_VALUE = 1e-3;
/** Parts of 1, or nats a token, by which a law may be off that holds at every token to the last digit. */
const ODD = 1e-5;
/** Nats a token up to which another reading of the forced values explains them. */
const EXPLAINS = 0.02;
/** The least part by which a scale must be off to have a name. */
const OFF_SCALE = 0.02;
/** Standard errors that separate a scale or a shift from noise, which has either sign. */
const FAR = 5;
/** Nats a token by which values must be off to one side to be other ones. */
const ONE_SIDED = 0.01;
/** Tokens that tell whether values are rounded, or alike. */
const ENOUGH = 5;

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
  if (areRounded(forced, generated)) return 'rounded';
  const law = lawWithoutNoise(forced, generated, slope);
  if (law !== undefined) return law;
  if (asIs <= EXPLAINS && !hasOutlier(forced, generated) && !isOffScale(forced, generated, slope)) {
    return isOneSided(forced, generated) ? 'differs' : 'agrees';
  }
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
    ...(isOffScale(forced, generated, slope)
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
  const isSame = asIs <= SAME && !hasOutlier(forced, generated) && !isOneSided(forced, generated);
  return isSame && !isOffScale(forced, generated, slope) ? 'agrees' : 'differs';
}

const differences = (forced: readonly number[], generated: readonly number[]): number[] =>
  generated.map((g, index) => (forced[index] ?? 0) - g);

/** One token has another one's value, or was cut: it is further off than all the others by their own measure. */
function hasOutlier(forced: readonly number[], generated: readonly number[]): boolean {
  const apart = differences(forced, generated)
    .map(Math.abs)
    .sort((a, b) => a - b);
  const median = apart[Math.floor(apart.length / 2)] ?? 0;
  const noisy = Math.min(OUTLIER, Math.max(ONE_STEP, BEYOND_NOISE * median));
  return (apart.at(-1) ?? 0) > (areAlike(forced, generated) ? ANOTHER_VALUE : noisy);
}

/** No noise at all; near certainty hides it, so that the uncertain tokens say. */
function areAlike(forced: readonly number[], generated: readonly number[]): boolean {
  const apart = generated.flatMap((g, index) => (g < CERTAIN ? [Math.abs((forced[index] ?? 0) - g)] : []));
  apart.sort((a, b) => a - b);
  return apart.length >= ENOUGH && apart[Math.floor(apart.length / 2)]! <= ALIKE;
}

/** The slope is off by more than noise around it would move it. */
function isOffScale(forced: readonly number[], generated: readonly number[], slope: number): boolean {
  if (Math.abs(slope - 1) <= OFF_SCALE) return false;
  const pairs = generated.flatMap((g, index) => (g < CERTAIN ? [[g, forced[index] ?? 0] as const] : []));
  const squares = pairs.reduce((sum, [g]) => sum + g * g, 0);
  const left = pairs.reduce((sum, [g, f]) => sum + (f - slope * g) ** 2, 0);
  const error = Math.sqrt(left / Math.max(1, pairs.length - 1) / squares);
  return Math.abs(slope - 1) > FAR * error;
}

/** Noise cancels out over a response; values that are another model's, or another law's, do not. */
function isOneSided(forced: readonly number[], generated: readonly number[]): boolean {
  const apart = differences(forced, generated);
  const sum = apart.reduce((total, value) => total + value, 0);
  const spread = Math.sqrt(apart.reduce((total, value) => total + value ** 2, 0));
  return Math.abs(sum) > ONE_SIDED * apart.length && Math.abs(sum) > FAR * spread;
}

/** Units that values are cut to. */
const UNITS = [10, 100, 1000];

/** Few digits, where generation told more. */
function areRounded(forced: readonly number[], generated: readonly number[]): boolean {
  const told = forced.filter((_, index) => generated[index]! < CERTAIN);
  const before = generated.filter((g) => g < CERTAIN);
  return (
    told.length >= ENOUGH &&
    UNITS.some((unit) => {
      const isRound = (value: number): boolean => Math.abs(value * unit - Math.round(value * unit)) < 1e-9;
      return told.every(isRound) && !before.every(isRound);
    })
  );
}

/** A multiple, or a distance, that is the same at every token: however small it is, noise is not so even. */
function lawWithoutNoise(
  forced: readonly number[],
  generated: readonly number[],
  slope: number,
): Agreement | undefined {
  const pairs = generated.flatMap((g, index) => (g < CERTAIN ? [[g, forced[index] ?? 0] as const] : []));
  if (pairs.length < ENOUGH) return undefined;
  const isEven = (expected: (g: number) => number) => pairs.every(([g, f]) => Math.abs(f - expected(g)) <= ALIKE);
  if (Math.abs(slope - 1) > ODD && isEven((g) => slope * g)) return 'scaled';
  const apart = pairs.reduce((sum, [g, f]) => sum + f - g, 0) / pairs.length;
  return Math.abs(apart) > ODD && isEven((g) => g + apart) ? 'differs' : undefined;
}
