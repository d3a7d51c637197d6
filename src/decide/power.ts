/** How many prompts and labels a wanted difference needs, or a budget buys: a built dataset is the pilot. */

import type { Graph } from '../core/graph.ts';
import type { Input } from '../core/kind.ts';
import { badOption, EXIT, nearest, ProblemError } from '../core/problem.ts';
import type { PriceBook } from '../core/provider-port.ts';
import type { Action } from '../core/storage.ts';
import { QUALITY } from '../datasets/dataset-rows.ts';
import { rankedData } from '../datasets/evaluation-data.ts';
import { type Goal, outlookOf, type PowerForecast, type Prices } from '../datasets/planning/outlook.ts';
import { paidPrices } from '../datasets/planning/paid-prices.ts';
import { pilotInUnits, pilotOf } from '../datasets/planning/pilot.ts';
import type { DatasetQuality } from '../datasets/results.ts';
import type { Scale } from '../datasets/scale.ts';
import { unitsOf } from '../datasets/units.ts';
import { ablationSchema, estimatorSettings } from '../kinds/files/ablation.ts';
import { allocateLabels, type CommonSettings, ESTIMATOR_NAMES, ESTIMATORS, type PowerOptions } from '../stats/index.ts';

/** What a plan is for unless said: an estimator whose variance depends on no overlap. */
export const PLANNED_FOR = ESTIMATORS.leader({ log: false, draws: true, labels: 'calibration' })!;

/** What is wanted; at most one of the two. */
interface PowerWish {
  readonly difference: number | undefined;
  /** Dollars. */
  readonly budget: number | undefined;
}

interface Pilot {
  readonly name: string;
  readonly output: Input;
  readonly graph: Graph;
  /** What the nodes that stand behind it have left, which says what was paid. */
  readonly finished: (node: string) => Action | undefined;
  readonly prices: PriceBook;
}

interface PowerQuestion {
  readonly estimator: string;
  readonly settings: CommonSettings;
  readonly wish: PowerWish;
  /** Given in place of those that the pilot paid. */
  readonly prices: Partial<Prices>;
  readonly options: PowerOptions;
  readonly between: readonly [string, string] | undefined;
  /** Plans although the pilot's subsets do not bear the plan out. */
  readonly force: boolean;
}

/** @throws ProblemError for a goal that no plan reaches, or data that bears no plan */
export function powerOf(
  { name, output, graph, finished, prices: book }: Pilot,
  { estimator, settings, wish, prices, options, between, force }: PowerQuestion,
): { readonly forecast: PowerForecast; readonly scale: Scale | undefined } {
  const { scale } = JSON.parse(output.text(QUALITY)) as DatasetQuality;
  const goal = goalOf(wish, scale);
  const pilot = pilotInUnits(pilotOf(settings, rankedData(output)), unitsOf(scale));
  const paid = paidPrices(graph, name, finished, book);
  const both: Prices = { score: prices.score ?? paid.score, label: prices.label ?? paid.label };
  return {
    forecast: outlookOf({ dataset: name, estimator, pilot, prices: both, goal, options, between, force }),
    scale,
  };
}

/** What an estimator is planned with. @throws ProblemError where there is none of that name */
export function settingsOf(estimator: string): CommonSettings {
  const parsed = ablationSchema.safeParse({ estimator, on_missing_judge_score: 'drop', on_missing_fresh_draw: 'drop' });
  if (parsed.success) return estimatorSettings(parsed.data, undefined, false);
  const meant = nearest(estimator, ESTIMATOR_NAMES);
  throw new ProblemError({
    id: 'CJE-UNKNOWN-ESTIMATOR',
    headline: `there is no estimator ${JSON.stringify(estimator)}`,
    hint: meant === undefined ? `one of ${ESTIMATOR_NAMES.join(', ')}` : `did you mean ${meant}?`,
  });
}

/** @param scale that labels, and so differences, are told on */
function goalOf({ difference, budget }: PowerWish, [low, high]: Scale = [0, 1]): Goal {
  if (difference !== undefined) {
    if (difference > 0 && difference < high - low) return { type: 'difference', difference };
    throw badOption(`--difference is on the labels’ scale of ${low} to ${high}: between 0 and ${high - low}`);
  }
  if (budget === undefined) return { type: 'none' };
  if (budget > 0) return { type: 'budget', budget };
  throw badOption('--budget takes dollars, more than 0');
}

interface Wanted {
  /** About so many. */
  readonly labels: number;
  readonly seed: number;
}

/**
 * For each row of the log whether to label it, and the probability that belongs to its label; and the policy that wrote
 * them.
 *
 * @throws ProblemError
 */
export function labelAllocation(output: Input, settings: CommonSettings, wanted: Wanted) {
  const data = rankedData(output);
  if (data.pooled === true) {
    throw noForecast(
      'without a log there are no logged rows to choose from',
      'label a random share of each policy’s responses',
    );
  }
  const allocation = allocateLabels(settings, data, wanted);
  if (allocation.ok) return { policy: data.logger, rows: allocation.rows };
  const { message, whatToCollect } = allocation.refusal;
  throw noForecast(`labels cannot be allocated: ${message}`, whatToCollect);
}

const noForecast = (headline: string, hint: string): ProblemError =>
  new ProblemError({ id: 'CJE-NO-FORECAST', headline, hint }, EXIT.failed);
