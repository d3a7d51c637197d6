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
import type { PriceBook, TryOutcome } from '../core/provider-port.ts';
import type { CallStore } from '../core/storage.ts';
import { adopt } from './batch-adopt.ts';
import { type Harvest, harvest } from './batch-harvest.ts';
import { blameRows } from './batch-refusal.ts';
import { type BatchTarget, newSubmission, submit, targetName } from './batch-submit.ts';
import { harvestText, lostIn, oddities, plural, transient } from './batch-text.ts';
import { CollectedCalls, tokensOf } from './collected-calls.ts';
import type { Intents } from './intents.ts';
import { LiveBatch, LONGEST_WAIT, SLOWER } from './live-batch.ts';
import { type Asker, addMeter, type CallMeter, type Fetched, newMeter, type ReplySource, requestOf } from './source.ts';
import type { PricedPermit, Spend } from './spend.ts';

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
/** A call that came back unanswered so often is not sent again by the same build. */
const MOST_RETURNS = 3;

export class BatchLane implements ReplySource {
  readonly #options: BatchLaneOptions;
  readonly #live = new Map<Digest, LiveBatch>();
  readonly #collected = new Map<string, { readonly target: BatchTarget; readonly calls: CollectedCalls }>();
  /** Reservations of calls that this build sent, until they are back. */
  readonly #permits = new Map<Digest, PricedPermit>();
  /** Calls that this build does not send again, and why. */
  readonly #failed = new Map<Digest, CallFailure>();
  /** How often a call came back unanswered, and why the last time. */
  readonly #returned = new Map<Digest, { readonly times: number; readonly failure: CallFailure }>();
  /** Batches that hold what was asked. */
  readonly #wanted = new Set<Digest>();
  readonly #harvested = new Map<string, CallMeter>();
  /** Models that take no more at present: until a batch of theirs is back, or at least until a moment. */
  readonly #full = new Map<string, number>();
  /** How long a model that refused for having too much waiting is left alone the next time; milliseconds. */
  readonly #rests = new Map<string, number>();
  /** Batches are sent one after the other. */
  #sending: Promise<void> = Promise.resolve();
  #error: { readonly error: unknown } | undefined;
  #manner: BatchManner;
  /** Set when what is left is bought at once. */
  #onlineNow = false;
  /** Something has changed for those who wait. */
  #moved = false;

  constructor(options: BatchLaneOptions) {
    this.#options = options;
    this.#manner = options.manner;
  }

