import type { BoundaryCard } from '../diagnostics/boundary.ts';
import { type LabelGap, type RareLabels, rareInterval, unseenShifts } from '../diagnostics/rare-labels.ts';
import { mean } from '../numeric/moments.ts';
import { studentQuantile } from '../numeric/special-functions.ts';
import type { Computation } from '../study/computation.ts';
import type { EstimatorConfig } from '../study/config.ts';
import {
  groupTotals,
  jackknifeVariance,
  satterthwaite,
  sharedCovariance,
  variationOfTotals,
} from '../study/oracle-uncertainty.ts';
import { promptTotals } from './joint-inference.ts';
import type { EstimatedPolicy } from './result.ts';

/** What an estimate is known to, before what rare or unseen labels change of it. */
export type Inference = Pick<
  EstimatedPolicy,
  'standardError' | 'interval' | 'degreesOfFreedom' | 'skewness' | 'components' | 'labelledTotals' | 'openWidths'
>;

/** Groups of the oracle-uncertainty jackknife: of each prompt with a label. */
export type LabelGroups = ReadonlyMap<string, number>;

/**
 * Standard error and interval from an estimator's computation: SE² = sampling + oracle + shared + extrapolation variance,
 * interval ψ ± t·SE, corrected for skewness: on both sides for un-normalised weights, else on the side of a noticeable
 * tail. `shared` is twice the covariance of sampling and calibration error, where prompts that are evaluated also have
 * labels.
 */
export function inferenceOf(
  computed: Computation,
  config: EstimatorConfig,
  boundary: BoundaryCard | null,
  groupOf: LabelGroups | null = null,
): Inference {
  const { choices } = config;
  const { sampling, leaveOneOut } = computed;
  const oracleVariance = leaveOneOut === null ? 0 : jackknifeVariance(leaveOneOut);
  const open = choices.extrapolationVariance === 'leave-out' || boundary === null ? CLOSED : openOf(boundary);
  const extrapolationVariance = extrapolationOf(open);
  // Of a mean of labels too: it needs no calibration, and what it is compared with may.
  const totals =
    groupOf === null || choices.sharedPrompts === 'ignore'
      ? null
      : groupTotals(computed.influence, computed.promptIds, groupOf, leaveOneOut?.length ?? groupsOf(groupOf));
  const joint = jointVariance(sampling, leaveOneOut, totals);
  const standardError = Math.sqrt(joint.variance + extrapolationVariance);
  const degreesOfFreedom = computed.normalInterval
    ? Number.POSITIVE_INFINITY
    : leaveOneOut === null
      ? sampling.degreesOfFreedom
      : choices.degreesOfFreedom === 'smallest'
        ? Math.max(1, Math.min(sampling.degreesOfFreedom, leaveOneOut.length - 1))
        : satterthwaite([joint, { variance: extrapolationVariance, degreesOfFreedom: Number.POSITIVE_INFINITY }]);
  const quantile = studentQuantile(1 - config.alpha / 2, degreesOfFreedom);
  const skewness =
    choices.skewness === 'ignore'
      ? 0
      : correctedSkewness(
          promptTotals(computed.influence, computed.promptIds),
          { leaveOneOut, totals, standardError },
          { byWeights: computed.skewed, quantile },
        );
  return {
    standardError,
    skewness,
    interval: intervalOf(computed.estimate, standardError, { quantile, skewness, byWeights: computed.skewed }),
    degreesOfFreedom,
    labelledTotals: totals,
    openWidths: open,
    components: {
      samplingVariance: sampling.variance,
      oracleVariance,
      sharedVariance: joint.variance - sampling.variance - oracleVariance,
      extrapolationVariance,
      judgeVariance: config.judgeUncertainty ? computed.judgeVariance : 0,
    },
  };
}

/**
 * The inference where labels are nearly all of one value: their part of the variance is made with pseudo-labels, and the
 * interval is cut at 0 and 1. The larger of it and of what the jackknife says.
 */
