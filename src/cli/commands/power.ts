/** `cje power`: how many prompts and labels a wanted difference needs, or a budget buys. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode, nearest, ProblemError } from '../../core/problem.ts';
import type { Action } from '../../core/storage.ts';
import { QUALITY } from '../../datasets/dataset-rows.ts';
import { evaluationData, rankedData } from '../../datasets/evaluation-data.ts';
import { type Goal, outlookOf, type Prices } from '../../datasets/planning/outlook.ts';
import { paidPrices } from '../../datasets/planning/paid-prices.ts';
import { pilotInUnits, pilotOf } from '../../datasets/planning/pilot.ts';
import type { DatasetQuality } from '../../datasets/results.ts';
import { type Scale, scaleField } from '../../datasets/scale.ts';
import { unitsOf } from '../../datasets/units.ts';
import { readInput } from '../../engine/inputs.ts';
import { reach } from '../../engine/select.ts';
import { survey } from '../../engine/survey.ts';
import { ablationSchema, estimatorSettings } from '../../kinds/files/ablation.ts';
import {
  allocateLabels,
  type CommonSettings,
  ESTIMATOR_NAMES,
  ESTIMATORS,
  type EvaluationData,
  POWER,
  type PowerOptions,
} from '../../stats/index.ts';
import { number, positiveNumber } from '../numbers.ts';
import { chosenDataset } from '../one-node.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { powerText } from '../text/power-text.ts';

/** What a plan is for unless said: an estimator whose variance depends on no overlap. */
const PLANNED_FOR = ESTIMATORS.leader({ log: false, draws: true, labels: 'calibration' })!;

export class PowerCommand extends PipelineCommand {
  static override paths = [['power']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'how many prompts and labels a wanted difference needs, or a budget buys',
    details: `
      A built dataset is the pilot: on it the estimator's variance is split into what more prompts would lower and what more
      labels would. Without a goal, it is said what the dataset itself can tell apart.

      Prices are those that the pilot paid, unless given: for one response with its score, and for one oracle label.
    `,
    examples: [
      ['What can this dataset tell apart?', 'cje power dataset/deterministic'],
      ['What would a difference of two points take?', 'cje power dataset/deterministic --difference 0.02'],
      ['Which 60 rows are worth a label?', 'cje power dataset/deterministic --allocate 60 > to-label.jsonl'],
      ['What would a hundred dollars buy?', 'cje power dataset/deterministic --budget 100 --label-price 0.04'],
    ],
  });

  target = Option.String({ name: 'dataset', required: false });
  estimator = Option.String('--estimator', PLANNED_FOR, { description: 'the estimator to plan for' });
  difference = Option.String('--difference', { description: 'the difference of two policies that must be found' });
  budget = Option.String('--budget', { description: 'dollars to spend' });
  scorePrice = Option.String('--score-price', { description: 'dollars for one response with its score' });
  labelPrice = Option.String('--label-price', { description: 'dollars for one oracle label' });
  alpha = Option.String('--alpha', String(POWER.alpha), { description: 'chance of a false alarm' });
  power = Option.String('--power', String(POWER.power), { description: 'chance that the difference is found' });
  between = Option.String('--between', {
    description: 'the two policies to plan for, as A,B; unless given those whose difference is the least certain',
  });
  allocate = Option.String('--allocate', {
    description: 'choose about so many logged rows to label next, and print a line for each row with its probability',
  });
  seed = Option.String('--seed', '1', { description: 'the seed of that choice' });
  force = Option.Boolean('--force', false, {
    description: 'plan although the pilot’s subsets do not bear the plan out',
  });
  minimumLabels = Option.String('--minimum-labels', String(POWER.minimumLabels), {
    description: 'labels that a calibration needs at least',
  });

  run(): Promise<ExitCode> {
    const settings = settingsOf(this.estimator);
    const options: PowerOptions = {
      alpha: share('--alpha', this.alpha),
      power: share('--power', this.power),
      minimumLabels: positiveNumber('--minimum-labels', this.minimumLabels) ?? POWER.minimumLabels,
    };
    const wish = { difference: number('--difference', this.difference), budget: number('--budget', this.budget) };
    if (wish.difference !== undefined && wish.budget !== undefined) throw twoGoals();
    const between = pairOf(this.between);
    const allocated = positiveNumber('--allocate', this.allocate);
    const seed = seedOf(this.seed);
    const given = { score: price('--score-price', this.scorePrice), label: price('--label-price', this.labelPrice) };
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph, ports, store } = session;
      const name = chosenDataset(session, this.target, (target) => this.targets(session, [target]), 'cje power');
      const found = await survey(reach(graph, [name]), ports);
      const action = found.get(name)?.action;
      if (action === undefined) {
        throw new ProblemError(
          { id: 'CJE-NOT-BUILT', headline: `${name} is not built`, hint: `cje build ${name}` },
          EXIT.failed,
        );
      }
      const input = readInput(action, store.blobs);
      const { scale } = JSON.parse(input.text(QUALITY)) as DatasetQuality;
      const goal = goalOf(wish, scale);
      if (allocated !== undefined) {
        this.print(allocationText(settings, evaluationData(input), { labels: allocated, seed }));
        return EXIT.built;
      }
      const pilot = pilotInUnits(pilotOf(settings, rankedData(input)), unitsOf(scale));
      const paid = paidPrices(graph, name, (node) => found.get(node)?.action as Action | undefined, ports.prices);
      const prices: Prices = { score: given.score ?? paid.score, label: given.label ?? paid.label };
      const { estimator, force } = this;
      const outlook = outlookOf({ dataset: name, estimator, pilot, prices, goal, options, between, force });
      if (this.json) this.printJson({ type: 'power', version: 1, ...scaleField(scale), ...outlook });
      else this.print(powerText(outlook));
      return EXIT.built;
    });
  }
}

