/** Bounds how many items are in hand. */

/** At most `width` tasks at once: who waits for room may run one. */
export class Window {
  readonly #width: number;
  #running = 0;
  #error: unknown;
  #wake: (() => void)[] = [];

  constructor(width: number) {
    this.#width = Math.max(1, width);
  }

  async room(): Promise<void> {
    while (this.#running >= this.#width) await new Promise<void>((wake) => this.#wake.push(wake));
    // What is under way may still come to something that is to be told.
    if (this.#error !== undefined) await this.idle();
  }

  run(task: () => Promise<void>): void {
    this.#running++;
    const ended = () => {
      this.#running--;
      for (const wake of this.#wake.splice(0)) wake();
    };
    task().then(ended, (error: unknown) => {
      this.#error ??= error;
      ended();
    });
  }

  async idle(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((wake) => this.#wake.push(wake));
    if (this.#error !== undefined) throw this.#error;
  }
}