export function withRareLabels(
  given: Inference,
  estimate: number,
  rare: RareLabels | null,
  { alpha }: Pick<EstimatorConfig, 'alpha'>,
): Inference {
  if (rare === null) return given;
  const { samplingVariance, oracleVariance, extrapolationVariance } = given.components;
  const made = rareInterval(estimate, rare, samplingVariance, alpha);
  // A correction by own labels has the calibration's error beside their own; a calibration's is that of its labels.
  const calibrations = rare.by.kind === 'correction' ? oracleVariance : 0;
  const variance = made.samplingVariance + made.labelVariance + calibrations + extrapolationVariance;
  const standardError = Math.max(Math.sqrt(variance), given.standardError);
  const samplingError = rare.by.kind === 'scores' ? standardError ** 2 : made.samplingVariance;
  const half = studentQuantile(1 - alpha / 2, made.degreesOfFreedom) * standardError;
  return {
    ...given,
    standardError,
    interval: [onScale(made.centre - half), onScale(made.centre + half)],
    degreesOfFreedom: made.degreesOfFreedom,
    components: {
      ...given.components,
      samplingVariance: samplingError,
      oracleVariance: standardError ** 2 - samplingError - extrapolationVariance,
      sharedVariance: 0,
    },
  };
}

const onScale = (value: number): number => Math.min(Math.max(value, 0), 1);

/**
 * The interval of a level, and as far from it as answers that no label shows could move it: the further of the two on
 * either side, and neither beyond the scale, on which every mean of labels lies.
 */
export function withUnseenLabels(
  [low, high]: readonly [number, number],
  estimate: number,
  gap: LabelGap | null,
  alpha: number,
): readonly [number, number] {
  if (gap === null) return [low, high];
  const [down, up] = unseenShifts(gap, alpha);
  return [onScale(Math.min(low, estimate - down)), onScale(Math.max(high, estimate + up))];
}

/**
 * Variance and degrees of freedom of sampling and calibration error together, V = V_S + V_O + 2C. What prompts with labels
 * contribute, W = V_L + V_O + 2C with V_L their part of V_S, is known from K groups; the rest of V_S from its prompts. So V has
 * V²/(V_S²/df_S + (W² − V_L²)/(K − 1)) degrees of freedom: Welch and Satterthwaite's where nothing is shared.
 *
 * @param totals centred totals of the groups, see `groupTotals`; null where nothing is shared.
 */
export function jointVariance(
  sampling: { readonly variance: number; readonly degreesOfFreedom: number },
  leaveOneOut: Float64Array | null,
  totals: Float64Array | null,
): { readonly variance: number; readonly degreesOfFreedom: number } {
  if (leaveOneOut === null) return sampling;
  const oracle = { variance: jackknifeVariance(leaveOneOut), degreesOfFreedom: leaveOneOut.length - 1 };
  if (totals === null) {
    return {
      variance: sampling.variance + oracle.variance,
      degreesOfFreedom: satterthwaite([sampling, oracle]),
    };
  }
  const ofLabelled = variationOfTotals(totals);
  // At least 0, by Cauchy and Schwarz over the groups.
  const together = Math.max(ofLabelled + oracle.variance + 2 * sharedCovariance(totals, leaveOneOut), 0);
  const variance = Math.max(sampling.variance - ofLabelled + together, together);
  const spread =
    sampling.variance ** 2 / sampling.degreesOfFreedom +
    Math.max(together ** 2 - ofLabelled ** 2, 0) / oracle.degreesOfFreedom;
  return { variance, degreesOfFreedom: spread > 0 ? Math.max(1, variance ** 2 / spread) : oracle.degreesOfFreedom };
}

const groupsOf = (of: LabelGroups): number => Math.max(...of.values()) + 1;

/** What scores below and above the labelled ones leave open, in label units. */
type OpenWidths = readonly [below: number, above: number];

const CLOSED: OpenWidths = [0, 0];

function openOf({ openBelow, openAbove }: BoundaryCard): OpenWidths {
  return [openBelow, openAbove];
}

/**
 * Beyond the labelled scores the calibration is held flat, so the estimate errs towards the side that these scores leave
 * open. A curve goes on rather than jumps to the bound: the second moment of an error uniform over half the open width, width²/12.
 * Two policies' errors beyond one end are one curve's, so of a difference the widths' difference is open.
 */
