/** The report's words, for a reader who meets them first here: those that this report uses. */

import type { ReportData } from './data.ts';
import { refusalsOf } from './refusals.ts';
import { isTempered } from './words.ts';

type Term = keyof ReturnType<typeof meanings>;

/** Terms and their meanings, of what this report shows. */
export function glossary(data: ReportData): readonly (readonly [term: string, meaning: string])[] {
  const all = meanings(data);
  return Object.entries(all).filter(([term]) => WHERE[term as Term]?.(data) !== false);
}

const weighs = ({ quality }: ReportData) => quality.some(({ weights }) => weights.length > 0);

/** Where a term occurs; absent: everywhere. */
const WHERE: Readonly<Partial<Record<Term, (data: ReportData) => boolean>>> = {
  Uncalibrated: ({ estimates }) => estimates.some(({ ablation }) => ablation.endsWith('uncalibrated')),
  'Judge’s standard error': ({ estimates }) =>
    estimates.some((row) => row.status === 'ok' && row.judgeStandardError > 0),
  'Importance weight': weighs,
  'Effective sample size (ESS)': weighs,
  'Typical of the target': weighs,
  'Efficiency factor': weighs,
  'Tail index': weighs,
  'Fresh draw': weighs,
  Refused: ({ estimates }) => refusalsOf(estimates).length > 0,
  Sensitivity: ({ comparisons }) => comparisons.some(({ pairs }) => pairs.length > 0),
  Separated: ({ comparisons }) => comparisons.some(({ pairs }) => pairs.length > 0),
  'P(best)': ({ comparisons }) => comparisons.some(({ pairs }) => pairs.length > 0),
  'Transport audit': ({ quality }) => quality.some(({ transport }) => transport.length > 0),
  Truth: ({ truth }) => truth.available,
  'Tempered (†)': isTempered,
};

const meanings = ({ scale: [low, high] = [0, 1], logger }: ReportData) => ({
  Estimate: `The policy’s value: the mean oracle label (${low} to ${high}) that its responses would get, over the prompts. Judge scores are turned into rewards on the label’s scale by the calibration curve.`,
  '95 % interval': `The estimate give or take a quantile times its standard error, which joins three parts: sampling (other prompts and responses), the oracle slice (other labels, so another calibration curve), and what scores beyond the labelled ones leave open. With skewed weights it is wider on the side of the long tail. It is not cut at ${low} or ${high}.`,
  Uncalibrated:
    'The ablation takes the judge’s score itself for the reward. Where the judge’s scale is not the label’s, all its estimates are off in the same direction.',
  'Judge’s standard error':
    'What the judge’s own stated uncertainty would add if every response were scored again. It is shown apart and is no part of the interval; 0 for a deterministic scorer.',
  'Importance weight':
    'exp(log ratio): how much more probable the logged response is under the target policy than under the policy that wrote it. Its mean is 1 in expectation; a mean far from 1 says that the log hardly contains what the target would answer.',
  'Effective sample size (ESS)':
    'How many equally weighted rows would carry as much information as these weights do. A small one means that a handful of rows decides the estimate.',
  'Typical of the target':
    'The share of logged responses no more surprising to the target than 90 % of its own would be (target-typicality coverage, surprisal per word). Below 30 % the log hardly holds what the target would answer, and no way of weighting it helps.',
  'Efficiency factor':
    'No weighting estimator on this log has a standard error below the rewards’ standard deviation times this factor over √n (coverage-limited efficiency).',
  'Tail index':
    'Hill’s index of the largest weights. Below 2 their variance is infinite, below 1 their mean is: more rows of the same log would not help.',
  'Fresh draw': 'A response of the target policy itself, scored by the judge. Doubly robust estimators use them.',
  Refused:
    'A gate says that the number cannot be trusted, so it is withheld, with the gate’s name, the reason and what to collect. A refusal is a result.',
  Sensitivity:
    'By how much the interval may be widened before it meets another policy’s: how far the judge’s calibration may be off on this policy before its place can change. 0 where intervals meet already.',
  Separated:
    'The paired difference of two policies is told apart from 0, together with all other pairs: the chance of any false separation is 5 %. Policies share prompts and calibration, so their difference is more certain than their values. Not separated is no evidence that two policies are equal.',
  'P(best)':
    'How often the policy comes out on top when values are drawn from the joint law of the estimates. It is not a p-value.',
  'Transport audit':
    logger === null
      ? 'The calibration curve is learnt on labelled responses of all policies. Where some of a policy’s own responses are labelled, its mean error on them is held against a margin that was chosen before looking.'
      : 'The calibration curve is learnt on the logged policy’s responses. Where some of a target policy’s own responses are labelled, its mean error on them is held against a margin that was chosen before looking.',
  Truth: 'The exact policy value. It is known where the world is simulated, and nowhere else.',
  'Tempered (†)':
    'The text was sampled at another temperature than 1, while log probabilities are those of temperature 1: the weights are of other policies than those that answered.',
});
