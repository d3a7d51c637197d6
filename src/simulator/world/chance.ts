/** Chance that is none: numbers drawn from texts, the same text giving the same numbers on every machine. */

import { digestText } from '../../core/digest.ts';

/** Uniform on [0, 1), one number after the other. */
export type Chance = () => number;

/** The stream of numbers that belongs to a text (sfc32 on the text's digest). */
export function chanceOf(text: string): Chance {
  const digest = digestText(text);
  let a = Number.parseInt(digest.slice(0, 8), 16) | 0;
  let b = Number.parseInt(digest.slice(8, 16), 16) | 0;
  let c = Number.parseInt(digest.slice(16, 24), 16) | 0;
  let counter = Number.parseInt(digest.slice(24, 32), 16) | 0;
  const word = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) word();
  return () => (word() * 0x200000 + (word() >>> 11)) / 2 ** 53;
}

/** Standard normal, by Box and Muller. */
export function normal(chance: Chance): number {
  return Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
}

/** An integer from 0 to count − 1. */
export function pick(chance: Chance, count: number): number {
  return Math.min(count - 1, Math.floor(chance() * count));
}

/** An index drawn in proportion to the probabilities, which sum to 1; never one of probability 0. */
export function pickWeighted(chance: Chance, probabilities: readonly number[]): number {
  let rest = chance();
  let last = 0;
  for (let index = 0; index < probabilities.length; index++) {
    const probability = probabilities[index]!;
    if (probability === 0) continue;
    last = index;
    rest -= probability;
    if (rest < 0) break;
  }
  return last;
}
