/** Counts the rows and the calls behind them: what becomes a node's summary. */

import type { KeyedCall } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { JsonObject } from '../core/json.ts';
import type { Known } from '../core/storage.ts';
import { type CallTally, OK, type Summary, statusOf } from '../core/summary.ts';

type MutableTally = { -readonly [K in keyof CallTally]: CallTally[K] };

export class Tally {
  #items = 0;
  readonly #statuses = new Map<string, number>();
  readonly #seen = new Set<Digest>();
  readonly #failed = new Set<Digest>();
  readonly #models = new Map<string, MutableTally>();

  /** Distinct calls that were answered by a stored reply. */
  get calls(): number {
    return this.#seen.size;
  }

  /** The keys of all that was answered, failures last. */
  *keys(): Generator<Digest> {
    yield* this.#seen;
    yield* this.#failed;
  }

  row(row: JsonObject): void {
    this.#items++;
    const status = statusOf(row);
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }

  /** Equal requests are one call, however many items ask it. Failures were not bought and are not counted. */
  call(call: KeyedCall, known: Known): void {
    if (known.type === 'failure') {
      this.#failed.add(call.key);
      return;
    }
    if (this.#seen.has(call.key)) return;
    this.#seen.add(call.key);
    const { identity, model, usage } = known.stored;
    const name = `${identity}\n${model}`;
    let tally = this.#models.get(name);
    if (tally === undefined) {
      tally = { identity, model, calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
      this.#models.set(name, tally);
    }
    tally.calls++;
    tally.inputTokens += usage.inputTokens;
    tally.cachedInputTokens += usage.cachedInputTokens;
    tally.outputTokens += usage.outputTokens;
  }

  summary(): Summary {
    const names = [...this.#statuses.keys()].sort((a, b) => (a === OK ? -1 : b === OK ? 1 : a < b ? -1 : 1));
    return {
      items: this.#items,
      statuses: Object.fromEntries(names.map((name) => [name, this.#statuses.get(name)!])),
      calls: [...this.#models.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tally]) => tally),
    };
  }
}
