/**
 * scikit-learn's `KFold(n_splits, shuffle=True, random_state=seed)`, on numpy's legacy generator: the published
 * library draws some of its folds this way, and parity needs the same ones.
 */

import { MersenneTwister } from './mersenne-twister.ts';

/** Fold label 0..folds−1 of each of `n` rows: shuffle once (Fisher–Yates from the end), cut into contiguous test sets. */
export function shuffledFolds(n: number, folds: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const generator = new MersenneTwister(seed);
  for (let i = n - 1; i > 0; i--) {
    const j = atMost(generator, i);
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  const labels = new Int32Array(n);
  let start = 0;
  for (let fold = 0; fold < folds; fold++) {
    const size = Math.floor(n / folds) + (fold < n % folds ? 1 : 0);
    for (let i = start; i < start + size; i++) labels[order[i]!] = fold;
    start += size;
  }
  return labels;
}

/** Uniform on 0..maximum by masked rejection, numpy's legacy bounded integer. */
function atMost(generator: MersenneTwister, maximum: number): number {
  if (maximum === 0) return 0;
  const mask = 2 ** Math.ceil(Math.log2(maximum + 1)) - 1;
  for (;;) {
    const value = (generator.next() & mask) >>> 0;
    if (value <= maximum) return value;
  }
}
