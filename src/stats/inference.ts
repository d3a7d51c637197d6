import type { Computation } from './computation.ts';
import type { EstimatorConfig } from './config.ts';
import { jackknifeVariance, satterthwaite } from './oracle-uncertainty.ts';
import type { EstimatedPolicy } from './result.ts';
import { studentQuantile } from './special-functions.ts';

/**
 * Standard error and interval from an estimator's computation: SE² = sampling variance + oracle variance, interval
 * ψ ± t·SE.
 *
 * Degrees of freedom. Parity takes the smaller of the two terms' (K − 1 = 4 with five folds), whatever their sizes.
 * Recommended weighs them by Welch–Satterthwaite: a small oracle term on 4 degrees of freedom must not widen an interval whose
 * variance rests on hundreds of prompts.
 */
export function inferenceOf(
  computed: Computation,
  config: EstimatorConfig,
): Pick<EstimatedPolicy, 'standardError' | 'interval' | 'degreesOfFreedom' | 'components'> {
  const { sampling, leaveOneOut } = computed;
  const oracleVariance = leaveOneOut === null ? 0 : jackknifeVariance(leaveOneOut);
  const standardError = Math.sqrt(sampling.variance + oracleVariance);
  const degreesOfFreedom = computed.normalInterval
    ? Number.POSITIVE_INFINITY
    : leaveOneOut === null
      ? sampling.degreesOfFreedom
      : config.mode === 'parity'
        ? Math.max(1, Math.min(sampling.degreesOfFreedom, leaveOneOut.length - 1))
        : satterthwaite([sampling, { variance: oracleVariance, degreesOfFreedom: leaveOneOut.length - 1 }]);
  const half = studentQuantile(1 - config.alpha / 2, degreesOfFreedom) * standardError;
  return {
    standardError,
    interval: [computed.estimate - half, computed.estimate + half],
    degreesOfFreedom,
    components: {
      samplingVariance: sampling.variance,
      oracleVariance,
      judgeVariance: config.judgeUncertainty ? computed.judgeVariance : 0,
    },
  };
}
