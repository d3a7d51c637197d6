import { normalQuantile, studentQuantile } from './numeric/special-functions.ts';

/** V(n, m) = perPrompt/n + perLabel/m: variance of an estimate from n evaluated prompts and m oracle labels. */
export interface VarianceModel {
  readonly perPrompt: number;
  readonly perLabel: number;
  /** Share of the measured variances' spread that the model explains; below 0.5 do not trust a plan. */
  readonly rSquared: number;
}

/** Money for one prompt's evaluation and for one oracle label, in the same currency. */
export interface Costs {
  readonly perPrompt: number;
  readonly perLabel: number;
}

export interface Plan {
  readonly prompts: number;
  readonly labels: number;
  readonly cost: number;
  readonly standardError: number;
  /** Difference of two policies that a test at alpha finds with the wanted power. */
  readonly detectableDifference: number;
}

export interface PowerOptions {
  readonly alpha: number;
  readonly power: number;
  /** Fewest labels that a calibration is trusted with. */
  readonly minimumLabels: number;
  /**
   * What the variance model is of: one policy's estimate, two of which are compared as if independent, or the paired
   * difference of two. Absent: independent.
   */
  readonly variance?: 'independent' | 'difference';
  /** Of the comparison's Student quantile; absent for the normal. */
  readonly degreesOfFreedom?: number;
}

export const POWER: PowerOptions = { alpha: 0.05, power: 0.8, minimumLabels: 30 };

export type PlanOutcome =
  | { readonly ok: true; readonly plan: Plan }
  | {
      readonly ok: false;
      readonly reason: 'budget-too-small' | 'no-variance' | 'unreachable';
      readonly message: string;
    };

/**
 * Spends a budget so that the variance is least: the square-root allocation law (arXiv 2512.11150, appendix F),
 * n = B√(σ_e²/c_S)/D, m = B√(σ_c²/c_Y)/D, D = √(c_S σ_e²) + √(c_Y σ_c²), with m ≤ n (a label needs its prompt) and m at least the
 * minimum. Whole numbers by truncation, so the cost never exceeds the budget.
 *
 * @example
 * planForBudget({ perPrompt: 0.1, perLabel: 0.1, rSquared: 1 }, { perPrompt: 0.01, perLabel: 0.16 }, 100).plan.prompts // 2000
 */
export function planForBudget(
  model: VarianceModel,
  costs: Costs,
  budget: number,
  options: PowerOptions = POWER,
): PlanOutcome {
  if (!(model.perPrompt > 0) && !(model.perLabel > 0)) {
    return { ok: false, reason: 'no-variance', message: 'both variance components are zero: there is nothing to plan' };
  }
  const least = options.minimumLabels * (costs.perPrompt + costs.perLabel);
  if (budget < least) {
    return {
      ok: false,
      reason: 'budget-too-small',
      message: `${options.minimumLabels} labelled prompts alone cost ${Number(least.toPrecision(4))}`,
    };
  }
  const [rootPrompt, rootLabel] = [Math.sqrt(Math.max(model.perPrompt, 0)), Math.sqrt(Math.max(model.perLabel, 0))];
  const scale = rootPrompt * Math.sqrt(costs.perPrompt) + rootLabel * Math.sqrt(costs.perLabel);
  let prompts = (budget * rootPrompt) / Math.sqrt(costs.perPrompt) / scale;
  let labels = (budget * rootLabel) / Math.sqrt(costs.perLabel) / scale;
  if (labels > prompts) {
    prompts = budget / (costs.perPrompt + costs.perLabel);
    labels = prompts;
  }
  // A sum of money that comes out whole but for rounding must not lose a unit to truncation.
  labels = Math.max(Math.floor(labels + 1e-9), options.minimumLabels);
  prompts = Math.min(
    Math.floor(prompts + 1e-9),
    Math.floor((budget - costs.perLabel * labels) / costs.perPrompt + 1e-9),
  );
  return { ok: true, plan: planOf(model, costs, Math.max(prompts, labels), labels, options) };
}

/**
 * The cheapest plan whose detectable difference is at most `difference`: V_needed = (difference/(t + z)/√2)², √2 for
 * independent policies alone, interior budget
 * D²/V_needed; below the label floor, m is the floor and n what remains. Rounding is then repaired by enlarging the budget, up to 50
 * times by 1 %.
 *
 * @example
 * planForDifference({ perPrompt: 0.1, perLabel: 0.1, rSquared: 1 }, { perPrompt: 0.01, perLabel: 0.16 }, 0.1).plan.labels // 196
 */
export function planForDifference(
  model: VarianceModel,
  costs: Costs,
  difference: number,
  options: PowerOptions = POWER,
): PlanOutcome {
  const needed = (difference / multiple(options)) ** 2;
  const scale =
    Math.sqrt(costs.perPrompt * Math.max(model.perPrompt, 0)) + Math.sqrt(costs.perLabel * Math.max(model.perLabel, 0));
  let budget = Math.max(scale ** 2 / needed, options.minimumLabels * (costs.perPrompt + costs.perLabel));
  const labels = (budget * Math.sqrt(Math.max(model.perLabel, 0) / costs.perLabel)) / scale;
  if (labels < options.minimumLabels) {
    const left = needed - model.perLabel / options.minimumLabels;
    if (left <= 0) return unreachable(difference);
    const prompts = Math.max(Math.ceil(model.perPrompt / left), options.minimumLabels);
    budget = prompts * costs.perPrompt + options.minimumLabels * costs.perLabel;
  }
  for (let attempt = 0; attempt < 50; attempt++) {
    const outcome = planForBudget(model, costs, budget, options);
    if (!outcome.ok || outcome.plan.detectableDifference <= 1.02 * difference) return outcome;
    budget *= 1.01;
  }
  return unreachable(difference);
}

