/** Counts the rows and the calls behind them: what becomes a node's summary. */

import { type KeyedCall, NO_USAGE, type Usage } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Protocols } from '../core/protocol.ts';
import { servedName } from '../core/served-model.ts';
import type { Known } from '../core/storage.ts';
import { type CallTally, OK, type ServedName, type Summary, statusOf } from '../core/summary.ts';
import { isCounted, isExcessive } from '../core/usage.ts';

/** Tokens of a model, which have a price. */
export interface PricedUsage {
  readonly identity: string;
  readonly model: string;
  readonly usage: Usage;
}

type MutableTally = { -readonly [K in keyof CallTally]: CallTally[K] };

/** Counts of one served name. */
interface Served {
  replies: number;
  refused: number;
}

/** Names that are told of one model; a server that invents one for each reply fills no summary. */
const NAMES_TOLD = 20;
export const OTHER_NAMES = 'other names';

export class Tally {
  #items = 0;
  readonly #statuses = new Map<string, number>();
  readonly #seen = new Set<Digest>();
  readonly #failed = new Set<Digest>();
  readonly #models = new Map<string, MutableTally>();
  /** By the names of {@link #models}. */
  readonly #served = new Map<string, Map<string, Served>>();
  /** Usage of replies that came in batches, by the names of {@link #models}; no part of a summary, since no lane is. */
  readonly #batched = new Map<string, PricedUsage>();
  /** Undefined where no call is counted. */
  readonly #protocols: Protocols | undefined;

  constructor(protocols?: Protocols) {
    this.#protocols = protocols;
  }

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

  /**
   * Equal requests are one call, however many items ask it. Failures are no calls; of those that another model answered,
   * its name is counted.
   *
   * @param raw the reply's body, parsed.
   */
  call(call: KeyedCall, known: Known, raw?: unknown): void {
    const { request } = call;
    if (known.type === 'failure') {
      if (this.#failed.has(call.key)) return;
      this.#failed.add(call.key);
      const { answeredBy } = known.failure;
      if (answeredBy === undefined || this.#protocols === undefined) return;
      const { identity } = request;
      const model = this.#protocols(request.path).modelOf(request.body);
      this.#tallyOf(identity, model);
      this.#count(identity, model, answeredBy).refused++;
      return;
    }
    if (this.#seen.has(call.key)) return;
    this.#seen.add(call.key);
    const { identity, model, usage } = known.stored;
    const tally = this.#tallyOf(identity, model);
    const protocol = this.#protocols?.(request.path);
    const servedBy = isJsonObject(raw) ? protocol?.servedModel(raw) : undefined;
    if (servedBy !== undefined) this.#count(identity, model, servedName(servedBy));
    const outputCap = protocol?.outputCap(request.body);
    // Absent where there are none: what is as it should be adds nothing to a summary.
    if (protocol !== undefined && !isCounted(usage, outputCap)) tally.uncounted = (tally.uncounted ?? 0) + 1;
    else if (isExcessive(usage, call.bytes, outputCap)) tally.excessive = (tally.excessive ?? 0) + 1;
    tally.calls++;
    tally.inputTokens += usage.inputTokens;
    tally.cachedInputTokens += usage.cachedInputTokens;
    tally.outputTokens += usage.outputTokens;
    if (known.stored.batch !== undefined) this.#addBatched(identity, model, usage);
  }

  #addBatched(identity: string, model: string, usage: Usage): void {
    const name = `${identity}\n${model}`;
    const { inputTokens, cachedInputTokens, outputTokens } = this.#batched.get(name)?.usage ?? NO_USAGE;
    const sum = {
      inputTokens: inputTokens + usage.inputTokens,
      cachedInputTokens: cachedInputTokens + usage.cachedInputTokens,
      outputTokens: outputTokens + usage.outputTokens,
    };
    this.#batched.set(name, { identity, model, usage: sum });
  }

  /** What came in batches of the calls that were counted. */
  get batched(): readonly PricedUsage[] {
    return [...this.#batched.values()];
  }

  #tallyOf(identity: string, model: string): MutableTally {
    const name = `${identity}\n${model}`;
    let tally = this.#models.get(name);
    if (tally === undefined) {
      tally = { identity, model, calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
      this.#models.set(name, tally);
      this.#served.set(name, new Map());
    }
    return tally;
  }

  #count(identity: string, model: string, servedBy: string): Served {
    const names = this.#served.get(`${identity}\n${model}`)!;
    let served = names.get(servedBy);
    if (served === undefined) {
      served = { replies: 0, refused: 0 };
      names.set(servedBy, served);
    }
    served.replies++;
    return served;
  }

  summary(): Summary {
    const names = [...this.#statuses.keys()].sort((a, b) => (a === OK ? -1 : b === OK ? 1 : a < b ? -1 : 1));
    return {
      items: this.#items,
      statuses: Object.fromEntries(names.map((name) => [name, this.#statuses.get(name)!])),
      calls: [...this.#models.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, tally]) => ({ ...tally, ...servedBeside(tally.model, this.#served.get(name)!) })),
    };
  }
}

/** Who answered, where it is not the model that was asked alone: what is as it should be adds nothing to a summary. */
function servedBeside(asked: string, counts: ReadonlyMap<string, Served>): Pick<CallTally, 'served'> {
  if ([...counts.keys()].every((name) => name === asked)) return {};
  const entries = [...counts].sort(([a, { replies: m }], [b, { replies: n }]) => n - m || (a < b ? -1 : 1));
  const entryOf = (name: string, { replies, refused }: Served): ServedName => ({
    name,
    replies,
    ...(refused === 0 ? {} : { refused }),
  });
  const served = entries.slice(0, NAMES_TOLD).map(([name, count]) => entryOf(name, count));
  const rest = entries.slice(NAMES_TOLD).map(([, count]) => count);
  if (rest.length === 0) return { served };
  const sum = (of: keyof Served) => rest.reduce((total, count) => total + count[of], 0);
  return { served: [...served, entryOf(OTHER_NAMES, { replies: sum('replies'), refused: sum('refused') })] };
}
