/**
 * What came back of a batch, as a ledger: each of its calls ends as an answer, a failure for good, or one to be asked
 * again, and what came back of none of them is told by name. Rows are entered one at a time, in any order; one that comes
 * twice is taken once.
 */

import type { BatchedCall, BatchStore, Submission } from '../core/batch.ts';
import { type BatchApi, type BatchRow, type BatchState, ResultsCut } from '../core/batch-port.ts';
import { type CallFailure, NO_USAGE, type Usage } from '../core/call.ts';
import { type Digest, digestText } from '../core/digest.ts';
import type { PriceBook, TryOutcome } from '../core/provider-port.ts';
import type { CallGroup, CallStore, StoredFailure } from '../core/storage.ts';
import { batchDiscount } from './batch-discount.ts';
import { bill, type CallMeter, newMeter } from './source.ts';

/** A call that may have been billed. */
type Doubt = Pick<BatchedCall, 'node' | 'dollars'>;

export interface LedgerPorts {
  readonly batches: BatchStore;
  readonly calls: CallStore;
  readonly prices: PriceBook;
  readonly now: () => number;
  /** Told what each call came to, for whoever holds its reservation. */
  readonly settle: (key: Digest, outcome: TryOutcome) => void;
  /** Writes down dollars that may have been billed for a call of which no reply tells. */
  readonly keepUnknown: (key: Digest, call: Doubt) => Promise<void>;
}

export interface Harvest {
  readonly answers: number;
  /** Failures for good. */
  readonly failures: number;
  /** Calls that were not answered, and why. */
  readonly again: ReadonlyMap<Digest, CallFailure | undefined>;
  /** Calls of which nothing came back although the batch says that it is whole. */
  readonly lost: readonly Digest[];
  /** What the provider says where results, or some of them, are not there any more. */
  readonly gone: string | undefined;
  /** Ids of rows that the batch was never asked for, and how many lines could not be read. */
  readonly foreign: readonly string[];
  readonly unreadable: number;
  /** Calls that came twice, with different answers: the first is kept. */
  readonly conflicts: readonly Digest[];
  /** What it came to, by node. */
  readonly meters: ReadonlyMap<string, CallMeter>;
  readonly usage: Usage;
}

/** Entries of one commit, and the bytes of its answers. */
const GROUP = 4096;
const GROUP_BYTES = 1 << 24;
const OPEN = '';
/** The entry of a row that was answered, and the status of one. */
const STORED = 'stored';
const ANSWERED = 200;

export class HarvestLedger {
  readonly #submission: Submission;
  #state: BatchState;
  readonly #api: BatchApi;
  readonly #ports: LedgerPorts;
  /** What came of each call: a digest of it, or nothing yet. */
  readonly #entries: Map<Digest, string>;
  readonly #again = new Map<Digest, CallFailure | undefined>();
  #foreign: string[] = [];
  readonly #conflicts = new Set<Digest>();
  readonly #meters = new Map<string, CallMeter>();
  /** What is entered and not written yet. */
  readonly #toKeep: CallGroup;
  readonly #failuresToKeep = new Map<Digest, StoredFailure>();
  readonly #doubts = new Map<Digest, Doubt>();
  /** Rows of calls that came before. */
  readonly #twice: { readonly key: Digest; readonly status: number | 'undone'; readonly body: string }[] = [];
  /** Rows that were answered as the provider counts. */
  #answered = 0;
  #answers = 0;
  #failures = 0;
  #usage: Usage = NO_USAGE;
  /** Whether any line was a row. */
  #isRead = false;
  #unreadable = 0;

  constructor(submission: Submission, state: BatchState, api: BatchApi, ports: LedgerPorts) {
    this.#submission = submission;
    this.#state = state;
    this.#api = api;
    this.#ports = ports;
    this.#toKeep = ports.calls.group();
    this.#entries = new Map(ports.batches.keys(submission.id).map((key) => [key, OPEN]));
  }

