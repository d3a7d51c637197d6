/** A gate for people: what is tested, each look, and the verdict. */

import { scaleText } from '../datasets/scale.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count, interval, signed } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { wrap } from '../text/wrap.ts';
import { type GateLook, type GateQuestion, type GateResult, MISSING_AT_MOST } from './gate-result.ts';
import type { PairNodes } from './pair-graph.ts';

/** What the candidate must be, in one sentence. */
export function claimText({
  candidate,
  baseline,
  margin,
  on,
  pairwise,
  scale,
  looks,
}: GateQuestion & Partial<Pick<GateResult, 'scale' | 'looks'>>) {
  const what = on === 'oracle' ? 'mean label' : pairwise ? 'chance to win against the reference' : 'mean judge score';
  // Before the first look no label is read, so nothing is known of their scale.
  const labels =
    scaleText(scale) || (looks === undefined || looks.length === 0 ? 'in their units' : 'labels from 0 to 1');
  const units = on === 'oracle' ? labels : 'scores from 0 to 1';
  return `the ${what} of ${candidate} is less than ${margin} below that of ${baseline} (${units})`;
}

/** What the verdict rests on. */
export function assumptionTexts(
  { on, candidate, baseline }: GateQuestion,
  { labels }: Pick<PairNodes, 'labels'>,
): string[] {
  const sampled =
    'The prompts are a random sample of those that matter; they are taken by a hash of their ids, one after another.';
  if (on === 'judge' || labels === undefined) {
    return [sampled, 'It is the judge’s scale: how far people or an oracle agree with the judge is not tested.'];
  }
  const chance = (share: number) => Number(share.toPrecision(3));
  const { candidate: own, baseline: other } = labels.propensities;
  return [
    sampled,
    `It is the oracle’s scale, whatever the judge is worth: an answer of ${candidate} is labelled with probability ${chance(own)} and one of ${baseline} with ${chance(other)}, whatever it says. A good judge makes it cheaper.`,
  ];
}

/** Sentences are no wider than they are read well, however wide the terminal. */
const READABLE = 80;

/** Columns of a number of prompts. */
const PROMPTS = 6;

const VERDICTS = { pass: 'PASS', fail: 'FAIL', undecided: 'UNDECIDED' } as const;

export const verdictWord = ({ verdict }: Pick<GateResult, 'verdict'>): string => VERDICTS[verdict];

/** Its numbers stand below each other; what is longer than a terminal goes on below them. */
export function lookLine(look: GateLook, width = READABLE): string {
  const prompts = count(look.prompts);
  const state = look.verdict === 'undecided' ? 'undecided' : `${look.verdict} at prompt ${count(look.decidedAt ?? 0)}`;
  const labels = look.labels.candidate + look.labels.baseline;
  const text = `${counted(look.prompts, 'prompt')}${labels === 0 ? '' : `, ${counted(labels, 'label')}`}: ${differenceText(look)}, ${state}`;
  return wrap(text, Math.min(width, READABLE), PROMPTS + 1, PROMPTS - prompts.length).join('\n');
}

export function differenceText({ difference, lower, upper }: GateLook): string {
  return difference === null ? 'nothing to compare' : `difference ${signed(difference)} ${interval(lower, upper)}`;
}

/** Why it ended as it did. */
export function endText(result: GateResult): string {
  const last = result.looks.at(-1);
  const { alpha, margin } = result;
  switch (result.end) {
    case 'decided':
      return result.verdict === 'pass'
        ? `A loss of ${margin} or more is refuted at α ${alpha}, by the first ${counted(last?.decidedAt ?? 0, 'prompt')}.`
        : `A loss of less than ${margin} is refuted at α ${alpha}, by the first ${counted(last?.decidedAt ?? 0, 'prompt')}.`;
    case 'no-more-prompts':
      return `The prompts ended before it was decided: add some, or allow more with --max-prompts.`;
    case 'budget':
      return 'The budget ended before it was decided: what was bought is kept, and a gate with a larger one goes on from there.';
    case 'missing':
      return `${count(last?.missing ?? 0)} of ${counted((last?.missing ?? 0) + (last?.prompts ?? 0), 'prompt')} lack an answer, a score or a label, more than ${100 * MISSING_AT_MOST} %: the rest need not speak for them.`;
  }
}

/** @param width columns of the terminal */
export function gateHead(question: GateQuestion, nodes: Pick<PairNodes, 'labels'>, width = READABLE): string {
  const { dataset, alpha } = question;
  const lines = [
    `${printable(dataset)}: ${printable(claimText(question))}, at α ${alpha}`,
    ...assumptionTexts(question, nodes).map(printable),
  ];
  return `${lines.flatMap((line) => wrap(line, Math.min(width, READABLE))).join('\n')}\n\n`;
}

export function gateText(result: GateResult, width = READABLE): string {
  const paragraph = (text: string) => wrap(text, Math.min(width, READABLE));
  const { candidate, baseline, bought, billed, unknown } = result;
  const last = result.looks.at(-1);
  return [
    '',
    ...paragraph(
      `${verdictWord(result)}: ${printable(candidate)} against ${printable(baseline)}${last === undefined ? '' : `, ${differenceText(last)}`}`,
    ),
    ...paragraph(endText(result)),
    ...paragraph(`Each bound is at α ${result.alpha}, at all looks together.`),
    ...paragraph(
      `Calls: ${count(bought)} bought. Billed ${dollars(billed)}${unknown > 0 ? `, and perhaps ${dollars(unknown)} more` : ''}.`,
    ),
    '',
  ].join('\n');
}
