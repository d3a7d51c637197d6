/** Buys through a till: calls become chunks on the queue, and answers are kept here before they are used. */

import { type Job, Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import type { FatalFailure, KeyedCall, StoppedCall } from '../core/call.ts';
import type { CallStore, Known } from '../core/storage.ts';
import { createFanOut } from '../providers/abort-fan-out.ts';
import { lookUp } from '../replies/local.ts';
import { type Asker, bill, type CallMeter, type Fetched, type ReplySource } from '../replies/source.ts';
import { type AskedCall, answerDigest, CALLS_QUEUE, type CallAnswer, CHUNK, type Chunk, queuePrefix } from './chunk.ts';
import { whenGone } from './connect.ts';
import { endOf } from './job-end.ts';
import { accountPrefix, type BuildLimits } from './ledger.ts';

interface TillRepliesParts {
  readonly redis: Redis;
  readonly account: string;
  readonly limits: BuildLimits;
  readonly calls: CallStore;
  readonly note: (text: string) => void;
  /** Told the first time that nothing more can be bought. */
  readonly onStop: (reason: StoppedCall) => void;
  readonly interrupt: AbortSignal;
  readonly kill: AbortSignal;
}

/** Milliseconds in which further calls join a chunk. */
const GATHER = 5;
/** Milliseconds without Redis after which a build stops asking. */
const GONE = 5_000;
/** Milliseconds after which a heartbeat is no sign of life, and between two looks for one. */
const SILENT = 150_000;
/** Seconds for which Redis keeps what became of a chunk that nobody came for. */
const KEPT = 600;
/** Events that Redis keeps for those who listen; each may hold the answers of a chunk. */
const EVENTS_KEPT = 2_000;

interface Waiting {
  readonly call: KeyedCall;
  readonly asked: AskedCall;
  readonly resolve: (answer: CallAnswer) => void;
  readonly reject: (error: unknown) => void;
}

const NO_TILL: FatalFailure = {
  class: 'fatal',
  reason: 'no_till',
  message: 'Redis is gone, so nothing can be bought through the till',
};
const INTERRUPTED: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'the build was interrupted' };

export class TillReplies implements ReplySource {
  readonly #parts: TillRepliesParts;
  readonly #queue: Queue<Chunk, readonly CallAnswer[]>;
  readonly #events: QueueEvents;
  /** Events are waited for on a connection of their own. */
  readonly #listening: Redis;
  readonly #stopWatching: () => void;
  #gathering: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #gone = new AbortController();
  readonly #endings = createFanOut();