  /** @throws ResultsCut */
  async read(): Promise<void> {
    this.#foreign = [];
    this.#unreadable = 0;
    try {
      for await (const rows of this.#api.rows(this.#state)) {
        for (const row of rows) this.#enter(row);
        await this.#write();
      }
    } finally {
      await this.#write('all');
    }
    // A batch that was cut short may have done nothing.
    const mayBeEmpty = this.#state.end !== 'completed' && this.#state.answered === 0 && this.#unreadable === 0;
    if (this.#isRead || mayBeEmpty) return;
    // Such as a page of a proxy in place of the file. What was paid for may be read later.
    const message = 'what the provider sent holds none of its answers';
    throw new ResultsCut({ class: 'transient', reason: 'bad_reply', message });
  }

  /** Some say that a batch has ended before they have its results. @throws ResultsCut */
  async lookAgain(): Promise<void> {
    const looked = await this.#api.look(this.#state.id);
    if (!looked.ok) return;
    if (looked.value.end === undefined) {
      const message = 'the provider said that it has ended, and says that it has not';
      throw new ResultsCut({ class: 'transient', reason: 'bad_reply', message });
    }
    this.#state = looked.value;
  }

  get isDoubtful(): boolean {
    return this.#hasOpen && (!this.#isRead || this.#answered < this.#state.answered);
  }

  get #hasOpen(): boolean {
    return [...this.#entries.values()].includes(OPEN);
  }

  /** Whether calls are missing that should have come back. */
  get isShort(): boolean {
    return !this.#isCutShort && this.#hasOpen;
  }

  /** A batch that was cut short need not name what it has not done; one that answered more than came back has lost it. */
  get #isCutShort(): boolean {
    return this.#state.end !== 'completed' && this.#answered >= this.#state.answered;
  }

