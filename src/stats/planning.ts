import { dot, mean } from './numeric/moments.ts';
import { normalQuantile, studentQuantile } from './numeric/special-functions.ts';

/** V(n, m) = perPrompt/n + perLabel/m + remaining: variance of an estimate from n evaluated prompts and m oracle labels. */
export interface VarianceModel {
  readonly perPrompt: number;
  readonly perLabel: number;
  /**
   * Of a difference: the second moment of the share that it may be overstated by, for a calibration of m labels
   * overstated/m. Absent for none. It is one of chance, whose variance falls as 1/m, and of a steepness that falls faster.
   */
  readonly overstated?: number;
  /** What neither prompts nor labels lower; absent for nothing. */
  readonly remaining?: number;
  /** Share of the measured variances' spread that the model explains but for a factor; below 0.5 do not trust a plan. */
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
  const planned = (perLabel: number) => {
    const [prompts, labels] = allocation({ ...model, perLabel }, costs, budget, options);
    return planOf(model, prompts, labels, costs, options);
  };
  const first = planned(model.perLabel);
  const overstated = overstatedPerLabel(model, first, options);
  if (overstated === 0) return { ok: true, plan: first };
  const second = planned(model.perLabel + overstated);
  return { ok: true, plan: second.detectableDifference < first.detectableDifference ? second : first };
}

/**
 * What a calibration may overstate, as variance a label that would raise the detectable difference d = √V (k + z), k =
 * t/√(1 − t² o), as much with each label that is lacking: o m d² (k/(k + z))³, by the derivatives of ln d.
 */
function overstatedPerLabel({ overstated = 0 }: VarianceModel, plan: Plan, options: PowerOptions): number {
  const { found, power } = quantilesOf(options, overstated / plan.labels);
  if (overstated === 0 || found === Number.POSITIVE_INFINITY) return overstated * found;
  return overstated * plan.detectableDifference ** 2 * (found / (found + power)) ** 3;
}

function allocation(
  { perPrompt, perLabel }: Pick<VarianceModel, 'perPrompt' | 'perLabel'>,
  costs: Costs,
  budget: number,
  { minimumLabels }: PowerOptions,
): readonly [prompts: number, labels: number] {
  const [rootPrompt, rootLabel] = [Math.sqrt(Math.max(perPrompt, 0)), Math.sqrt(Math.max(perLabel, 0))];
  const scale = rootPrompt * Math.sqrt(costs.perPrompt) + rootLabel * Math.sqrt(costs.perLabel);
  let prompts = (budget * rootPrompt) / Math.sqrt(costs.perPrompt) / scale;
  let labels = (budget * rootLabel) / Math.sqrt(costs.perLabel) / scale;
  // So too where labels decide alone, and there is no law to share by.
  if (!(labels <= prompts)) {
    prompts = budget / (costs.perPrompt + costs.perLabel);
    labels = prompts;
  }
  // A sum of money that comes out whole but for rounding must not lose a unit to truncation.
  labels = Math.max(Math.floor(labels + 1e-9), minimumLabels);
  prompts = Math.min(
    Math.floor(prompts + 1e-9),
    Math.floor((budget - costs.perLabel * labels) / costs.perPrompt + 1e-9),
  );
  return [Math.max(prompts, labels), labels];
}

/**
 * The cheapest plan whose detectable difference is at most `difference`, of those that {@link planForBudget} makes, to the
 * price of a prompt or a label.
 *
 * @example
 * planForDifference({ perPrompt: 0.1, perLabel: 0.1, rSquared: 1 }, { perPrompt: 0.01, perLabel: 0.16 }, 0.1).plan.labels // 197
 */
export function planForDifference(
  model: VarianceModel,
  costs: Costs,
  difference: number,
  options: PowerOptions = POWER,
): PlanOutcome {
  const least = options.minimumLabels * (costs.perPrompt + costs.perLabel);
  const step = Math.min(costs.perPrompt, costs.perLabel);
  const planned = (steps: number) => planForBudget(model, costs, least + steps * step, options);
  const steps = leastSteps((count) => {
    const outcome = planned(count);
    return !outcome.ok || outcome.plan.detectableDifference <= difference;
  });
  return steps === null ? unreachable(difference) : planned(steps);
}

/** More than any plan has. */
const MOST_STEPS = 2 ** 50;

/** The least whole number from 0 on at which what grows with it is enough; null where nothing is. */
function leastSteps(isEnough: (steps: number) => boolean): number | null {
  let [low, high] = [-1, 0];
  while (!isEnough(high)) {
    if (high >= MOST_STEPS) return null;
    [low, high] = [high, 2 * high + 1];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * For an estimator that calibrates and corrects by one set of labels, those of the policies' own responses: m = s n for a
 * share s of prompts with labels, so V = (σ² + τ²/s)/n + what remains, and n alone is chosen. At least as many prompts as
 * the least labels take.
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
    const planned = (prompts: number) => planOf(model, prompts, Math.ceil(share * prompts - 1e-9), costs, options);
    const more = leastSteps((steps) => planned(least + steps).detectableDifference <= wish.difference);
    return more === null ? unreachable(wish.difference) : { ok: true, plan: planned(least + more) };
  }
  const prompts = Math.floor(wish.budget / cost + 1e-9);
  if (prompts >= least) {
    return { ok: true, plan: planOf(model, prompts, Math.floor(share * prompts + 1e-9), costs, options) };
  }
  const message = `${least} prompts with ${options.minimumLabels} labelled ones among them cost ${Number((least * cost).toPrecision(4))}`;
  return { ok: false, reason: 'budget-too-small', message };
}

