/** What a pilot promises: the difference that it can tell apart, and what more prompts and labels would. */

import { EXIT, ProblemError } from '../../core/problem.ts';
import {
  type Costs,
  correctsByOwnLabels,
  ESTIMATORS,
  type Plan,
  type PowerOptions,
  planAtShare,
  planForBudget,
  planForDifference,
  reachOf,
} from '../../stats/index.ts';
import type { Pilot, PolicyPilot } from './pilot.ts';

export type Goal =
  | { readonly type: 'none' }
  | { readonly type: 'difference'; readonly difference: number }
  | { readonly type: 'budget'; readonly budget: number };

/** Dollars for one response with its score, and for one oracle label. */
export interface Prices {
  readonly score: number | undefined;
  readonly label: number | undefined;
}

export interface PowerForecast {
  readonly dataset: string;
  readonly estimator: string;
  readonly alpha: number;
  readonly power: number;
  readonly minimumLabels: number;
  readonly pilot: Pilot;
  /** Policies whose responses each prompt needs: the log's too, where there is one. */
  readonly responsesPerPrompt: number;
  /** Labels of a prompt that has any: 1 on a log, more where several policies' answers to it are labelled. */
  readonly labelsPerPrompt: number;
  /** Labels on target policies' own responses beside those of the calibration, a prompt; 0 for an estimator that reads none. */
  readonly ownLabelsPerPrompt: number;
  readonly prices: Prices;
  /** The pair of policies whose difference is the least certain, or the one policy there is: the plan is made for it. */
  readonly hardest: string;
  /** Whether that pair was asked for. */
  readonly chosen: boolean;
  /** How well the law holds on the pilot's subsets for it; null where the pilot is too small to tell. */
  readonly rSquared: number | null;
  /** What the pilot itself can tell apart. */
  readonly detectableDifference: number;
  readonly goal: Goal;
  readonly plan: Plan | null;
}

interface OutlookQuestion {
  readonly dataset: string;
  readonly estimator: string;
  readonly pilot: Pilot;
  readonly prices: Prices;
  readonly goal: Goal;
  readonly options: PowerOptions;
  /** The two policies to plan for; absent for the pair whose difference is the least certain. */
  readonly between?: readonly [string, string] | undefined;
  /** Plan although the law does not hold on the pilot's subsets. */
  readonly force?: boolean;
}

/** A law that explains less of the measured variances than this is no ground for a plan. */
export const TRUSTED_FIT = 0.5;

type Estimated = Extract<PolicyPilot, { status: 'ok' }>;

/** @throws ProblemError where no policy can be estimated, a price is missing, or no plan reaches the goal. */
export function outlookOf({
  dataset,
  estimator,
  pilot,
  prices,
  goal,
  options: asked,
  between,
  force = false,
}: OutlookQuestion): PowerForecast {
  const estimated = pilot.policies.filter((policy): policy is Estimated => policy.status === 'ok');
  const [first] = estimated;
  if (first === undefined) {
    const [refused] = pilot.policies;
    throw new ProblemError(
      {
        id: 'CJE-NO-FORECAST',
        headline: `${estimator} gives no estimate on ${dataset}, so there is no variance to plan from`,
        ...(refused?.status === 'refused' ? { facts: [[refused.policy, refused.reason] as const] } : {}),
        hint: `${refused?.status === 'refused' ? refused.collect : 'Build a larger pilot.'} Or plan for another estimator with --estimator.`,
      },
      EXIT.failed,
    );
  }
  const hardest = between === undefined ? hardestOf(pilot, estimated, first) : pairOf(pilot, between);
  const options: PowerOptions = { ...asked, variance: hardest.variance, degreesOfFreedom: hardest.degreesOfFreedom };
  const answering = new Set(pilot.policies.map(({ policy }) => policy));
  if (pilot.logger !== undefined) answering.add(pilot.logger);
  const responsesPerPrompt = answering.size;
  const labelsPerPrompt = pilot.pooledLabels === undefined ? 1 : pilot.pooledLabels / Math.max(pilot.labels, 1);
  const byOwnLabels = correctsByOwnLabels(ESTIMATORS.get(estimator).needs);
  // Without a log they are those of the calibration, and paid once.
  const oneSet = byOwnLabels && pilot.pooledLabels !== undefined;
  const ownLabelsPerPrompt = byOwnLabels && !oneSet ? pilot.ownLabels / pilot.prompts : 0;
  const common = {
    dataset,
    estimator,
    alpha: options.alpha,
    power: options.power,
    minimumLabels: options.minimumLabels,
    pilot,
    responsesPerPrompt,
    labelsPerPrompt,
    ownLabelsPerPrompt,
    prices,
    hardest: hardest.name,
    chosen: between !== undefined,
    rSquared: hardest.rSquared,
    detectableDifference: reachOf(hardest, pilot.prompts, Math.max(pilot.labels, 1), options).detectableDifference,
    goal,
  };
  if (goal.type === 'none') return { ...common, plan: null };
  const costs = costsOf(prices, responsesPerPrompt, labelsPerPrompt, ownLabelsPerPrompt);
  const { rSquared } = hardest;
  if (rSquared !== null && rSquared < TRUSTED_FIT && !force) throw untrusted(hardest.name, rSquared, estimator);
  const model = { ...hardest, rSquared: rSquared ?? 1 };
  const outcome = oneSet
    ? planAtShare(model, costs, Math.max(pilot.labels, 1) / pilot.prompts, goal, options)
    : goal.type === 'budget'
      ? planForBudget(model, costs, goal.budget, options)
      : planForDifference(model, costs, goal.difference, options);
  if (outcome.ok) return { ...common, plan: outcome.plan };
  throw new ProblemError(
    {
      id: 'CJE-NO-FORECAST',
      headline: outcome.message,
      facts: [
        ['estimator', estimator],
        ['for', hardest.name],
      ],
      hint: PLAN_HINTS[outcome.reason],
    },
    EXIT.failed,
  );
}