  #enter(row: BatchRow): void {
    if (row.type === 'unreadable') {
      this.#unreadable++;
      return;
    }
    const key = this.#keyOf(row.id);
    if (row.type === 'response') this.#respond(key, row);
    else if (this.#isFirst(key, 'undone', row.type)) {
      this.#again.set(key, undefined);
      this.#ports.settle(key, { billed: 'no' });
    }
  }

  /** Some servers keep their ids in another case. */
  #keyOf(id: string): Digest {
    const key = id as Digest;
    return this.#entries.has(key) ? key : (id.toLowerCase() as Digest);
  }

  /** Whether a row is the first of its call. */
  #isFirst(key: Digest, status: number | 'undone', body: string): boolean {
    this.#isRead = true;
    const before = this.#entries.get(key);
    if (before === OPEN) {
      // An answer is kept, and can be compared with; of all else a digest is.
      this.#entries.set(key, status === ANSWERED ? STORED : digestText(`${status} ${body}`));
      return true;
    }
    if (before === undefined) this.#foreign.push(key);
    else this.#twice.push({ key, status, body });
    return false;
  }

  /** Compares what came twice with what is kept of the first. */
  #compare(): void {
    for (const { key, status, body } of this.#twice.splice(0)) {
      if (!this.#isSame(key, this.#entries.get(key)!, status, body)) this.#conflicts.add(key);
    }
  }

  #isSame(key: Digest, before: string, status: number | 'undone', body: string): boolean {
    if (before !== STORED) return before === digestText(`${status} ${body}`);
    const { calls } = this.#ports;
    const kept = calls.get(key)?.raw ?? calls.failure(key)?.raw;
    return status === ANSWERED && (kept === undefined || kept === body);
  }

  #respond(key: Digest, row: Extract<BatchRow, { type: 'response' }>): void {
    const { status, body } = row;
    if (!this.#isFirst(key, status, body)) return;
    const { identity, model } = this.#submission;
    const { batches, now } = this.#ports;
    const call = batches.bytes(key);
    if (call === undefined) throw new Error(`Internal error: the call ${key} of a batch is not written down`);
    if (status === ANSWERED) this.#answered++;
    const { result, outcome } = this.#api.judge(this.#submission, row);
    if (typeof outcome.billed === 'object') this.#usage = sum(this.#usage, outcome.billed);
    this.#ports.settle(key, outcome);
    const cost = this.#costOf(outcome);
    const certain = outcome.billed !== 'maybe';
    const unknown = certain ? 0 : call.dollars;
    const { request, node } = call;
    const meter = this.#meterOf(node);
    if (result.ok) {
      this.#answers++;
      const { raw, usage } = result;
      const batch = this.#state.id;
      const doubt = certain ? {} : { reserved: unknown };
      if (certain) meter.discount += batchDiscount(this.#ports.prices, this.#submission, usage);
      else meter.doubted++;
      bill(meter, identity, model, { bought: 1, cost: cost ?? 0, unknown });
      const kept = { raw, usage, model, identity, cost, boughtAt: now(), node, ...doubt, batch };
      this.#toKeep.add(key, request, kept);
      return;
    }
    bill(meter, identity, model, { bought: 0, cost: cost ?? 0, unknown });
    if (!certain) this.#doubts.set(key, { node, dollars: unknown });
    const { failure, raw } = result;
    if (failure.class !== 'permanent') {
      this.#again.set(key, failure);
      return;
    }
    this.#failures++;
    meter.failed++;
    const asked = Buffer.from(request).toString();
    const reply = raw === undefined ? {} : { raw };
    // One that cost nothing says so: without a word of it, its reply may have been billed.
    const billed = cost === null ? {} : { cost };
    this.#failuresToKeep.set(key, { request: asked, failure, failedAt: now(), node, ...reply, ...billed });
  }

  /** Dollars that are certain; null where they are not known. */
  #costOf({ billed }: TryOutcome): number | null {
    if (billed === 'no') return 0;
    const { identity, model } = this.#submission;
    return billed === 'maybe' ? null : (this.#ports.prices.cost(identity, model, billed, 'batch') ?? null);
  }

  #meterOf(node: string): CallMeter {
    let meter = this.#meters.get(node);
    if (meter === undefined) {
      meter = newMeter();
      this.#meters.set(node, meter);
    }
    return meter;
  }

  /** Writes what was entered, where it is enough to be worth a commit, or all that is left. */
  async #write(rest: 'enough' | 'all' = 'enough'): Promise<void> {
    const waiting = this.#toKeep.size + this.#failuresToKeep.size + this.#doubts.size + this.#twice.length;
    if (rest === 'enough' && waiting < GROUP && this.#toKeep.bytes < GROUP_BYTES) return;
    const { calls, keepUnknown } = this.#ports;
    await Promise.all([
      this.#toKeep.commit(),
      ...[...this.#failuresToKeep].map(([key, failure]) => calls.putFailure(key, failure)),
      ...[...this.#doubts].map(([key, call]) => keepUnknown(key, call)),
    ]);
    this.#failuresToKeep.clear();
    this.#doubts.clear();
    this.#compare();
  }

  /** Books a call's reservation as unknown. */
  #doubt(key: Digest): void {
    const call = this.#ports.batches.call(key)!;
    const { identity, model } = this.#submission;
    bill(this.#meterOf(call.node), identity, model, { bought: 0, cost: 0, unknown: call.dollars });
    this.#doubts.set(key, call);
  }

  /** @param gone what the provider says where results are not there any more */
  async close(gone?: string): Promise<Harvest> {
    const lost: Digest[] = [];
    const open = [...this.#entries].filter(([, entry]) => entry === OPEN).map(([key]) => key);
    const cutShort = gone === undefined && this.#isCutShort;
    for (const key of open) {
      if (cutShort) {
        this.#again.set(key, undefined);
        this.#ports.settle(key, { billed: 'no' });
        continue;
      }
      lost.push(key);
      this.#doubt(key);
      this.#ports.settle(key, { billed: 'maybe' });
    }
    // Two different answers may be two that were billed.
    for (const key of this.#conflicts) this.#doubt(key);
    await this.#write('all');
    return {
      answers: this.#answers,
      failures: this.#failures,
      again: this.#again,
      lost,
      gone,
      foreign: this.#foreign,
      unreadable: this.#unreadable,
      conflicts: [...this.#conflicts],
      meters: this.#meters,
      usage: this.#usage,
    };
  }
}

const sum = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
});
