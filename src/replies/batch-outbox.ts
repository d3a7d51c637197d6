/** Calls that are collected until a batch is full or nothing more can be asked, and are then sent, batch after batch. */

import type { BatchStore, Submission } from '../core/batch.ts';
import type { BatchApi } from '../core/batch-port.ts';
import type { CallFailure, KeyedCall, StoppedCall, TransientFailure } from '../core/call.ts';
import type { BatchBooks } from './batch-books.ts';
import { type BatchTarget, newSubmission, submit, targetName } from './batch-submit.ts';
import { type CollectedCall, CollectedCalls, tokensOf } from './collected-calls.ts';
import { LONGEST_WAIT, SLOWER } from './live-batch.ts';
import { requestOf } from './source.ts';
import type { Spend } from './spend.ts';
import { modelName, type TokenLimitMemory, TokenLimits } from './token-limits.ts';

interface OutboxPorts {
  readonly store: BatchStore;
  readonly spend: Spend;
  readonly books: BatchBooks;
  readonly now: () => number;
  /** Aborted when nothing new may be sent. */
  readonly interrupt: AbortSignal;
  /** Prompt tokens that are out for a model. */
  readonly tokensOut: (target: BatchTarget) => number;
  /** Remembers how much may wait at once; absent: nobody does. */
  readonly memory: TokenLimitMemory | undefined;
  /** Told of each batch before anything of it is sent, and again when it is out. */
  readonly onOut: (submission: Submission, isSent: boolean) => void;
  /** Told of a batch that was not made. */
  readonly onUnsent: (submission: Submission) => void;
}