function unreachable(difference: number): PlanOutcome {
  return {
    ok: false,
    reason: 'unreachable',
    message: `no number of prompts and labels detects a difference of ${difference}`,
  };
}

/** The detectable difference in standard errors. */
function multiple(options: PowerOptions, overstated: number): number {
  const { found, power } = quantilesOf(options, overstated);
  return options.variance === 'difference' ? found + power : (found + power) * Math.SQRT2;
}

/**
 * From how many standard errors on a difference is found, and how many more it takes to be found with the wanted power. A
 * difference d̂ that may be overstated by a share of second moment o is found where d̂² reaches t² (V + o d̂²), which is
 * from t √(V/(1 − t² o)) on; none is where o is 1/t² or more.
 */
function quantilesOf(
  { alpha, power, degreesOfFreedom = Number.POSITIVE_INFINITY }: PowerOptions,
  overstated: number,
): { readonly found: number; readonly power: number } {
  const t = studentQuantile(1 - alpha / 2, degreesOfFreedom);
  return { found: t / Math.sqrt(Math.max(1 - t ** 2 * overstated, 0)), power: normalQuantile(power) };
}

/**
 * What so many prompts and labels tell apart, and the standard error of such a difference: √V of a paired difference's
 * variance times t_{1−α/2} + z_power, more where it may be overstated; of one policy's, times √2, as if the two were
 * independent, which is conservative for policies that share prompts.
 *
 * @example
 * reachOf({ perPrompt: 0.01, perLabel: 0 }, 100, 10).detectableDifference // 0.0396204
 */
export function reachOf(
  { perPrompt, perLabel, overstated = 0, remaining = 0 }: Omit<VarianceModel, 'rSquared'>,
  prompts: number,
  labels: number,
  options: PowerOptions = POWER,
): Pick<Plan, 'standardError' | 'detectableDifference'> {
  const variance = Math.max(perPrompt, 0) / prompts + Math.max(perLabel, 0) / labels + remaining;
  const share = overstated / labels;
  const difference = Math.sqrt(variance) * multiple(options, share);
  const standardError = share === 0 ? Math.sqrt(variance) : Math.sqrt(variance + share * difference ** 2);
  return { standardError, detectableDifference: difference };
}

function planOf(model: VarianceModel, prompts: number, labels: number, costs: Costs, options: PowerOptions): Plan {
  const cost = prompts * costs.perPrompt + labels * costs.perLabel;
  return { prompts, labels, cost, ...reachOf(model, prompts, labels, options) };
}

/** One measured variance of an estimate, at n prompts and m labels. */
export interface MeasuredVariance {
  readonly prompts: number;
  readonly labels: number;
  readonly variance: number;
}

/** Of an estimate or a difference, see `VarianceComponents` and `DifferenceComponents`. */
interface PlannedComponents {
  readonly samplingVariance: number;
  readonly oracleVariance: number;
  readonly sharedVariance: number;
  readonly extrapolationVariance?: number;
  readonly labelVariance?: number;
  readonly ownVariance?: number;
  readonly overstatedShare?: number;
  readonly stabilisationVariance?: number;
}

/**
 * The variance model that one estimate already implies. More prompts lower its sampling variance, with what labels and
 * draws of the same prompts share and what rare own labels add, as these are a share of the prompts; more labels its oracle
 * variance, what lies beyond them, as they also reach further, and what few or rare ones add. Cheaper than measuring a
 * grid, and as good as the components are.
 *
 * @example
 * impliedVarianceModel({ samplingVariance: 0.001, oracleVariance: 0.002, sharedVariance: 0 }, 100, 50).perLabel // 0.1
 */
export function impliedVarianceModel(components: PlannedComponents, prompts: number, labels: number): VarianceModel {
  const { samplingVariance, sharedVariance, ownVariance = 0 } = components;
  const { oracleVariance, extrapolationVariance = 0, labelVariance = 0 } = components;
  const { overstatedShare = 0, stabilisationVariance = 0 } = components;
  return {
    // A covariance that comes out negative is noise more often than luck that a larger study would have too.
    perPrompt: (samplingVariance + Math.max(sharedVariance, 0) + ownVariance) * prompts,
    perLabel: (oracleVariance + extrapolationVariance + labelVariance) * labels,
    overstated: overstatedShare * labels,
    remaining: stabilisationVariance,
    rSquared: 1,
  };
}

/**
 * R² of how measured variances fall, on c V(n, m) with the best c: 1 − Σ(V − c V(n, m))²/Σ(V − V̄)²; null below three of
 * them, or without a spread. What a pilot takes its variance to be is its own; subsets of it say how that falls, and their
 * size is theirs: as noisy as the pilot's, and a median of what is skewed.
 *
 * @example
 * explainedShare({ perPrompt: 1, perLabel: 0 }, [1, 2, 4].map((prompts) => ({ prompts, labels: 1, variance: 3 / prompts }))) // 1
 */
export function explainedShare(
  { perPrompt, perLabel, remaining = 0 }: Pick<VarianceModel, 'perPrompt' | 'perLabel' | 'remaining'>,
  points: readonly MeasuredVariance[],
): number | null {
  if (points.length < 3) return null;
  const law = points.map(({ prompts, labels }) => perPrompt / prompts + perLabel / labels + remaining);
  const variances = points.map(({ variance }) => variance);
  const squares = dot(law, law);
  const scale = squares > 0 ? dot(law, variances) / squares : 0;
  const centre = mean(variances);
  let residual = 0;
  let spread = 0;
  variances.forEach((variance, i) => {
    residual += (variance - scale * law[i]!) ** 2;
    spread += (variance - centre) ** 2;
  });
  return spread > 0 ? 1 - residual / spread : null;
}