  constructor(parts: TillRepliesParts) {
    const { redis, account } = parts;
    this.#parts = parts;
    const options = { prefix: queuePrefix(account) };
    this.#queue = new Queue(CALLS_QUEUE, {
      ...options,
      connection: redis,
      streams: { events: { maxLen: EVENTS_KEPT } },
      defaultJobOptions: { removeOnComplete: { age: KEPT }, removeOnFail: { age: KEPT } },
    });
    this.#listening = redis.duplicate();
    this.#events = new QueueEvents(CALLS_QUEUE, { ...options, connection: this.#listening });
    // A lost connection is told by `whenGone`; without a listener it would end the process.
    this.#queue.setMaxListeners(0);
    this.#queue.on('error', () => {});
    this.#events.on('error', () => {});
    this.#events.setMaxListeners(0);
    this.#stopWatching = whenGone(redis, GONE, () => this.#gone.abort());
  }

  /** Says so where nobody seems to be at the till. */
  async lookForTills(now: number): Promise<void> {
    const { redis, account, note } = this.#parts;
    const tills = await redis.hvals(`${accountPrefix(account)}tills`);
    const alive = tills.some((text) => now - (JSON.parse(text) as { readonly at: number }).at < SILENT);
    if (!alive) note(`no till is open for the account ${account}: calls wait until one is (\`cje till\`)`);
  }

  async get(call: KeyedCall, { node, meter, again = false }: Asker): Promise<Fetched> {
    const { calls, onStop } = this.#parts;
    const before = again ? lookUp(calls, call) : undefined;
    const superseding = before === undefined ? {} : { superseding: answerDigest(before) };
    const { answer, meter: spent } = await new Promise<CallAnswer>((resolve, reject) => {
      this.#gathering.push({ call, asked: { text: call.text, node, ...superseding }, resolve, reject });
      if (this.#gathering.length >= CHUNK) this.#send();
      else this.#timer ??= setTimeout(() => this.#send(), GATHER);
    });
    if (answer.type === 'unavailable') {
      addTo(meter, spent);
      if (answer.failure.class === 'stopped') onStop(answer.failure);
      return answer;
    }
    const supersede = again ? calls.supersede(call.key) : undefined;
    const { fetched, put } = this.#kept(call, answer);
    await Promise.all([supersede, put]);
    addTo(meter, spent);
    return fetched;
  }

  #kept(
    call: KeyedCall,
    answer: Exclude<CallAnswer['answer'], { type: 'unavailable' }>,
  ): { fetched: Known; put: Promise<void> } {
    const { calls } = this.#parts;
    if (answer.type === 'reply') {
      const stored = { request: call.text, ...answer.stored };
      return { fetched: { type: 'reply', stored }, put: calls.put(call.key, stored) };
    }
    const stored = { request: call.text, ...answer.stored };
    return { fetched: { type: 'failure', failure: stored.failure }, put: calls.putFailure(call.key, stored) };
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gathered = this.#gathering;
    this.#gathering = [];
    void this.#ask(gathered).catch((error: unknown) => {
      // Whoever was answered before hears nothing of it.
      for (const { reject } of gathered) reject(error);
    });
  }

  async #ask(gathered: readonly Waiting[]): Promise<void> {
    const { limits, interrupt, kill } = this.#parts;
    const giveUp = (failure: FatalFailure | StoppedCall) => {
      for (const { resolve } of gathered) resolve({ answer: { type: 'unavailable', failure }, meter: NOTHING });
    };
    let job: Job<Chunk, readonly CallAnswer[]> | undefined;
    const leave = [
      this.#endings.subscribe(this.#gone.signal, () => giveUp(NO_TILL)),
      this.#endings.subscribe(kill, () => giveUp(INTERRUPTED)),
      // One that a till has taken is awaited: its calls are on their way.
      this.#endings.subscribe(interrupt, () => {
        void withdrawn(job).then((gone) => gone && giveUp(INTERRUPTED));
      }),
    ];
    try {
      const chunk: Chunk = { limits, calls: gathered.map(({ asked }) => asked) };
      for (;;) {
        job = await this.#queue.add('chunk', chunk);
        const ended = await endOf(job, this.#events);
        if (ended.type === 'done') {
          // Answers are kept here now; Redis is no place for them.
          void job.remove().catch(() => {});
          for (const [index, { resolve }] of gathered.entries()) resolve(ended.value[index]!);
          return;
        }
        if (ended.type === 'failed') return giveUp({ ...NO_TILL, message: `the till failed: ${ended.reason}` });
        // Redis has lost it. The ledger knows what was sent, so it may be asked again.
      }
    } finally {
      for (const each of leave) each();
    }
  }

  async close(): Promise<void> {
    this.#stopWatching();
    const closing = Promise.all([this.#events.close(), this.#queue.close()]).catch(() => {});
    // Without Redis nothing answers a farewell.
    if (!this.#gone.signal.aborted) await closing;
    this.#listening.disconnect();
    this.#parts.redis.disconnect();
  }
}

const NOTHING: CallAnswer['meter'] = { bought: 0, failed: 0, cost: 0, unknown: 0, doubted: 0, models: [] };

async function withdrawn(job: Job | undefined): Promise<boolean> {
  if (job === undefined) return false;
  try {
    await job.remove();
    return true;
  } catch {
    return false;
  }
}

function addTo(meter: CallMeter, spent: CallAnswer['meter']): void {
  for (const { identity, model, bought, cost, unknown = 0 } of spent.models) {
    bill(meter, identity, model, { bought, cost, unknown });
  }
  meter.failed += spent.failed;
  meter.doubted += spent.doubted;
}