export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #groups = new Map<string, { readonly target: BatchTarget; readonly calls: CollectedCalls }>();
  /** Models that take no more at present: until a batch of theirs is back, or at least until a moment. */
  readonly #full = new Map<string, number>();
  /** How long a model that refused for having too much waiting is left alone the next time; milliseconds. */
  readonly #rests = new Map<string, number>();
  readonly #limits: TokenLimits;
  /** Since when single calls are too much, with nothing else of ours waiting. */
  readonly #singleSince = new Map<string, number>();
  /** Models that nothing more is sent for, and why. */
  readonly #closed = new Map<string, TransientFailure>();
  /** Batches are sent one after the other. */
  #sending: Promise<void> = Promise.resolve();
  #error: { readonly error: unknown } | undefined;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#limits = new TokenLimits(ports.memory);
  }

  /** When models that are full are to be tried again; empty where none is. */
  get rests(): readonly number[] {
    return [...this.#full.values()];
  }

  /** Lets models be tried again that have rested long enough. */
  wake(): void {
    const { now } = this.#ports;
    for (const [name, until] of this.#full) if (until <= now()) this.#full.delete(name);
  }

  /**
   * A model that said that it has too much waiting is left alone for a while, each time for longer. Where nothing but the
   * refused batch was waiting, the next one is smaller.
   * @returns whether it is worth trying again: not where single calls have been too much for as long as patience lasts
   */
  rest(refused: Submission, { settings }: BatchApi): boolean {
    const name = modelName(refused);
    const now = this.#ports.now();
    const isAlone = this.#ports.tokensOut(refused) === 0;
    if (isAlone) this.#limits.refuse(refused, refused.tokens);
    if (!isAlone || refused.count > 1) this.#singleSince.delete(name);
    else {
      const since = this.#singleSince.get(name) ?? now;
      this.#singleSince.set(name, since);
      if (now - since >= settings.patienceSeconds * 1000) return false;
    }
    // A smaller one is sent at once: a build that does not stay would end with nothing out.
    if (isAlone && refused.count > 1) return true;
    const rest = this.#rests.get(name) ?? settings.pollSeconds * 1000;
    this.#rests.set(name, Math.min(rest * SLOWER, LONGEST_WAIT));
    this.#full.set(name, now + rest);
    return true;
  }

  /** Sends nothing more for the model of a batch: whoever asks for it is answered with this failure. */
  close(refused: Submission, failure: TransientFailure): void {
    this.#closed.set(modelName(refused), failure);
  }

  /** A batch was taken, so more may be taken the next time, and a refusal is worth no longer rest than the first. */
  took(taken: Submission): void {
    const name = modelName(taken);
    this.#limits.take(taken, taken.tokens);
    this.#singleSince.delete(name);
    this.#rests.delete(name);
  }

  /** Why the call is not collected; undefined where it is, or waits until its model takes more. */
  async collect(
    call: KeyedCall,
    node: string,
    target: BatchTarget,
    api: BatchApi,
  ): Promise<StoppedCall | TransientFailure | undefined> {
    const { spend, books, tokensOut } = this.#ports;
    const name = targetName(target);
    const model = modelName(target);
    const closed = this.#closed.get(model);
    if (closed !== undefined) return closed;
    if (this.#full.has(model)) return undefined;
    const permit = await spend.admit(requestOf(call), target.model, 'batch');
    if ('class' in permit) return permit;
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { target, calls: new CollectedCalls() };
      this.#groups.set(name, group);
    }
    const { rows, bytes, enqueuedTokens } = api.settings;
    const most = Math.min(enqueuedTokens ?? Number.POSITIVE_INFINITY, this.#limits.most(target));
    const out = most === Number.POSITIVE_INFINITY ? 0 : tokensOut(target);
    const isTooMuch = out + group.calls.tokens + tokensOf(call.body) > most;
    // A call that is too large by itself goes alone.
    if (isTooMuch && (group.calls.size > 0 || out > 0)) {
      permit.settle({ billed: 'no', unsent: true });
      this.#full.set(model, 0);
      return undefined;
    }
    if (!group.calls.fits(call.body, { rows, bytes })) this.#send(group.target, group.calls, api);
    books.reserve(call.key, permit);
    group.calls.add({ key: call.key, node, request: call.text, body: call.body, permit });
    return undefined;
  }

  /** Sends what was collected, and waits until all that was to be sent is. */
  async flush(apiOf: (identity: string) => Promise<BatchApi>): Promise<void> {
    for (const { target, calls } of this.#groups.values()) {
      if (calls.size > 0) this.#send(target, calls, await apiOf(target.identity));
    }
    await this.#sending;
    if (this.#error !== undefined) throw this.#error.error;
  }

  /** Sends what was collected, behind what is being sent. */
  #send(target: BatchTarget, collected: CollectedCalls, api: BatchApi): void {
    if (collected.size === 0) return;
    const { tokens } = collected;
    const calls = collected.take();
    const send = this.#dispatch(target, calls, tokens, api);
    this.#sending = this.#sending.then(send);
  }

  /** Announces a batch, so that its tokens count from now on. @returns what sends it */
  #dispatch(target: BatchTarget, calls: readonly CollectedCall[], tokens: number, api: BatchApi): () => Promise<void> {
    const { store, books, now, interrupt, onOut, onUnsent } = this.#ports;
    const submission = newSubmission(target, calls, tokens, now());
    onOut(submission, false);
    const unsent = (failure?: CallFailure) => {
      onUnsent(submission);
      for (const { key } of calls) {
        books.settle(key, { billed: 'no', unsent: true });
        if (failure !== undefined) books.fail(key, failure);
      }
    };
    return async () => {
      try {
        if (interrupt.aborted || this.#error !== undefined) return unsent();
        const sent = await submit(submission, calls, api, store);
        if (sent.type === 'failed') return unsent(sent.failure);
        if (sent.type === 'sent') return onOut(sent.submission, true);
      } catch (error) {
        this.#error ??= { error };
        return unsent();
      }
      onUnsent(submission);
      await this.#sendHalves(target, calls, api);
    };
  }

  async #sendHalves(target: BatchTarget, calls: readonly CollectedCall[], api: BatchApi): Promise<void> {
    const middle = Math.ceil(calls.length / 2);
    for (const half of [calls.slice(0, middle), calls.slice(middle)]) {
      const tokens = half.reduce((sum, { body }) => sum + tokensOf(body), 0);
      await this.#dispatch(target, half, tokens, api)();
    }
  }
}
