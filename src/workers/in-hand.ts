/** What a worker has in hand, and since when it has had nothing. */

import type { WorkerAbout } from '../cluster/roster.ts';

export class InHand {
  readonly #jobs = new Map<string, WorkerAbout['jobs'][number]>();
  #lastWork: number;

  /** @param now milliseconds, as all others here */
  constructor(now: number) {
    this.#lastWork = now;
  }

  get jobs(): WorkerAbout['jobs'] {
    return [...this.#jobs.values()];
  }

  take(id: string, node: string, now: number): void {
    this.#jobs.set(id, { node, since: now });
  }

  release(id: string, now: number): void {
    this.#jobs.delete(id);
    this.#lastWork = now;
  }

  /** Whether it has had nothing for longer than that; undefined is for ever. */
  isIdle(idle: number | undefined, now: number): boolean {
    return idle !== undefined && this.#jobs.size === 0 && now - this.#lastWork > idle;
  }
}
