/**
 * The link of the chain that buys in batches. What is asked is collected and answered `waiting`; when nothing more can be
 * asked it is sent, and when it is back those who wait ask again and find it in the store.
 *
 * Calls that are out are nobody's to buy: a build of any lane waits for them, or cancels their batch first.
 */

import type { BatchStore, Lane, Submission } from '../core/batch.ts';
import { type BatchApi, type BatchApis, type BatchState, ResultsCut } from '../core/batch-port.ts';
import type { CallFailure, KeyedCall } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { Listener } from '../core/events.ts';
import type { Protocols } from '../core/protocol.ts';
import type { PriceBook } from '../core/provider-port.ts';
import type { CallStore } from '../core/storage.ts';
import { adopt } from './batch-adopt.ts';
import { BatchBooks } from './batch-books.ts';
import { harvest } from './batch-harvest.ts';
import { Outbox } from './batch-outbox.ts';
import { blameRows, refusal } from './batch-refusal.ts';
import type { BatchTarget } from './batch-submit.ts';
import { goneText, harvestText, lostIn, nameOf, oddities, plural, unreachable } from './batch-text.ts';
import type { Harvest } from './harvest-ledger.ts';
import type { Intents } from './intents.ts';
import { LiveBatch, LONGEST_WAIT } from './live-batch.ts';
import { type Asker, type CallMeter, type Fetched, newMeter, type ReplySource } from './source.ts';
import type { Spend } from './spend.ts';
import type { TokenLimitMemory } from './token-limits.ts';

/**
 * What a build does about batches that are out. `leave`: it ends, and a later one takes them in. `stay`: it waits, until
 * a moment if one is named, and buys online what is not back by then. `take-over`: it cancels those that hold what it
 * needs, and buys that online.
 */
export type BatchManner =
  | { readonly type: 'leave' }
  | { readonly type: 'stay'; readonly until: number | undefined }
  | { readonly type: 'take-over' };

export interface BatchPorts {
  readonly store: BatchStore;
  readonly apis: BatchApis;
  /** How a call is bought, as far as its provider can. */
  readonly laneOf: (node: string, call: KeyedCall) => Lane;
  readonly manner: BatchManner;
  /** Remembers how much may wait for a model at once; absent: nobody does. */
  readonly memory?: TokenLimitMemory;
  /** Resolves after so many milliseconds, or as soon as the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export interface BatchLaneOptions extends BatchPorts {
  readonly online: ReplySource;
  readonly calls: CallStore;
  readonly spend: Spend;
  readonly intents: Intents;
  readonly prices: PriceBook;
  readonly protocols: Protocols;
  readonly now: () => number;
  readonly emit: Listener;
  /** Aborted when nothing new may be sent. */
  readonly interrupt: AbortSignal;
}

const WAITING: Fetched = { type: 'waiting' };

export class BatchLane implements ReplySource {
  readonly #options: BatchLaneOptions;
  readonly #books: BatchBooks;
  readonly #outbox: Outbox;
  readonly #live = new Map<Digest, LiveBatch>();
  /** Batches that hold what was asked. */
  readonly #wanted = new Set<Digest>();
  #manner: BatchManner;
  /** Set when what is left is bought at once. */
  #onlineNow = false;
  /** Something has changed for those who wait. */
  #moved = false;