/**
 * For an estimator that calibrates and corrects by one set of labels, those of the policies' own responses: m = s n for a share s of prompts
 * with labels, so V = (σ² + τ²/s)/n, and n alone is chosen. At least as many prompts as the least labels take.
 *
 * @example
 * planAtShare({ perPrompt: 0.1, perLabel: 0.1, rSquared: 1 }, { perPrompt: 0.01, perLabel: 0.16 }, 0.5, { budget: 90 }).plan.prompts // 1000
 */
export function planAtShare(
  model: VarianceModel,
  costs: Costs,
  share: number,
  wish: { readonly budget: number } | { readonly difference: number },
  options: PowerOptions = POWER,
): PlanOutcome {
  const variance = Math.max(model.perPrompt, 0) + Math.max(model.perLabel, 0) / share;
  if (!(variance > 0)) {
    return { ok: false, reason: 'no-variance', message: 'both variance components are zero: there is nothing to plan' };
  }
  const cost = costs.perPrompt + share * costs.perLabel;
  const least = Math.ceil(options.minimumLabels / share - 1e-9);
  if ('difference' in wish) {
    const prompts = Math.max(Math.ceil((variance * multiple(options) ** 2) / wish.difference ** 2), least);
    return { ok: true, plan: planOf(model, costs, prompts, Math.ceil(share * prompts - 1e-9), options) };
  }
  const prompts = Math.floor(wish.budget / cost + 1e-9);
  if (prompts >= least) {
    return { ok: true, plan: planOf(model, costs, prompts, Math.floor(share * prompts + 1e-9), options) };
  }
  const message = `${least} prompts with ${options.minimumLabels} labelled ones among them cost ${Number((least * cost).toPrecision(4))}`;
  return { ok: false, reason: 'budget-too-small', message };
}

function unreachable(difference: number): PlanOutcome {
  return {
    ok: false,
    reason: 'unreachable',
    message: `no plan with the minimum of labels detects a difference of ${difference}`,
  };
}

/**
 * Detectable difference: (t_{1−α/2} + z_power)·SE of a paired difference's standard error; of one policy's, times √2, as if the
 * two were independent, which is conservative for policies that share prompts.
 *
 * @example
 * detectableDifference(0.01) // 0.0396204
 */
export function detectableDifference(standardError: number, options: PowerOptions = POWER): number {
  return multiple(options) * standardError;
}

/** The detectable difference in standard errors. */
function multiple({ alpha, power, variance, degreesOfFreedom = Number.POSITIVE_INFINITY }: PowerOptions): number {
  const quantiles = studentQuantile(1 - alpha / 2, degreesOfFreedom) + normalQuantile(power);
  return variance === 'difference' ? quantiles : quantiles * Math.SQRT2;
}

function planOf(model: VarianceModel, costs: Costs, prompts: number, labels: number, options: PowerOptions): Plan {
  const standardError = Math.sqrt(Math.max(model.perPrompt, 0) / prompts + Math.max(model.perLabel, 0) / labels);
  return {
    prompts,
    labels,
    cost: prompts * costs.perPrompt + labels * costs.perLabel,
    standardError,
    detectableDifference: detectableDifference(standardError, options),
  };
}

/** One measured variance of an estimate, at n prompts and m labels. */
export interface MeasuredVariance {
  readonly prompts: number;
  readonly labels: number;
  readonly variance: number;
}

/**
 * The variance model that one estimate already implies: its sampling variance times n, with what labels and draws of the same
 * prompts share, and its oracle variance times m.
 * Cheaper than measuring a grid, and as good as the two components are.
 *
 * @example
 * impliedVarianceModel({ samplingVariance: 0.001, oracleVariance: 0.002, sharedVariance: 0 }, 100, 50) // {"perPrompt":0.1,"perLabel":0.1,"rSquared":1}
 */
export function impliedVarianceModel(
  components: { readonly samplingVariance: number; readonly oracleVariance: number; readonly sharedVariance: number },
  prompts: number,
  labels: number,
): VarianceModel {
  return {
    // A covariance that comes out negative is noise more often than luck that a larger study would have too.
    perPrompt: (components.samplingVariance + Math.max(components.sharedVariance, 0)) * prompts,
    perLabel: components.oracleVariance * labels,
    rSquared: 1,
  };
}

/**
 * R² of the law on measured variances, 1 − Σ(V − V(n, m))²/Σ(V − V̄)²: the share of their spread that it explains; null below three of
 * them, or without a spread.
 *
 * @example
 * explainedShare({ perPrompt: 1, perLabel: 0 }, [1, 2, 4].map((prompts) => ({ prompts, labels: 1, variance: 1 / prompts }))) // 1
 */
export function explainedShare(
  { perPrompt, perLabel }: Pick<VarianceModel, 'perPrompt' | 'perLabel'>,
  points: readonly MeasuredVariance[],
): number | null {
  if (points.length < 3) return null;
  const centre = points.reduce((sum, { variance }) => sum + variance, 0) / points.length;
  let residual = 0;
  let spread = 0;
  for (const { prompts, labels, variance } of points) {
    residual += (variance - perPrompt / prompts - perLabel / labels) ** 2;
    spread += (variance - centre) ** 2;
  }
  return spread > 0 ? 1 - residual / spread : null;
}
