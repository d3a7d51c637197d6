/** `cje power`: how many prompts and labels a wanted difference needs, or a budget buys. */

import { Command, Option } from 'clipanion';
import { badOption, EXIT, type ExitCode, usageError } from '../../core/problem.ts';
import { chosenDataset } from '../../datasets/nodes.ts';
import { scaleField } from '../../datasets/scale.ts';
import { labelAllocation, PLANNED_FOR, powerOf, settingsOf } from '../../decide/power.ts';
import { reach } from '../../engine/select.ts';
import { builtNode, survey } from '../../engine/survey.ts';
import { POWER, type PowerOptions } from '../../stats/index.ts';
import { allocationText, powerText } from '../../terminal/power-text.ts';
import { number, openShare, positiveNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';

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
      alpha: openShare('--alpha', this.alpha),
      power: openShare('--power', this.power),
      minimumLabels: positiveNumber('--minimum-labels', this.minimumLabels) ?? POWER.minimumLabels,
    };
    const wish = { difference: number('--difference', this.difference), budget: number('--budget', this.budget) };
    if (wish.difference !== undefined && wish.budget !== undefined) {
      throw usageError('--difference and --budget are two goals', 'give one: the plan says what the other comes to');
    }
    const between = pairOf(this.between);
    const labels = positiveNumber('--allocate', this.allocate);
    const seed = seedOf(this.seed);
    const prices = { score: price('--score-price', this.scorePrice), label: price('--label-price', this.labelPrice) };
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph, ports, store } = session;
      const name = chosenDataset(session, this.target, (target) => this.nodeNamed(session, target), 'cje power');
      const found = await survey(reach(graph, [name]), ports);
      const { output } = builtNode(found, name, store.blobs);
      if (labels !== undefined) {
        const { rows, policy } = labelAllocation(output, settings, { labels, seed });
        this.print(allocationText(rows, policy));
        return EXIT.built;
      }
      const finished = (node: string) => found.get(node)?.action;
      const { estimator, force } = this;
      const { forecast, scale } = powerOf(
        { name, output, graph, finished, prices: ports.prices },
        { estimator, settings, wish, prices, options, between, force },
      );
      if (this.json) this.printJson({ type: 'power', version: 1, ...scaleField(scale), ...forecast });
      else this.print(powerText(forecast, this.look.width));
      return EXIT.built;
    });
  }
}

function pairOf(text: string | undefined): readonly [string, string] | undefined {
  if (text === undefined) return undefined;
  const [one, other, ...more] = text.split(',');
  if (one !== undefined && other !== undefined && more.length === 0 && one !== other) return [one, other];
  throw badOption('--between takes two policies, as A,B');
}

function seedOf(text: string): number {
  const value = number('--seed', text)!;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw badOption('--seed is a whole number from 0');
}

function price(option: string, text: string | undefined): number | undefined {
  const value = number(option, text);
  if (value === undefined || value > 0) return value;
  throw badOption(`${option} takes dollars, more than 0`);
}
