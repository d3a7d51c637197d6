/**
 * MT19937 (Matsumoto and Nishimura 1998), the generator behind numpy's legacy `RandomState` and Python's `random`:
 * published samples and folds were drawn with it, and to repeat them needs the same numbers.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(624);
  #position = 624;

  /** @param seed 32-bit words. One number seeds as numpy's `RandomState(seed)` does, an array as `init_by_array`. */
  constructor(seed: number | Uint32Array) {
    if (typeof seed === 'number') this.#seedWithWord(seed);
    else this.#seedWithWords(seed);
  }

  /** Uniform on 0..2³²−1. */
  next(): number {
    if (this.#position === 624) this.#refill();
    let y = this.#state[this.#position++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #seedWithWord(seed: number): void {
    const state = this.#state;
    state[0] = seed >>> 0;
    for (let i = 1; i < 624; i++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = Math.imul(1812433253, previous) + i;
    }
  }

  #seedWithWords(words: Uint32Array): void {
    this.#seedWithWord(19650218);
    const state = this.#state;
    let i = 1;
    const stepped = () => {
      i++;
      if (i === 624) {
        state[0] = state[623]!;
        i = 1;
      }
    };
    for (let k = 0, j = 0; k < Math.max(624, words.length); k++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = (state[i]! ^ Math.imul(previous, 1664525)) + words[j]! + j;
      j = (j + 1) % words.length;
      stepped();
    }
    for (let k = 0; k < 623; k++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = (state[i]! ^ Math.imul(previous, 1566083941)) - i;
      stepped();
    }
    state[0] = 0x80000000;
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
