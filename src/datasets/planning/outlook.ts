/** What a pilot promises: the difference that it can tell apart, and what more prompts and labels would. */

import { EXIT, ProblemError } from '../../core/problem.ts';
import {
  type Costs,
  correctsByOwnLabels,
  detectableDifference,
  ESTIMATORS,
  type Plan,
  type PowerOptions,
  planForBudget,
  planForDifference,
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
  readonly pilot: Pilot;
  /** Policies whose responses each prompt needs. */
  readonly responsesPerPrompt: number;
  /** Labels on target policies' own responses, a prompt; 0 for an estimator that reads none. */
  readonly ownLabelsPerPrompt: number;
  readonly prices: Prices;
  /** The policy whose estimate is the least certain: the plan is made for it. */
  readonly hardest: string;
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
}

type Estimated = Extract<PolicyPilot, { status: 'ok' }>;

/** @throws ProblemError where no policy can be estimated, a price is missing, or no plan reaches the goal. */
export function outlookOf({ dataset, estimator, pilot, prices, goal, options }: OutlookQuestion): PowerForecast {
  const estimated = pilot.policies.filter((policy): policy is Estimated => policy.status === 'ok');
  const [first] = estimated;
  if (first === undefined) {
    const [refused] = pilot.policies;
    throw new ProblemError(
      {
        id: 'CJE-NO-FORECAST',
        headline: `${estimator} gives no estimate on ${dataset}, so there is no variance to plan from`,
        ...(refused?.status === 'refused' ? { facts: [[refused.policy, refused.reason] as const] } : {}),
        hint: 'plan for another estimator with --estimator, or build a larger pilot',
      },
      EXIT.failed,
    );
  }
  const hardest = estimated.reduce(
    (worst, policy) => (policy.standardError > worst.standardError ? policy : worst),
    first,
  );
  const responsesPerPrompt = pilot.policies.length + 1;
  const ownLabelsPerPrompt = correctsByOwnLabels(ESTIMATORS.get(estimator).needs) ? pilot.ownLabels / pilot.prompts : 0;
  const common = {
    dataset,
    estimator,
    alpha: options.alpha,
    power: options.power,
    pilot,
    responsesPerPrompt,
    ownLabelsPerPrompt,
    prices,
    hardest: hardest.policy,
    detectableDifference: detectableDifference(hardest.standardError, options),
    goal,
  };
  if (goal.type === 'none') return { ...common, plan: null };
  const costs = costsOf(prices, responsesPerPrompt, ownLabelsPerPrompt);
  const { perPrompt, perLabel, rSquared } = hardest;
  const model = { perPrompt, perLabel, rSquared: rSquared ?? 1 };
  const outcome =
    goal.type === 'budget'
      ? planForBudget(model, costs, goal.budget, options)
      : planForDifference(model, costs, goal.difference, options);
  if (outcome.ok) return { ...common, plan: outcome.plan };
  throw new ProblemError(
    {
      id: 'CJE-NO-FORECAST',
      headline: outcome.message,
      facts: [
        ['estimator', estimator],
        ['policy', hardest.policy],
      ],
      hint: PLAN_HINTS[outcome.reason],
    },
    EXIT.failed,
  );
}

const PLAN_HINTS = {
  'budget-too-small': 'raise --budget, or lower --minimum-labels',
  'no-variance': 'the pilot’s estimates do not vary; build one whose scores and labels do',
  unreachable: 'ask for a larger --difference, or raise --minimum-labels',
} as const;

/** Labels are on the logged policy's responses, one a prompt; every prompt is answered and scored by every policy. */
function costsOf({ score, label }: Prices, responsesPerPrompt: number, ownLabelsPerPrompt: number): Costs {
  if (score !== undefined && label !== undefined) {
    return { perPrompt: score * responsesPerPrompt + label * ownLabelsPerPrompt, perLabel: label };
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