  /** Why calls of batches have to be bought again, each reason once. */
  get losses(): readonly string[] {
    return [...new Set([...this.#failed.values()].map(({ message }) => message))];
  }

  /** What came of batches so far, over all nodes. */
  get harvest(): CallMeter {
    const all = newMeter();
    for (const meter of this.#harvested.values()) addMeter(all, meter);
    return all;
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
    const failure = this.#failed.get(call.key);
    if (failure !== undefined && failure.class !== 'permanent') return { type: 'unavailable', failure };
    if (this.#permits.has(call.key)) return WAITING;
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
    const { spend, protocols } = this.#options;
    const { identity, path } = call.request;
    const model = protocols(path).modelOf(call.request.body);
    const target = { identity, path, model };
    const name = targetName(target);
    const api = await this.#api(identity);
    if (this.#full.has(name)) return WAITING;
    const returned = this.#returned.get(call.key);
    if (returned !== undefined && returned.failure.class !== 'permanent') {
      // What is wrong with a key or an account is not mended by sending again.
      const isOver = returned.times >= MOST_RETURNS || returned.failure.class === 'fatal';
      if (isOver) return { type: 'unavailable', failure: returned.failure };
    }
    let group = this.#collected.get(name);
    if (group === undefined) {
      group = { target, calls: new CollectedCalls() };
      this.#collected.set(name, group);
    }
    const permit = await spend.admit(requestOf(call), model, 'batch');
    if ('class' in permit) return { type: 'unavailable', failure: permit };
    const { rows, bytes, enqueuedTokens } = api.settings;
    const tokens = enqueuedTokens === undefined ? undefined : enqueuedTokens - this.#tokensOut(group.target);
    if (
      tokens !== undefined &&
      group.calls.tokens + tokensOf(call.body) > tokens &&
      this.#hasOut(group.target, group.calls)
    ) {
      // Nothing more fits beside what is out.
      permit.settle({ billed: 'no', unsent: true });
      this.#full.set(name, 0);
      return WAITING;
    }
    if (!group.calls.fits(call.body, { rows, bytes, tokens: undefined })) this.#send(group.target, group.calls, api);
    this.#permits.set(call.key, permit);
    group.calls.add({ key: call.key, node, request: call.text, body: call.body, permit });
    return WAITING;
  }

  /** Whether a model has anything out or collected; a call that is too large by itself goes alone. */
  #hasOut(target: BatchTarget, calls: CollectedCalls): boolean {
    return calls.size > 0 || this.#tokensOut(target) > 0;
  }

  #tokensOut({ identity, model }: BatchTarget): number {
    let tokens = 0;
    for (const { submission } of this.#live.values()) {
      if (submission.identity === identity && submission.model === model) tokens += submission.tokens;
    }
    return tokens;
  }

  /** Sends what was collected, behind what is being sent. */
  #send(target: BatchTarget, collected: CollectedCalls, api: BatchApi): void {
    const { store, now, interrupt } = this.#options;
    if (collected.size === 0) return;
    const tokens = collected.tokens;
    const calls = collected.take();
    const submission = newSubmission(target, calls, tokens, now());
    const unsent = (failure: CallFailure | undefined) => {
      this.#live.delete(submission.id);
      this.#moved = true;
      for (const { key, permit } of calls) {
        this.#permits.delete(key);
        permit.settle({ billed: 'no', unsent: true });
        if (failure !== undefined) this.#failed.set(key, failure);
      }
    };
    // Its tokens count from now on.
    this.#watch(submission);
    this.#sending = this.#sending.then(async () => {
      try {
        if (interrupt.aborted || this.#error !== undefined) return unsent(undefined);
        const sent = await submit(submission, calls, api, store);
        if (sent.type === 'failed') return unsent(sent.failure);
        this.#watch(sent.submission);
        this.#note(`${this.#name(sent.submission)} is out: ${plural(calls.length, 'call')}`);
      } catch (error) {
        this.#error ??= { error };
        unsent(undefined);
      }
    });
  }

  async turn(): Promise<'done' | 'again' | 'waiting'> {
    const { now, sleep, interrupt } = this.#options;
    for (const { target, calls } of this.#collected.values()) {
      if (calls.size > 0) this.#send(target, calls, await this.#api(target.identity));
    }
    await this.#sending;
    if (this.#error !== undefined) throw this.#error.error;
    for (;;) {
      if (this.#manner.type === 'take-over') await this.cancel(this.#wanted);
      if (this.#moved) {
        this.#moved = false;
        for (const [name, until] of this.#full) if (until <= now()) this.#full.delete(name);
        return 'again';
      }
      const awaited = [...this.#live.values()].filter((batch) => this.#isAwaited(batch));
      if (interrupt.aborted || (awaited.length === 0 && this.#full.size === 0)) break;
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
      const rests = awaited.length > 0 ? [] : this.#full.values();
      const next = Math.min(...awaited.map(({ lookAt }) => lookAt), ...rests, until ?? Number.POSITIVE_INFINITY);
      await sleep(Math.max(0, Math.min(next - now(), LONGEST_WAIT)), interrupt);
      if (interrupt.aborted) break;
      for (const [id, { lookAt }] of [...this.#live]) if (lookAt <= now()) await this.#advance(id);
      if (awaited.length === 0) this.#moved = true;
    }
    return this.#live.size > 0 || this.#full.size > 0 ? 'waiting' : 'done';
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

  takeHarvest(node: string): CallMeter | undefined {
    const meter = this.#harvested.get(node);
    this.#harvested.delete(node);
    return meter;
  }

  takeRest(): ReadonlyMap<string, CallMeter> {
    const rest = new Map(this.#harvested);
    this.#harvested.clear();
    return rest;
  }

  /** Asks for the end of batches; they are taken in when it comes. */
  async cancel(ids: Iterable<Digest>): Promise<void> {
    const { now, store } = this.#options;
    for (const id of [...ids]) {
      const batch = this.#live.get(id);
      if (batch === undefined || batch.submission.cancelling || batch.submission.batch === undefined) continue;
      if (batch.cancelAt > now()) continue;
      const api = await this.#api(batch.submission.identity);
      const cancelled = await api.cancel(batch.submission.batch);
      if (!cancelled.ok && !cancelled.gone) {
        this.#note(`${this.#name(batch.submission)} could not be cancelled: ${cancelled.failure.message}`);
        batch.refuseCancel(api.settings, now());
      } else {
        batch.submission = { ...batch.submission, cancelling: true };
        await store.put(batch.submission);
        batch.lookSoon(api.settings, now());
      }
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
    if (api === undefined) {
      this.#note(`${this.#name(batch.submission)} waits: this profile has no batches at ${identity}`);
      batch.lookAt = Number.POSITIVE_INFINITY;
      return;
    }
    const state = await this.#stateOf(batch, api);
    if (state === undefined) return;
    batch.lookLater(api.settings, this.#options.now(), state.lookAgain);
    if (state.end === undefined) {
      if (state.status !== batch.submission.status) {
        batch.submission = { ...batch.submission, status: state.status };
        await this.#options.store.put(batch.submission);
      }
      return;
    }
    if (state.end === 'refused') return this.#refused(batch.submission, state, api);
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
          this.#note(`${this.#name(adopted.submission)} was found again and is adopted`);
          return adopted.state;
        case 'not-yet':
          batch.submission = adopted.submission;
          batch.lookLater(api.settings, now());
          return undefined;
        case 'never-made':
          this.#note(
            `a batch of ${plural(submission.count, 'call')} was never made; what it may have cost is booked as unknown`,
          );
          await this.#loseAll(submission);
          return undefined;
      }
    }
    const looked = await api.look(submission.batch);
    if (looked.ok) return looked.value;
    // Some providers do not know at once what they have made.
    const isFresh =
      !api.ephemeral && !submission.cancelling && now() - submission.at < api.settings.graceSeconds * 1000;
    if (!looked.gone || isFresh) {
      this.#note(`${this.#name(submission)} cannot be looked at: ${looked.failure.message}`);
      batch.lookLater(api.settings, now());
      return undefined;
    }
    await this.#gone(submission, api);
    return undefined;
  }

  async #takeIn(batch: LiveBatch, state: BatchState, api: BatchApi): Promise<void> {
    const { store, calls, prices, now } = this.#options;
    const { submission } = batch;
    let taken: Harvest;
    try {
      taken = await harvest(submission, state, api, {
        batches: store,
        calls,
        prices,
        now,
        settle: (key, outcome) => this.#settle(key, outcome),
        keepUnknown: (key, call) => this.#keepUnknown(submission, key, call.node, call.dollars),
      });
    } catch (error) {
      if (!(error instanceof ResultsCut)) throw error;
      if (error.failure.class === 'permanent') return this.#gone(submission, api);
      this.#note(`the results of ${this.#name(submission)} broke off: ${error.message}`);
      return;
    }
    for (const [node, meter] of taken.meters) this.#add(node, meter);
    for (const [key, failure] of taken.again) this.#giveBack(key, failure, state);
    const name = this.#name(submission);
    if (taken.lost.length > 0) {
      const failure = lostIn(name, submission.count, taken.lost);
      for (const key of taken.lost) this.#failed.set(key, failure);
    }
    await this.#forget(submission);
    this.#note(`${name} is back (${state.status}): ${harvestText(taken)}`);
    for (const text of oddities(taken, state)) this.#note(`${name}: ${text}`);
  }

  /** A call goes back to those that are to be bought, unless it has come back too often. */
  #giveBack(key: Digest, failure: CallFailure | undefined, { status }: BatchState): void {
    const times = (this.#returned.get(key)?.times ?? 0) + 1;
    const why = failure ?? transient('timeout', `${plural(times, 'batch', 'batches')} ended without it (${status})`);
    this.#returned.set(key, { times, failure: why });
  }

  /** Refused as a whole, for nothing: by what single lines hold, or by what it is. */
  async #refused(submission: Submission, state: BatchState, api: BatchApi): Promise<void> {
    const { store, calls, now } = this.#options;
    const keys = store.keys(submission.id);
    const blamed = await blameRows(submission, state, api, { store, calls, now });
    for (const { key, node, failure } of blamed) {
      if (failure.class !== 'permanent') this.#failed.set(key, failure);
      else this.#add(node, { ...newMeter(), failed: 1 });
    }
    const full = state.mistakes.some(({ code }) => /token_limit|enqueued/i.test(code));
    const told = state.mistakes[0]?.message ?? state.status;
    if (full) {
      this.#note(`${this.#name(submission)} was put back, since the provider has too much waiting: ${told}`);
    } else if (blamed.length === 0) {
      const failure = transient('batch_refused', `${this.#name(submission)} was refused as a whole: ${told}`);
      for (const key of keys) this.#failed.set(key, failure);
    }
    for (const key of keys) this.#settle(key, { billed: 'no' });
    await this.#forget(submission);
    if (!full) return;
    const name = targetName(submission);
    const rest = this.#rests.get(name) ?? api.settings.pollSeconds * 1000;
    this.#rests.set(name, Math.min(rest * SLOWER, LONGEST_WAIT));
    this.#full.set(name, now() + rest);
  }

  /** Its results are not there any more, or never were. */
  async #gone(submission: Submission, api: BatchApi): Promise<void> {
    const keys = this.#options.store.keys(submission.id);
    if (!api.ephemeral) {
      // Some providers end a batch by deleting it: what was asked to end is no loss that a node should fail by.
      const failure = lostIn(this.#name(submission), submission.count, keys);
      if (submission.cancelling) this.#note(`${failure.message}; what they may have cost is booked as unknown`);
      else for (const key of keys) this.#failed.set(key, failure);
      return this.#loseAll(submission);
    }
    for (const key of keys) this.#settle(key, { billed: 'no' });
    await this.#forget(submission);
  }

  /** Nothing will come back, and it may have been billed. */
  async #loseAll(submission: Submission): Promise<void> {
    const { store } = this.#options;
    const { identity, model } = submission;
    for (const key of store.keys(submission.id)) {
      const call = store.call(key);
      if (call === undefined) continue;
      const meter = newMeter();
      meter.unknown = call.dollars;
      meter.models.push({ identity, model, bought: 0, cost: 0, unknown: call.dollars });
      this.#add(call.node, meter);
      this.#settle(key, { billed: 'maybe' });
      await this.#keepUnknown(submission, key, call.node, call.dollars);
    }
    await this.#forget(submission);
  }

  async #keepUnknown({ id, identity, model }: Submission, call: Digest, node: string, dollars: number): Promise<void> {
    await this.#options.intents.keepUnknown(`${call}/batch/${id}`, { call, identity, model, node, dollars });
  }

  #add(node: string, meter: CallMeter): void {
    const kept = this.#harvested.get(node);
    if (kept === undefined) this.#harvested.set(node, meter);
    else addMeter(kept, meter);
  }

  #settle(key: Digest, outcome: TryOutcome): void {
    this.#permits.get(key)?.settle(outcome);
    this.#permits.delete(key);
  }

  async #forget(submission: Submission): Promise<void> {
    await this.#options.store.close(submission.id);
    this.#live.delete(submission.id);
    this.#wanted.delete(submission.id);
    this.#moved = true;
  }

  #name({ id, batch, model }: Submission): string {
    return `batch ${batch ?? id.slice(0, 8)} of ${model}`;
  }

  #note(text: string): void {
    this.#options.emit({ type: 'note', text });
  }
}
