/** The exact values of policies: what their labels would average to, had they answered every prompt. */

import { DEFAULT_WORLD, type WorldConfig } from './config.ts';
import { expectedLabel } from './judge.ts';
import { leaningOf, levelLaw, type Sampling } from './policy.ts';
import { type Task, taskOf } from './prompt.ts';
import { LEVELS } from './sentences.ts';

export interface SimulatedPolicy extends Partial<Sampling> {
  readonly model: string;
  /** The system text as sent; null without one. */
  readonly system: string | null;
}

/**
 * E[label] under a policy whose responses end by themselves, on the unit scale. Labels' noise is zero in the mean.
 *
 * @param prompts users' turns as sent: the mean over these. Absent: over the law of prompts.
 */
export function policyValue(
  { model, system, temperature = 1, topP = 1 }: SimulatedPolicy,
  prompts?: readonly string[],
  config: WorldConfig = DEFAULT_WORLD,
): number {
  const leaning = leaningOf(model, system, config);
  const known = new Map<string, number>();
  const valueFor = ({ difficulty, sentences }: Pick<Task, 'difficulty' | 'sentences'>) => {
    const key = `${difficulty}/${sentences}`;
    let value = known.get(key);
    if (value === undefined) {
      value = taskValue(levelLaw(leaning, { difficulty }, config, { temperature, topP }), sentences, config);
      known.set(key, value);
    }
    return value;
  };
  const tasks = prompts === undefined ? allTasks(config) : prompts.map((prompt) => taskOf(prompt, config));
  return tasks.reduce((sum, task) => sum + valueFor(task), 0) / tasks.length;
}

/** Every difficulty with every length: equally likely under the law of prompts. */
function allTasks({ difficulties, sentences: { fewest, most } }: WorldConfig) {
  const tasks: Pick<Task, 'difficulty' | 'sentences'>[] = [];
  for (let difficulty = 0; difficulty < difficulties; difficulty++) {
    for (let sentences = fewest; sentences <= most; sentences++) tasks.push({ difficulty, sentences });
  }
  return tasks;
}

/** E[label] of one task: the law of the sum of levels by convolution. */
function taskValue(law: readonly number[], sentences: number, config: WorldConfig): number {
  const sum = totalLevelLaw(law, sentences);
  const highest = (LEVELS - 1) * sentences;
  return sum.reduce((value, probability, total) => value + probability * expectedLabel(total / highest, config), 0);
}

/** P(sum of levels = index) of so many independent sentences. */
export function totalLevelLaw(law: readonly number[], sentences: number): readonly number[] {
  let sum: number[] = [1];
  for (let sentence = 0; sentence < sentences; sentence++) {
    const next = new Array<number>(sum.length + law.length - 1).fill(0);
    for (const [total, probability] of sum.entries()) {
      for (const [level, share] of law.entries()) next[total + level]! += probability * share;
    }
    sum = next;
  }
  return sum;
}