interface Hardest {
  readonly name: string;
  readonly perPrompt: number;
  readonly perLabel: number;
  readonly overstated?: number;
  readonly remaining?: number;
  readonly rSquared: number | null;
  readonly variance: 'independent' | 'difference';
  readonly degreesOfFreedom: number;
}

/** The pair whose difference is the least certain; of a single policy its own estimate, and another as if independent. */
function hardestOf({ pairs }: Pilot, estimated: readonly Estimated[], first: Estimated): Hardest {
  const [pair, ...more] = pairs;
  if (pair === undefined) {
    const policy = estimated.reduce((worst, of) => (of.standardError > worst.standardError ? of : worst), first);
    return { ...policy, name: policy.policy, variance: 'independent', degreesOfFreedom: Number.POSITIVE_INFINITY };
  }
  const worst = more.reduce((of, other) => (other.standardError > of.standardError ? other : of), pair);
  return { ...worst, name: `${worst.a} − ${worst.b}`, variance: 'difference' };
}

/** @throws ProblemError where the pilot has no estimate of one of them. */
function pairOf({ pairs, policies }: Pilot, [one, other]: readonly [string, string]): Hardest {
  const found = pairs.find(({ a, b }) => (a === one && b === other) || (a === other && b === one));
  if (found !== undefined) return { ...found, name: `${found.a} − ${found.b}`, variance: 'difference' };
  const estimated = policies.flatMap((of) => (of.status === 'ok' ? [of.policy] : []));
  throw new ProblemError({
    id: 'CJE-BAD-OPTION',
    headline: `--between ${one},${other}: the pilot estimates no difference of these two`,
    hint: `two of ${estimated.join(', ')}`,
  });
}

function untrusted(name: string, rSquared: number, estimator: string): ProblemError {
  return new ProblemError(
    {
      id: 'CJE-NO-FORECAST',
      headline: `on subsets of the pilot the variance of ${name} does not fall as a plan takes it to: R² is ${rSquared.toFixed(2)}`,
      facts: [['estimator', estimator]],
      hint: 'build a larger pilot, or take a rough plan with --force',
    },
    EXIT.failed,
  );
}

const PLAN_HINTS = {
  'budget-too-small': 'raise --budget, or lower --minimum-labels',
  'no-variance': 'the pilot’s estimates do not vary; build one whose scores and labels do',
  unreachable: 'ask for a larger --difference, or plan for another estimator with --estimator',
} as const;

/** What a law counts as one label is a prompt with labels; every prompt is answered and scored by every policy. */
function costsOf(
  { score, label }: Prices,
  responsesPerPrompt: number,
  labelsPerPrompt: number,
  ownLabelsPerPrompt: number,
): Costs {
  if (score !== undefined && label !== undefined) {
    return { perPrompt: score * responsesPerPrompt + label * ownLabelsPerPrompt, perLabel: label * labelsPerPrompt };
  }
  const missing = [
    ...(score === undefined ? ['--score-price'] : []),
    ...(label === undefined ? ['--label-price'] : []),
  ];
  throw new ProblemError({
    id: 'CJE-NO-PRICE',
    headline: `a plan needs prices, and the pilot paid none that are known`,
    hint: `give ${missing.join(' and ')} in dollars`,
  });
}
