/** `random.seed(seed); random.sample(range(n), k)` of Python 3.11, number for number: published samples are drawn so. */

import { MersenneTwister } from './mersenne-twister.ts';

/**
 * Indices of `k` of `n` rows, without repetition, in the order in which Python hands them out.
 *
 * @param n rows, at most 2³¹.
 * @param k at most `n`.
 * @param seed a safe integer; its sign is ignored, as by Python.
 */
export function pythonSample(n: number, k: number, seed: number): number[] {
  if (!(k >= 0 && k <= n && n <= 2 ** 31)) throw new Error(`Internal error: a sample of ${k} from ${n}`);
  const generator = new MersenneTwister(seedWords(seed));
  return n <= setSize(k) ? fromPool(n, k, generator) : fromSet(n, k, generator);
}

/** The seed's absolute value in 32-bit words, lowest first. */
function seedWords(seed: number): Uint32Array {
  const magnitude = Math.abs(seed);
  const high = Math.floor(magnitude / 2 ** 32);
  return high === 0 ? Uint32Array.of(magnitude) : Uint32Array.of(magnitude % 2 ** 32, high);
}

/** Python's estimate of the memory of a set of k; a list of n that is no larger is the cheaper way to draw. */
function setSize(k: number): number {
  if (k <= 5) return 21;
  let table = 1;
  while (table < 3 * k) table *= 4;
  return 21 + table;
}

function fromPool(n: number, k: number, generator: MersenneTwister): number[] {
  const pool = Int32Array.from({ length: n }, (_, index) => index);
  return Array.from({ length: k }, (_, index) => {
    const drawn = below(n - index, generator);
    const member = pool[drawn]!;
    pool[drawn] = pool[n - index - 1]!;
    return member;
  });
}

function fromSet(n: number, k: number, generator: MersenneTwister): number[] {
  const selected = new Set<number>();
  while (selected.size < k) selected.add(below(n, generator));
  return [...selected];
}

/** Uniform on 0..n−1: as many high bits as `n` has, drawn again while too large. */
function below(n: number, generator: MersenneTwister): number {
  const shift = Math.clz32(n);
  for (;;) {
    const value = generator.next() >>> shift;
    if (value < n) return value;
  }
}
