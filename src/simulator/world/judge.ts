/** The judge, who sees quality through a rubric, and the oracle, who knows what the quality is worth. */

import { type Chance, chanceOf, normal } from './chance.ts';
import type { WorldConfig } from './config.ts';
import { type JudgedText, readJudged, sentencesIn } from './reading.ts';
import { LEVELS, type Sentence, TRAITS } from './sentences.ts';

/** A judge's reply on the unit scale. */
interface Judgement {
  readonly score: number;
  /** Ends of the judge's own 95 % interval. */
  readonly lower: number;
  readonly upper: number;
}

/** Mean level of the sentences as a share of the highest, in [0, 1]. */
export function qualityOf(levels: readonly number[]): number {
  return levels.reduce((sum, level) => sum + level, 0) / ((LEVELS - 1) * levels.length);
}

/** Text that no model of ours wrote is poor, more or less, by its hash. */
const POOR = 0.3;
const strangerQuality = (response: string) => POOR * chanceOf(`stranger\n${response.trim()}`)();

/**
 * The score of a response under a rubric. Equal counts of the rubric's trait words weigh the traits equally, and then
 * the score is a function of the response's quality alone: a surrogate, whichever policy wrote it.
 *
 * @param temperature 0 scores without noise
 * @param chance the noise's source
 */
export function judge(message: string, temperature: number, chance: Chance, config: WorldConfig): Judgement {
  const { rubric, response } = readJudged(message);
  const sentences = sentencesIn(response);
  const quality = sentences.length === 0 ? strangerQuality(response) : weightedQuality(sentences, traitWeights(rubric));
  const bent = quality ** (1 + bendOf(rubric, config));
  const score = clamp(bent + (temperature > 0 ? config.judge.noise * temperature * normal(chance) : 0));
  const halfWidth = halfWidthOf(sentences);
  return { score, lower: clamp(score - halfWidth), upper: clamp(score + halfWidth) };
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** κ of a rubric: any edited word gives another. */
export function bendOf(rubric: string, { judge: { bend } }: WorldConfig): number {
  return bend * (2 * chanceOf(`rubric\n${rubric}`)() - 1);
}

/** How often the rubric names each trait, as shares; equal where it names none. */
export function traitWeights(rubric: string): readonly number[] {
  const counts = Object.values(TRAITS).map((words) => rubric.match(words)?.length ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (total === 0 ? 1 / counts.length : count / total));
}

function weightedQuality(sentences: readonly Sentence[], weights: readonly number[]): number {
  if (weights.every((weight) => weight === weights[0])) return qualityOf(sentences.map(({ level }) => level));
  return qualityOf(
    sentences.map(({ traits }) => traits.reduce((sum, trait, index) => sum + trait * weights[index]!, 0)),
  );
}

/** Half a 95 % interval: narrower for more sentences, wider where they disagree. */
function halfWidthOf(sentences: readonly Sentence[]): number {
  if (sentences.length === 0) return 0.3;
  const levels = sentences.map(({ level }) => level / (LEVELS - 1));
  const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  const variance = levels.reduce((sum, level) => sum + (level - mean) ** 2, 0) / levels.length;
  return 1.96 * Math.sqrt((0.02 + variance / 4) / levels.length);
}

/** E[label | quality]: increasing, steeper in the middle than the scores are. */
export function expectedLabel(quality: number, { label: { worst, best } }: WorldConfig): number {
  const smooth = quality * quality * (3 - 2 * quality);
  return worst + ((best - worst) * (quality + smooth)) / 2;
}

/**
 * The label of a response: a fact about prompt and response, whoever asks, in whatever words. Never clipped, for the
 * expectation keeps away from 0 and 1 by the noise.
 */
export function label(message: string, config: WorldConfig): number {
  const judged = readJudged(message);
  const sentences = sentencesIn(judged.response);
  const quality =
    sentences.length === 0 ? strangerQuality(judged.response) : qualityOf(sentences.map(({ level }) => level));
  return expectedLabel(quality, config) + labelNoise(judged, config);
}

function labelNoise({ prompt, response }: JudgedText, { label: { noise } }: WorldConfig): number {
  const fact = `label\n${(prompt ?? '').trim()}\n\n${response.trim()}`;
  return noise * (2 * chanceOf(fact)() - 1);
}