function settingsOf(estimator: string) {
  const parsed = ablationSchema.safeParse({ estimator, on_missing_judge_score: 'drop', on_missing_fresh_draw: 'drop' });
  if (parsed.success) return estimatorSettings(parsed.data, undefined, false);
  const meant = nearest(estimator, ESTIMATOR_NAMES);
  throw new ProblemError({
    id: 'CJE-UNKNOWN-ESTIMATOR',
    headline: `there is no estimator ${JSON.stringify(estimator)}`,
    hint: meant === undefined ? `one of ${ESTIMATOR_NAMES.join(', ')}` : `did you mean ${meant}?`,
  });
}

const twoGoals = () =>
  new ProblemError({
    id: 'CJE-USAGE',
    headline: '--difference and --budget are two goals',
    hint: 'give one: the plan says what the other comes to',
  });

interface Wish {
  readonly difference: number | undefined;
  readonly budget: number | undefined;
}

/** @param scale that labels, and so differences, are told on */
function goalOf({ difference, budget }: Wish, [low, high]: Scale = [0, 1]): Goal {
  if (difference !== undefined) {
    if (difference > 0 && difference < high - low) return { type: 'difference', difference };
    throw new ProblemError({
      id: 'CJE-BAD-OPTION',
      headline: `--difference is on the labels’ scale of ${low} to ${high}: between 0 and ${high - low}`,
    });
  }
  if (budget === undefined) return { type: 'none' };
  if (budget > 0) return { type: 'budget', budget };
  throw new ProblemError({ id: 'CJE-BAD-OPTION', headline: '--budget takes dollars, more than 0' });
}

function pairOf(text: string | undefined): readonly [string, string] | undefined {
  if (text === undefined) return undefined;
  const [one, other, ...more] = text.split(',');
  if (one !== undefined && other !== undefined && more.length === 0 && one !== other) return [one, other];
  throw new ProblemError({ id: 'CJE-BAD-OPTION', headline: '--between takes two policies, as A,B' });
}

/** A JSON line for each row of the log: whether to label it, and the probability that belongs to its label. */
function allocationText(
  settings: CommonSettings,
  data: EvaluationData,
  options: { readonly labels: number; readonly seed: number },
): string {
  if (data.pooled === true) {
    throw new ProblemError(
      {
        id: 'CJE-NO-FORECAST',
        headline: 'without a log there are no logged rows to choose from',
        hint: 'label a random share of each policy’s responses',
      },
      EXIT.failed,
    );
  }
  const allocation = allocateLabels(settings, data, options);
  if (allocation.ok) {
    return allocation.rows
      .map(({ promptId, chosen, labelPropensity }) =>
        JSON.stringify({ prompt_id: promptId, label: chosen, label_propensity: labelPropensity }),
      )
      .join('\n')
      .concat('\n');
  }
  const { message, whatToCollect } = allocation.refusal;
  throw new ProblemError(
    { id: 'CJE-NO-FORECAST', headline: `labels cannot be allocated: ${message}`, hint: whatToCollect },
    EXIT.failed,
  );
}

function seedOf(text: string): number {
  const value = number('--seed', text)!;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new ProblemError({ id: 'CJE-BAD-OPTION', headline: '--seed is a whole number from 0' });
}

function share(option: string, text: string): number {
  const value = number(option, text)!;
  if (value > 0 && value < 1) return value;
  throw new ProblemError({ id: 'CJE-BAD-OPTION', headline: `${option} lies between 0 and 1, and is ${value}` });
}

function price(option: string, text: string | undefined): number | undefined {
  const value = number(option, text);
  if (value === undefined || value > 0) return value;
  throw new ProblemError({ id: 'CJE-BAD-OPTION', headline: `${option} takes dollars, more than 0` });
}
