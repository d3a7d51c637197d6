/** What was made last, within a bound: made again when it is asked for after it was dropped. */

export class Recent<T> {
  readonly #bound: number;
  readonly #weigh: (value: T) => number;
  readonly #entries = new Map<string, T>();
  #weight = 0;

  /** @param bound the sum of weights that is kept; the newest entry stays whatever it weighs. */
  constructor(bound: number, weigh: (value: T) => number = () => 1) {
    this.#bound = bound;
    this.#weigh = weigh;
  }

  get(key: string, make: () => T): T {
    const found = this.#entries.get(key);
    if (found !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, found);
      return found;
    }
    const made = make();
    this.#entries.set(key, made);
    this.#weight += this.#weigh(made);
    for (const [old, value] of this.#entries) {
      if (this.#weight <= this.#bound || old === key) break;
      this.#entries.delete(old);
      this.#weight -= this.#weigh(value);
    }
    return made;
  }
}
