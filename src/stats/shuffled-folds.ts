/**
 * scikit-learn's `KFold(n_splits, shuffle=True, random_state=seed)`, on numpy's legacy generator: the published
 * library draws some of its folds this way, and parity needs the same ones.
 */

/** MT19937 (Matsumoto and Nishimura 1998) seeded with one 32-bit integer, as numpy's RandomState(seed). */
class MersenneTwister {
  readonly #state = new Uint32Array(624);
  #position = 624;

  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed >>> 0;
    for (let i = 1; i < 624; i++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = Math.imul(1812433253, previous) + i;
    }
  }

  next(): number {
    if (this.#position === 624) this.#refill();
    let y = this.#state[this.#position++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform on 0..maximum by masked rejection, numpy's legacy bounded integer. */
  atMost(maximum: number): number {
    if (maximum === 0) return 0;
    const mask = 2 ** Math.ceil(Math.log2(maximum + 1)) - 1;
    for (;;) {
      const value = (this.next() & mask) >>> 0;
      if (value <= maximum) return value;
    }
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < 624; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
      state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#position = 0;
  }
}

/** Fold label 0..folds−1 of each of `n` rows: shuffle once (Fisher–Yates from the end), cut into contiguous test sets. */
export function shuffledFolds(n: number, folds: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const generator = new MersenneTwister(seed);
  for (let i = n - 1; i > 0; i--) {
    const j = generator.atMost(i);
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