  constructor(options: BatchLaneOptions) {
    const { store, spend, now, interrupt } = options;
    this.#options = options;
    this.#manner = options.manner;
    this.#books = new BatchBooks(options);
    this.#outbox = new Outbox({
      store,
      spend,
      now,
      interrupt,
      books: this.#books,
      memory: options.memory,
      tokensOut: (target) => this.#tokensOut(target),
      onOut: (submission, isSent) => {
        this.#watch(submission);
        if (isSent) this.#note(`${nameOf(submission)} is out: ${plural(submission.count, 'call')}`);
      },
      onUnsent: ({ id }) => {
        this.#live.delete(id);
        this.#moved = true;
      },
    });
  }

  /** Why calls of batches have to be bought again, each reason once. */
  get losses(): readonly string[] {
    return this.#books.losses;
  }

  /** What came of batches so far, over all nodes. */
  get harvest(): CallMeter {
    return this.#books.harvest;
  }

  takeHarvest(node: string): CallMeter | undefined {
    return this.#books.takeHarvest(node);
  }

  takeRest(): ReadonlyMap<string, CallMeter> {
    return this.#books.takeRest();
  }

  /** Batches that are out. */
  get out(): readonly Submission[] {
    return [...this.#live.values()].map(({ submission }) => submission);
  }

  async open(): Promise<void> {
    const { store } = this.#options;
    await store.sweep();
    for (const submission of store.list()) this.#watch(submission);
    for (const id of [...this.#live.keys()]) await this.#advance(id);
    this.#moved = false;
  }

  async get(call: KeyedCall, asker: Asker): Promise<Fetched> {
    const { store, laneOf, online } = this.#options;
    const failure = this.#books.failureOf(call.key);
    if (failure !== undefined) return { type: 'unavailable', failure };
    if (this.#books.isReserved(call.key)) return WAITING;
    if (this.#live.size > 0) {
      const out = store.call(call.key);
      if (out !== undefined && this.#live.has(out.submission)) {
        this.#wanted.add(out.submission);
        return WAITING;
      }
    }
    // What is asked again is little, and somebody waits for it.
    if (asker.again || this.#onlineNow || laneOf(asker.node, call) === 'online') return online.get(call, asker);
    return this.#collect(call, asker);
  }

  async #collect(call: KeyedCall, { node }: Asker): Promise<Fetched> {
    const { identity, path, body } = call.request;
    const target = { identity, path, model: this.#options.protocols(path).modelOf(body) };
    const api = await this.#api(identity);
    const spent = this.#books.whyNotAgain(call.key);
    const refused = spent ?? (await this.#outbox.collect(call, node, target, api));
    return refused === undefined ? WAITING : { type: 'unavailable', failure: refused };
  }

  #tokensOut({ identity, model }: BatchTarget): number {
    let tokens = 0;
    for (const { submission } of this.#live.values()) {
      if (submission.identity === identity && submission.model === model) tokens += submission.tokens;
    }
    return tokens;
  }

  async turn(): Promise<'done' | 'again' | 'waiting'> {
    const { now, sleep, interrupt } = this.#options;
    await this.#outbox.flush((identity) => this.#api(identity));
    for (;;) {
      if (this.#manner.type === 'take-over') await this.cancel(this.#wanted);
      if (this.#moved) {
        this.#moved = false;
        this.#outbox.wake();
        return 'again';
      }
      const { rests } = this.#outbox;
      const awaited = this.#awaited();
      if (interrupt.aborted || (awaited.length === 0 && rests.length === 0)) break;
      if (awaited.length === 0 && this.#manner.type === 'leave') break;
      const until = this.#manner.type === 'stay' ? this.#manner.until : undefined;
      if (until !== undefined && now() >= until) {
        this.#onlineNow = true;
        this.#manner = { type: 'take-over' };
        await this.cancel(this.#live.keys());
        if (this.#live.size === 0) return 'again';
        for (const id of this.#live.keys()) this.#wanted.add(id);
        continue;
      }
      const moments = awaited.flatMap(({ lookAt, patienceEnds }) => [lookAt, patienceEnds]);
      const next = Math.min(...moments, ...(awaited.length > 0 ? [] : rests), until ?? Number.POSITIVE_INFINITY);
      await sleep(Math.max(0, Math.min(next - now(), LONGEST_WAIT)), interrupt);
      if (interrupt.aborted) break;
      for (const [id, { lookAt }] of [...this.#live]) if (lookAt <= now()) await this.#advance(id);
      if (awaited.length === 0) this.#moved = true;
    }
    return this.#live.size > 0 || this.#outbox.rests.length > 0 ? 'waiting' : 'done';
  }

  /** The batches whose end this build waits for; those of which nothing can be expected are told, once. */
  #awaited(): LiveBatch[] {
    const awaited: LiveBatch[] = [];
    // A named moment is waited for whatever happens until then.
    const isTimed = this.#manner.type === 'stay' && this.#manner.until !== undefined;
    for (const batch of this.#live.values()) {
      if (!this.#isAwaited(batch)) continue;
      const { now } = this.#options;
      const why = isTimed ? undefined : batch.whyHopeless(now());
      if (why === undefined) awaited.push(batch);
      else if (!batch.isGivenUp) {
        batch.isGivenUp = true;
        this.#options.emit({ type: 'problem', problem: unreachable(batch.submission, why) });
      }
    }
    return awaited;
  }

  /** Whether this build waits for a batch to end. */
  #isAwaited({ submission }: LiveBatch): boolean {
    if (this.#manner.type === 'take-over') return this.#wanted.has(submission.id);
    return this.#manner.type === 'stay';
  }

  async #api(identity: string): Promise<BatchApi> {
    const api = await this.#options.apis(identity);
    if (api === undefined) throw new Error(`Internal error: ${identity} makes no batches`);
    // What a simulator of this very build has, no later one can take in.
    if (api.ephemeral && this.#manner.type === 'leave') this.#manner = { type: 'stay', until: undefined };
    return api;
  }

  /** Asks for the end of batches; they are taken in when it comes. */
  async cancel(ids: Iterable<Digest>): Promise<void> {
    const { now, store } = this.#options;
    for (const id of [...ids]) {
      const batch = this.#live.get(id);
      if (batch === undefined) continue;
      batch.askToEnd(now());
      if (batch.submission.cancelling || batch.submission.batch === undefined || batch.cancelAt > now()) continue;
      const api = await this.#options.apis(batch.submission.identity);
      if (api === undefined) continue;
      const cancelled = await api.cancel(batch.submission.batch);
      if (!cancelled.ok && !cancelled.gone) {
        this.#note(`${nameOf(batch.submission)} could not be cancelled: ${cancelled.failure.message}`);
        batch.refuseCancel(api.settings, now());
      } else {
        batch.submission = { ...batch.submission, cancelling: true };
        await store.put(batch.submission);
        batch.lookSoon(api.settings, now());
      }
    }
  }

  /** Gives batches up: what they hold is bought again, and what it may have cost is booked as unknown. */
  async giveUp(ids: Iterable<Digest>): Promise<void> {
    for (const id of [...ids]) {
      const batch = this.#live.get(id);
      if (batch === undefined) continue;
      await this.#books.loseAll(batch.submission);
      await this.#forget(batch.submission);
    }
  }

  #watch(submission: Submission): void {
    const before = this.#live.get(submission.id);
    if (before === undefined) this.#live.set(submission.id, new LiveBatch(submission));
    else before.submission = submission;
  }

  /** Looks at a batch once, and takes it in where it has ended. */
  async #advance(id: Digest): Promise<void> {
    const batch = this.#live.get(id)!;
    const { identity } = batch.submission;
    const api = await this.#options.apis(identity);
    if (api === undefined) return batch.leave(`this profile has no batches at ${identity}`);
    if (batch.submission.cancelling) batch.askToEnd(this.#options.now());
    const state = await this.#stateOf(batch, api);
    if (state === undefined) return;
    batch.lookLater(api.settings, this.#options.now(), state.lookAgain);
    if (state.end === undefined) {
      batch.recover();
      if (state.status !== batch.submission.status) {
        batch.submission = { ...batch.submission, status: state.status };
        await this.#options.store.put(batch.submission);
      }
      return;
    }
    if (state.end === 'refused') return this.#refused(batch.submission, state, api);
    this.#outbox.took(batch.submission);
    await this.#takeIn(batch, state, api);
  }

  /** Undefined where it is not known now, or where the submission is gone. */
  async #stateOf(batch: LiveBatch, api: BatchApi): Promise<BatchState | undefined> {
    const { store, now } = this.#options;
    const { submission } = batch;
    if (submission.state === 'prepared') {
      await this.#forget(submission);
      return undefined;
    }
    if (submission.batch === undefined) {
      const claimed = new Set(this.out.flatMap(({ batch: other }) => (other === undefined ? [] : [other])));
      const adopted = await adopt(submission, api, store, { claimed, now: now() });
      switch (adopted.type) {
        case 'found':
          batch.submission = adopted.submission;
          this.#note(`${nameOf(adopted.submission)} was found again and is adopted`);
          return adopted.state;
        case 'not-yet':
          batch.submission = adopted.submission;
          if (adopted.failure !== undefined) this.#failLook(batch, adopted.failure);
          batch.lookLater(api.settings, now(), adopted.lookAgain);
          return undefined;
        case 'never-made':
          this.#note(
            `a batch of ${plural(submission.count, 'call')} was never made; what it may have cost is booked as unknown`,
          );
          await this.#books.loseAll(submission);
          await this.#forget(submission);
          return undefined;
      }
    }
    const looked = await api.look(submission.batch);
    if (looked.ok) return looked.value;
    // Some providers do not know at once what they have made.
    const isFresh =
      !api.ephemeral && !submission.cancelling && now() - submission.at < api.settings.graceSeconds * 1000;
    if (!looked.gone || isFresh) {
      this.#failLook(batch, looked.failure);
      batch.lookLater(api.settings, now(), looked.lookAgain);
      return undefined;
    }
    await this.#gone(submission, api, looked.failure.message);
    return undefined;
  }

  #failLook(batch: LiveBatch, { message }: CallFailure): void {
    batch.fail(`it cannot be looked at: ${message}`, this.#options.now());
    this.#note(`${nameOf(batch.submission)} cannot be looked at: ${message}`);
  }

  async #takeIn(batch: LiveBatch, state: BatchState, api: BatchApi): Promise<void> {
    const { store, calls, prices, now, sleep, interrupt } = this.#options;
    const { submission } = batch;
    const name = nameOf(submission);
    let taken: Harvest | undefined;
    try {
      taken = await harvest(submission, state, api, {
        batches: store,
        calls,
        prices,
        now,
        sleep: (milliseconds) => sleep(milliseconds, interrupt),
        settle: (key, outcome) => this.#books.settle(key, outcome),
        keepUnknown: (key, call) => this.#books.keepUnknown(submission, key, call),
      });
    } catch (error) {
      if (!(error instanceof ResultsCut)) throw error;
      batch.fail(`its results cannot be read: ${error.message}`, now());
      return this.#note(`the results of ${name} cannot be read: ${error.message}`);
    }
    if (taken === undefined) return this.#doubt(batch);
    for (const [node, meter] of taken.meters) this.#books.add(node, meter);
    for (const [key, failure] of taken.again) this.#books.giveBack(key, failure, state.status);
    if (taken.lost.length > 0) this.#lose(submission, taken);
    await this.#forget(submission);
    this.#note(`${name} is back (${state.status}): ${harvestText(taken)}`);
    for (const text of oddities(taken, state)) this.#note(`${name}: ${text}`);
  }

  /** Some servers name the end of a batch before all of its results are there: one that lacks some is asked twice. */
  async #doubt(batch: LiveBatch): Promise<void> {
    batch.submission = { ...batch.submission, doubted: true };
    await this.#options.store.put(batch.submission);
  }

  /** What is booked as unknown fails its nodes, unless the batch was asked to end: some end one by deleting it. */
  #lose(submission: Submission, { lost, gone }: Pick<Harvest, 'lost' | 'gone'>): void {
    const failure = gone === undefined ? lostIn(submission, lost) : goneText(submission, lost, gone);
    if (gone !== undefined && submission.cancelling) {
      this.#note(`${failure.message}; what they may have cost is booked as unknown`);
      return;
    }
    for (const key of lost) this.#books.fail(key, failure);
  }

  /** Refused as a whole, for nothing: by what single lines hold, or by what it is. */
  async #refused(submission: Submission, state: BatchState, api: BatchApi): Promise<void> {
    const { store, calls, now } = this.#options;
    const keys = store.keys(submission.id);
    const blamed = await blameRows(submission, state, api, { store, calls, now });
    for (const { key, node, failure } of blamed) {
      if (failure.class !== 'permanent') this.#books.fail(key, failure);
      else this.#books.add(node, { ...newMeter(), failed: 1 });
    }
    const full = state.mistakes.some(({ code }) => /token_limit|enqueued/i.test(code));
    for (const key of keys) this.#books.settle(key, { billed: 'no' });
    await this.#forget(submission);
    if (full && this.#outbox.rest(submission, api)) {
      const told = state.mistakes[0]?.message ?? state.status;
      this.#note(`${nameOf(submission)} was put back, since the provider has too much waiting: ${told}`);
    } else if (blamed.length === 0) {
      const failure = refusal(submission, state, api, full);
      if (failure.reason === 'batch_limit') this.#outbox.close(submission, failure);
      for (const key of keys) this.#books.fail(key, failure);
    }
  }

  /** The provider does not know it any more, or never did. */
  async #gone(submission: Submission, api: BatchApi, told: string): Promise<void> {
    if (api.ephemeral) {
      for (const key of this.#options.store.keys(submission.id)) this.#books.settle(key, { billed: 'no' });
      return this.#forget(submission);
    }
    this.#lose(submission, { lost: await this.#books.loseAll(submission), gone: told });
    await this.#forget(submission);
  }

  async #forget(submission: Submission): Promise<void> {
    await this.#options.store.close(submission.id);
    this.#live.delete(submission.id);
    this.#wanted.delete(submission.id);
    this.#moved = true;
  }

  #note(text: string): void {
    this.#options.emit({ type: 'note', text });
  }
}
