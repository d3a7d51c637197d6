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
  /** About how many labels a policy without bias needs to pass four times out of five; null without a margin, or a spread to go by. */
  readonly labelsToPass: number | null;
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
    const none = {
      bias: null,
      standardError: null,
      interval: null,
      smallestPassingMargin: null,
      detectableBias: null,
      labelsToPass: null,
    };
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
    labelsToPass: labelsToPass(standardError, { effectivePrompts, labels: rows.length, options }),
  };
}

interface AuditSize {
  readonly effectivePrompts: number;
  readonly labels: number;
  readonly options: AuditOptions;
}

/**
 * Both ends must lie inside: ((z_{1−α/2} + z_{1−β/2}) s/δ)² effective prompts with power 1 − β = 0.8, s their residuals'
 * spread, and at least as many as an audit asks for; in labels as many a prompt as there are.
 */
function labelsToPass(standardError: number, { effectivePrompts, labels, options }: AuditSize): number | null {
  const { margin, alpha, audits } = options;
  if (margin === null || !(standardError > 0 && Number.isFinite(standardError))) return null;
  const spread = standardError * Math.sqrt(effectivePrompts);
  const quantiles = normalQuantile(1 - alpha / audits / 2) + normalQuantile(0.9);
  const prompts = Math.max(((quantiles * spread) / margin) ** 2, PROMPTS_TO_PASS);
  return Math.ceil((prompts * labels) / effectivePrompts);
}

/** Margins by policy; `default` for those that are not named. Null grades nothing. */
export type TransportMargins = Readonly<Record<string, number | null>>;

/** @param margins one for all policies, or by policy. */
export function marginOf(margins: number | null | TransportMargins, policy: string): number | null {
  if (margins === null || typeof margins === 'number') return margins;
  // A policy may be called as a member that all objects have.
  const of = (name: string) => (Object.hasOwn(margins, name) ? margins[name]! : null);
  return Object.hasOwn(margins, policy) ? of(policy) : of('default');
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