export function extrapolationOf([below, above]: OpenWidths, [otherBelow, otherAbove]: OpenWidths = CLOSED): number {
  return (Math.abs(below - otherBelow) + Math.abs(above - otherAbove)) ** 2 / 12;
}

/** What an estimate's error is made of, beside what each prompt contributes. */
interface LabelErrors {
  readonly leaveOneOut: Float64Array | null;
  readonly totals: Float64Array | null;
  readonly standardError: number;
}

/**
 * Less skewness of labels than this moves an end of an interval by less than four tenths of the standard error, and more of
 * it is not known from few.
 */
const NOTICEABLE = 0.2;
const KNOWABLE = 0.3;
/** Times the quantile: beyond it the transformation lengthens a side without bound. */
const LARGEST_BEND = 0.8;

/**
 * Third standardised cumulant of an estimate, where an interval is corrected for it: (Σ_g c_g³ + Σ_k (A_k + B_k)³ −
 * A_k³)/SE³, c_g what a prompt contributes, A_k and B_k the jackknife groups' totals in sampling and calibration error, see
 * `sharedCovariance`. The cubes of few groups are too small by the factor of Fisher's k-statistic, K²/((K − 1)(K − 2)).
 */
export function correctedSkewness(
  contributions: Float64Array,
  { leaveOneOut, totals, standardError }: LabelErrors,
  { byWeights, quantile }: { readonly byWeights: boolean; readonly quantile: number },
): number {
  if (!(standardError ** 3 > 0)) return 0;
  let cubes = contributions.reduce((sum, c) => sum + c ** 3, 0);
  if (leaveOneOut !== null && leaveOneOut.length > 2) {
    const groups = leaveOneOut.length;
    const centre = mean(leaveOneOut);
    const scale = groups ** 2 / ((groups - 1) * (groups - 2));
    leaveOneOut.forEach((psi, k) => {
      const [a, b] = [totals?.[k] ?? 0, (-(groups - 1) / groups) * (psi - centre)];
      cubes += scale * ((a + b) ** 3 - a ** 3);
    });
  }
  const skewness = cubes / standardError ** 3;
  if (byWeights) return skewness;
  const most = Math.min(KNOWABLE, LARGEST_BEND / quantile);
  return Math.abs(skewness) < NOTICEABLE ? 0 : Math.min(Math.max(skewness, -most), most);
}

interface Skewed {
  readonly skewness: number;
  /**
   * Weights are known, and so is what they do to either side; labels are few, and a tail that they show only makes its side
   * longer.
   */
  readonly byWeights: boolean;
}

/** ψ − SE·g⁻¹(±t), of labels at least ψ ± t·SE; ψ ± t·SE without skewness. */
export function intervalOf(
  estimate: number,
  standardError: number,
  { quantile, skewness, byWeights }: Skewed & { readonly quantile: number },
): readonly [number, number] {
  const [above, below] = [unskewed(quantile, skewness), unskewed(-quantile, skewness)];
  return byWeights
    ? [estimate - standardError * above, estimate - standardError * below]
    : [estimate - standardError * Math.max(above, quantile), estimate - standardError * Math.min(below, -quantile)];
}

/** The statistic that lies within ± t where {@link intervalOf} holds 0. */
export function statisticOf(x: number, { skewness, byWeights }: Skewed): number {
  const corrected = skewedStatistic(x, skewness);
  return byWeights || Math.abs(corrected) < Math.abs(x) ? corrected : x;
}

/**
 * Hall's monotone transformation (1992), inverted: with a the skewness of the estimate,
 * g⁻¹(x) = (3/a)((1 + a(x − a/6))^(1/3) − 1). Products of importance weights are skewed, and a symmetric interval misses on
 * the side of the long tail.
 */
function unskewed(x: number, skewness: number): number {
  if (Math.abs(skewness) < 1e-6) return x;
  return (3 / skewness) * (Math.cbrt(1 + skewness * (x - skewness / 6)) - 1);
}

/** g(x) = a/6 + ((1 + a x/3)³ − 1)/a. */
function skewedStatistic(x: number, skewness: number): number {
  if (Math.abs(skewness) < 1e-6) return x;
  return skewness / 6 + ((1 + (skewness * x) / 3) ** 3 - 1) / skewness;
}
