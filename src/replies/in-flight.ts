/** Equal calls that are under way at once are one call; and no more are under way than there are jobs. */

import type { KeyedCall, StoppedCall } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { Asker, Fetched, ReplySource } from './source.ts';

export interface InFlightOptions {
  /** The most calls in flight. */
  readonly jobs: number;
  /** Why nothing new may be asked. */
  readonly stopped: () => StoppedCall | undefined;
  /** Told once that replies can no longer be stored; buying more would be paying for nothing. */
  readonly onUnstorable: () => void;
}

export class InFlight implements ReplySource {
  readonly #next: ReplySource;
  readonly #options: InFlightOptions;
  readonly #inFlight = new Map<Digest, Promise<Fetched>>();
  readonly #waiting: (() => void)[] = [];
  #active = 0;
  #unstorable: { readonly error: unknown } | undefined;

  constructor(next: ReplySource, options: InFlightOptions) {
    this.#next = next;
    this.#options = options;
  }

  /** The second asker of an equal call shares the first one's flight. */
  get(call: KeyedCall, asker: Asker): Promise<Fetched> {
    const underway = this.#inFlight.get(call.key);
    if (underway !== undefined) return underway;
    const flight = this.#fly(call, asker).finally(() => this.#inFlight.delete(call.key));
    this.#inFlight.set(call.key, flight);
    return flight;
  }

  /** Lets those that wait for their turn see that nothing new is asked. */
  wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #throwIfUnstorable(): void {
    if (this.#unstorable !== undefined) throw this.#unstorable.error;
  }

  async #fly(call: KeyedCall, asker: Asker): Promise<Fetched> {
    if (this.#active >= this.#options.jobs) await new Promise<void>((wake) => this.#waiting.push(wake));
    const stopped = this.#options.stopped();
    // Whoever waits behind this one has no flight to be woken by.
    if (stopped !== undefined || this.#unstorable !== undefined) this.wakeAll();
    this.#throwIfUnstorable();
    if (stopped !== undefined) return { type: 'unavailable', failure: stopped };
    this.#active++;
    asker.meter.inFlight++;
    try {
      const fetched = await this.#next.get(call, asker);
      if (fetched.type === 'unavailable') this.#throwIfUnstorable();
      return fetched;
    } catch (error) {
      if (this.#unstorable === undefined) {
        this.#unstorable = { error };
        this.#options.onUnstorable();
        this.wakeAll();
      }
      throw error;
    } finally {
      this.#active--;
      asker.meter.inFlight--;
      this.#waiting.shift()?.();
    }
  }
}
