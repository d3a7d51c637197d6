/** Policies of the world: how a model and a system prompt lean, and how often they say what. */

import { chanceOf } from './chance.ts';
import type { WorldConfig } from './config.ts';
import type { Task } from './prompt.ts';
import { LEVELS } from './sentences.ts';

/** The models that answer as policies and judge, and the one that knows the labels. */
export const BASE_MODEL = 'sim-base';
export const LARGE_MODEL = 'sim-large';
export const ORACLE_MODEL = 'sim-oracle';
export const MODELS: readonly string[] = [BASE_MODEL, LARGE_MODEL, ORACLE_MODEL];

const STEP_BY_STEP = /\bstep[- ]by[- ]step\b/i;
const UNHELPFUL = /\bunhelpful|\bconfus|\bwast(?:e|es|ed|ing)\b/i;

/** θ of a model under a system text. `templated` is false for a prompt without chat turns. */
export function leaningOf(
  model: string,
  system: string | null,
  { leaning }: WorldConfig,
  { templated = true }: { readonly templated?: boolean } = {},
): number {
  const size = model === LARGE_MODEL ? leaning.large : 0;
  if (!templated) return leaning.withoutTemplate + size;
  if (system === null || system.trim() === '') return leaning.base + size;
  if (UNHELPFUL.test(system)) return leaning.unhelpful + size;
  if (STEP_BY_STEP.test(system)) return leaning.base + leaning.stepByStep + size;
  return leaning.base + size + leaning.otherSystem * (2 * chanceOf(`system\n${system.trim()}`)() - 1);
}

export interface Sampling {
  /** 0 takes the likeliest level always. */
  readonly temperature: number;
  /** Levels beyond this share of probability are never taken. */
  readonly topP: number;
}

/** The sampling under which generation and scoring are of one law. */
export const PLAIN_SAMPLING: Sampling = { temperature: 1, topP: 1 };

const LOWEST_TEMPERATURE = 1e-6;

/** P(level) of each sentence of a response: ∝ exp((θ − difficulty)(level − 1.5) / T). */
export function levelLaw(
  leaning: number,
  { difficulty }: Pick<Task, 'difficulty'>,
  { difficultyStep }: WorldConfig,
  { temperature, topP }: Sampling = PLAIN_SAMPLING,
): readonly number[] {
  const slope = (leaning - difficultyStep * difficulty) / Math.max(temperature, LOWEST_TEMPERATURE);
  const heights = Array.from({ length: LEVELS }, (_, level) => slope * level);
  const highest = Math.max(...heights);
  return normalised(nucleus(normalised(heights.map((height) => Math.exp(height - highest))), topP));
}

function normalised(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Keeps the likeliest levels until they hold `topP` of the probability. */
function nucleus(law: readonly number[], topP: number): readonly number[] {
  if (topP >= 1) return law;
  const order = law.map((_, level) => level).sort((a, b) => law[b]! - law[a]!);
  const kept = new Set<number>();
  let held = 0;
  for (const level of order) {
    if (held >= topP) break;
    kept.add(level);
    held += law[level]!;
  }
  return law.map((probability, level) => (kept.has(level) ? probability : 0));
}
