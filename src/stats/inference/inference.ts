import type { BoundaryCard } from '../diagnostics/boundary.ts';
import { studentQuantile } from '../numeric/special-functions.ts';
import type { Computation } from '../study/computation.ts';
import type { EstimatorConfig } from '../study/config.ts';
import { jackknifeVariance, satterthwaite } from '../study/oracle-uncertainty.ts';
import type { EstimatedPolicy } from './result.ts';

/**
 * Standard error and interval from an estimator's computation: SE² = sampling + oracle + extrapolation variance, interval
 * ψ ± t·SE, for un-normalised weights corrected for skewness.
 */
export function inferenceOf(
  computed: Computation,
  config: EstimatorConfig,
  boundary: BoundaryCard | null,
): Pick<EstimatedPolicy, 'standardError' | 'interval' | 'degreesOfFreedom' | 'components'> {
  const { choices } = config;
  const { sampling, leaveOneOut } = computed;
  const oracleVariance = leaveOneOut === null ? 0 : jackknifeVariance(leaveOneOut);
  const extrapolationVariance =
    choices.extrapolationVariance === 'leave-out' || boundary === null ? 0 : extrapolation(boundary);
  const standardError = Math.sqrt(sampling.variance + oracleVariance + extrapolationVariance);
  const degreesOfFreedom = computed.normalInterval
    ? Number.POSITIVE_INFINITY
    : leaveOneOut === null
      ? sampling.degreesOfFreedom
      : choices.degreesOfFreedom === 'smallest'
        ? Math.max(1, Math.min(sampling.degreesOfFreedom, leaveOneOut.length - 1))
        : satterthwaite([
            sampling,
            { variance: oracleVariance, degreesOfFreedom: leaveOneOut.length - 1 },
            { variance: extrapolationVariance, degreesOfFreedom: Number.POSITIVE_INFINITY },
          ]);
  const quantile = studentQuantile(1 - config.alpha / 2, degreesOfFreedom);
  const skewness =
    choices.skewness === 'ignore' || !computed.skewed ? 0 : skewnessOfEstimate(computed.influence, standardError);
  return {
    standardError,
    interval: [
      computed.estimate - standardError * unskewed(quantile, skewness),
      computed.estimate - standardError * unskewed(-quantile, skewness),
    ],
    degreesOfFreedom,
    components: {
      samplingVariance: sampling.variance,
      oracleVariance,
      extrapolationVariance,
      judgeVariance: config.judgeUncertainty ? computed.judgeVariance : 0,
    },
  };
}

/**
 * Beyond the labelled scores the calibration is held flat, so the estimate errs towards the side that these scores leave
 * open. A curve goes on rather than jumps to the bound: the second moment of an error uniform over half the open width, width²/12.
 */
function extrapolation(boundary: BoundaryCard): number {
  return boundary.partialIdentificationWidth ** 2 / 12;
}

/** Third standardised cumulant of the estimate: Σφ³/n³ over SE³ (the oracle term is taken as symmetric). */
function skewnessOfEstimate(influence: Float64Array, standardError: number): number {
  if (!(standardError > 0)) return 0;
  let cubes = 0;
  for (let i = 0; i < influence.length; i++) cubes += influence[i]! ** 3;
  return cubes / influence.length ** 3 / standardError ** 3;
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
