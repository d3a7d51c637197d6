/** Buys through a till: calls become chunks on the queue, and answers are kept here before they are used. */

import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { KeyedCall, StoppedCall } from '../core/call.ts';
import type { Listener } from '../core/events.ts';
import type { CallStore, Known } from '../core/storage.ts';
import { createFanOut } from '../providers/abort-fan-out.ts';
import { type BudgetLimits, lowerCap } from '../replies/budget.ts';
import { lookUp } from '../replies/local.ts';
import { type Asker, bill, type CallMeter, type Fetched, type ReplySource } from '../replies/source.ts';
import {
  type AskedCall,
  answerDigest,
  CALLS_QUEUE,
  type CallAnswer,
  CHUNK,
  type Chunk,
  readAnswers,
  readCallRetry,
} from './chunk.ts';
import { FollowedQueue } from './followed-queue.ts';
import { endOf } from './job-end.ts';
import type { BuildLimits } from './ledger.ts';
import { Roster, type RosterRedis } from './roster.ts';

interface TillRepliesParts {
  readonly redis: Redis;
  readonly account: string;
  /** Names the build that buys. */
  readonly build: string;
  readonly limits: BudgetLimits;
  readonly calls: CallStore;
  readonly emit: Listener;
  /** Told the first time that nothing more can be bought. */
  readonly onStop: (reason: StoppedCall) => void;
  readonly interrupt: AbortSignal;
  readonly kill: AbortSignal;
}

/** Milliseconds in which further calls join a chunk. */
const GATHER = 5;
/** Seconds after which a heartbeat is no sign of life. */
const SILENT = 150;
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

const NO_TILL: StoppedCall = {
  class: 'stopped',
  reason: 'no_till',
  message: 'Redis is gone, so nothing can be bought through the till',
};
const tillFailed = (message: string): StoppedCall => ({ class: 'stopped', reason: 'till_failed', message });
/** Reasons that concern a single call. */
const OF_ONE_CALL: ReadonlySet<string> = new Set<StoppedCall['reason']>(['elsewhere', 'unresolved']);
const UNREADABLE = 'what came back from the till is no answer that this version of cje understands';
const INTERRUPTED: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'the build was interrupted' };

/** Says so where nobody seems to be at the till. */
export async function lookForTills({
  redis,
  account,
  emit,
}: Pick<TillRepliesParts, 'account' | 'emit'> & { readonly redis: RosterRedis }): Promise<void> {
  const tills = await new Roster(redis, account).read('tills');
  if (tills.some(({ seconds }) => seconds < SILENT)) return;
  emit({ type: 'note', text: `no till is open for the account ${account}: calls wait until one is (\`cje till\`)` });
}

type CallsQueue = FollowedQueue<Chunk, readonly CallAnswer[]>;

/** The part of the queue that is used here. */
interface Followed extends Pick<CallsQueue, 'events' | 'close'> {
  readonly queue: Pick<CallsQueue['queue'], 'add'>;
}

/** @param onGone told where Redis has gone for long */
const callsQueue = ({ redis, account }: Pick<TillRepliesParts, 'redis' | 'account'>, onGone: () => void): CallsQueue =>
  new FollowedQueue(redis, {
    account,
    name: CALLS_QUEUE,
    streams: { events: { maxLen: EVENTS_KEPT } },
    defaultJobOptions: { removeOnComplete: { age: KEPT }, removeOnFail: { age: KEPT } },
    onGone,
  });

export class TillReplies implements ReplySource {
  readonly #parts: TillRepliesParts;
  readonly #followed: Followed;
  #gathering: Waiting[] = [];
  /** What was asked, by the job that carries it. */
  readonly #asked = new Map<string, readonly Waiting[]>();
  /** Why nothing more is bought: the first reason stands for all calls that end so. */
  #stopped: StoppedCall | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #gone = new AbortController();
  readonly #endings = createFanOut();

  constructor(parts: TillRepliesParts, open: (parts: TillRepliesParts, onGone: () => void) => Followed = callsQueue) {
    this.#parts = parts;
    this.#followed = open(parts, () => this.#gone.abort());
    this.#followed.events.on('progress', ({ jobId, data }) => this.#retried(jobId, data));
  }

  #retried(job: string, data: unknown): void {
    const retry = readCallRetry(data);
    const asked = retry === undefined ? undefined : this.#asked.get(job)?.[retry.call];
    if (retry === undefined || asked === undefined) return;
    const { type, failure, waitMilliseconds } = retry;
    this.#parts.emit({ type, node: asked.asked.node, failure, waitMilliseconds });
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
      // One call that cannot be had ends no others.
      if (answer.failure.class !== 'stopped' || OF_ONE_CALL.has(answer.failure.reason)) return answer;
      this.#stopped ??= answer.failure;
      onStop(this.#stopped);
      return { ...answer, failure: this.#stopped };
    }
    const supersede = again ? calls.supersede(call.key) : undefined;
    const { fetched, put } = this.#kept(call, answer);
    try {
      await Promise.all([supersede, put]);
    } catch (error) {
      // It is paid for, and the till will not count it again.
      addTo(meter, { ...spent, models: spent.models.map((model) => ({ ...model, bought: 0 })) });
      throw error;
    }
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
    const { build, limits, interrupt, kill } = this.#parts;
    const own: BuildLimits = { build, maxCost: lowerCap(limits), maxCalls: limits.maxCalls };
    const giveUp = (failure: StoppedCall) => {
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
      const chunk: Chunk = { limits: own, calls: gathered.map(({ asked }) => asked) };
      for (;;) {
        job = await this.#followed.queue.add('chunk', chunk);
        this.#asked.set(job.id!, gathered);
        const ended = await endOf(job, this.#followed.events);
        this.#asked.delete(job.id!);
        if (ended.type === 'done') {
          // Answers are kept here now; Redis is no place for them.
          void job.remove().catch(() => {});
          const answers = readAnswers(ended.value, gathered.length);
          if (answers === undefined) return giveUp(tillFailed(UNREADABLE));
          for (const [index, { resolve }] of gathered.entries()) resolve(answers[index]!);
          return;
        }
        if (ended.type === 'failed') return giveUp(tillFailed(`the till could not buy: ${ended.reason}`));
        // Redis has lost it. The ledger knows what was sent, so it may be asked again.
      }
    } finally {
      for (const each of leave) each();
    }
  }

  close(): Promise<void> {
    return this.#followed.close();
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
