import { indicesWhere } from '../numeric/moments.ts';
import { normalQuantile, studentQuantile } from '../numeric/special-functions.ts';

/**
 * Whether the reward calibration carries over to a policy, judged on labelled responses of that policy that the
 * calibration was not fitted on.
 */
export interface TransportAudit {
  /**
   * `not-checked`: no labelled response. `not-graded`: no margin was declared. `fail`: the bias is outside the margin for
   * certain. `pass`: inside for certain, on at least 20 effective prompts. `inconclusive`: neither.
   */
  readonly state: 'not-checked' | 'not-graded' | 'fail' | 'inconclusive' | 'pass';
  readonly labels: number;
  /** Mean of label minus reward, in label units; the fields below are null without labels, or Infinity on one prompt. */
  readonly bias: number | null;
  readonly standardError: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  /** Prompts, discounted for unequal weight: (Σω)²/Σ_g ω_g². */
  readonly effectivePrompts: number;
  readonly margin: number | null;
  /** The smallest margin that would pass, had there been prompts enough. */
  readonly smallestPassingMargin: number | null;
  /** The bias that an audit of this size finds with 80 % power. */
  readonly detectableBias: number | null;
}

export interface AuditOptions {
  /** Largest tolerable |bias| in label units, fixed before looking; null grades nothing. */
  readonly margin: number | null;
  readonly alpha: number;
  /** Audits made together; each is held to alpha divided by it (Bonferroni). */
  readonly audits: number;
}

/** Fewer effective prompts than this cannot pass. */
const PROMPTS_TO_PASS = 20;

/**
 * The audit with a practical margin (cje-eval 0.6): δ̂ = Σωδ/Σω, clustered by prompt,
 * SE² = G/(G−1) Σ_g (Σ_{i∈g} ω_i(δ_i − δ̂))²/(Σω)², a Student interval on max(⌊G_e⌋ − 1, 1) degrees of freedom.
 * Unlike a test of zero bias, a small probe is inconclusive, not passed.
 *
 * @param labels one a response, NaN where unlabelled. @param rewards f̂ of each response. @param weights ω, absent for 1.
 *
 * @example
 * auditTransport([0.5, 0.9], [0.5, 0.8], ['a', 'b'], { margin: 0.05, alpha: 0.05, audits: 1 }).bias // 0.05
 */
export function auditTransport(
  labels: ArrayLike<number>,
  rewards: ArrayLike<number>,
  promptIds: readonly string[],
  options: AuditOptions,
  weights?: ArrayLike<number>,
): TransportAudit {
  const rows = indicesWhere(labels.length, (i) => !Number.isNaN(labels[i]!));
  const { margin } = options;
  if (rows.length === 0) {
    const none = { bias: null, standardError: null, interval: null, smallestPassingMargin: null, detectableBias: null };
    return { state: 'not-checked', labels: 0, effectivePrompts: 0, margin, ...none };
  }
  const weight = (i: number) => (weights === undefined ? 1 : weights[i]!);
  let total = 0;
  let weighted = 0;
  for (const i of rows) {
    total += weight(i);
    weighted += weight(i) * (labels[i]! - rewards[i]!);
  }
  const bias = weighted / total;
  const groups = new Map<string, { weight: number; residual: number }>();
  for (const i of rows) {
    const group = groups.get(promptIds[i]!) ?? { weight: 0, residual: 0 };
    group.weight += weight(i);
    group.residual += weight(i) * (labels[i]! - rewards[i]! - bias);
    groups.set(promptIds[i]!, group);
  }
  let squares = 0;
  let squaredWeights = 0;
  for (const group of groups.values()) {
    squares += group.residual ** 2;
    squaredWeights += group.weight ** 2;
  }
  const effectivePrompts = total ** 2 / squaredWeights;
  const count = groups.size;
  const standardError = count < 2 ? Number.POSITIVE_INFINITY : Math.sqrt((count / (count - 1)) * squares) / total;
  const degreesOfFreedom = Math.max(Math.floor(effectivePrompts + 1e-9) - 1, 1);
  const t = studentQuantile(1 - options.alpha / options.audits / 2, degreesOfFreedom);
  const interval = [bias - t * standardError, bias + t * standardError] as const;
  return {
    state: grade(interval, effectivePrompts, margin),
    labels: rows.length,
    bias,
    standardError,
    interval,
    effectivePrompts,
    margin,
    smallestPassingMargin: Math.max(Math.abs(interval[0]), Math.abs(interval[1])),
    detectableBias: (t + normalQuantile(0.8)) * standardError,
  };
}

function grade(
  [low, high]: readonly [number, number],
  effectivePrompts: number,
  margin: number | null,
): TransportAudit['state'] {
  if (margin === null) return 'not-graded';
  if (low > margin || high < -margin) return 'fail';
  const inside = low >= -margin && high <= margin;
  return inside && effectivePrompts >= PROMPTS_TO_PASS - 1e-9 ? 'pass' : 'inconclusive';
}
