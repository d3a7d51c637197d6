/** What a worker has in hand, and since when it has had nothing. */

import type { WorkerAbout } from '../cluster/roster.ts';
import type { Clock } from '../providers/clock.ts';

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

interface Waiting {
  /** Milliseconds without work after which it ends; undefined: never. */
  readonly idle: number | undefined;
  readonly lease: number;
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
}

/** Resolves when a worker is told to end, or has been idle: until then its heart beats four times a lease. */
export async function untilIdle(
  inHand: InHand,
  { idle, lease, clock, interrupt }: Waiting,
  beat: () => void,
): Promise<void> {
  while (!interrupt.aborted && !inHand.isIdle(idle, clock.now())) {
    beat();
    await clock.sleep(Math.min(lease / 4, idle ?? lease), interrupt);
  }
}
