/**
 * A till: takes calls from the queue, and buys what its store does not have. The order is what makes a call be paid once:
 * claim (durable in Redis) → send → the answer in the store → booked in Redis → told. Whoever asks twice finds an answer, or
 * a try that is under way.
 */

import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { KeyedCall, Request } from '../core/call.ts';
import { type Digest, digestText } from '../core/digest.ts';
import type { Listener } from '../core/events.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Protocols } from '../core/protocol.ts';
import type { CallRequest, PriceBook, ProviderClient } from '../core/provider-port.ts';
import type { Known, Store } from '../core/storage.ts';
import type { Clock } from '../providers/clock.ts';
import { createSemaphore, type Semaphore } from '../providers/semaphore.ts';
import { http } from '../replies/http.ts';
import { Intents } from '../replies/intents.ts';
import { lookUp } from '../replies/local.ts';
import type { BringAnswer } from '../replies/shared.ts';
import { type Fetched, newMeter } from '../replies/source.ts';
import {
  type AskedCall,
  answerDigest,
  CALLS_QUEUE,
  type CallAnswer,
  type CallRetry,
  CHUNK,
  type Chunk,
  queuePrefix,
} from './chunk.ts';
import type { Ledger } from './ledger.ts';
import { ELSEWHERE, type LedgerParts, LedgerSpend } from './ledger-spend.ts';
import { losses } from './losses.ts';
import type { Roster, TillAbout } from './roster.ts';
import { SendPace } from './send-pace.ts';

interface TillParts {
  readonly redis: Redis;
  readonly account: string;
  readonly ledger: Ledger;
  readonly roster: Roster;
  /** Names this till among others. */
  readonly owner: string;
  /** Milliseconds after which a till that says nothing counts as dead. */
  readonly lease: number;
  readonly about: TillAbout;
  readonly store: Pick<Store, 'calls' | 'intents'>;
  readonly client: () => Promise<ProviderClient>;
  /** The most calls in flight by provider; who is not among them is not bought from. */
  readonly concurrency: ReadonlyMap<string, number>;
  readonly prices: PriceBook;
  readonly protocols: Protocols;
  readonly tokens: (order: CallRequest) => number;
  /** Looks into a shared cache for what another till has bought. */
  readonly bring?: BringAnswer | undefined;
  readonly clock: Clock;
  readonly note: (text: string) => void;
  /** Aborted: takes nothing new; what is in flight is awaited. */
  readonly interrupt: AbortSignal;
  /** Aborted: drops what is in flight. */
  readonly kill: AbortSignal;
}

/** Buys until it is interrupted, or another till has taken its place. */
export async function runTill(parts: TillParts): Promise<void> {
  const { redis, account, ledger, roster, owner, lease, about, clock, interrupt, note, concurrency } = parts;
  const till = new Till(parts);
  const most = [...concurrency.values()].reduce((sum, each) => sum + each, 0);
  // The worker waits on a connection of its own, which it does not end by itself.
  const connection = redis.duplicate();
  const worker = new Worker<Chunk, readonly CallAnswer[]>(
    CALLS_QUEUE,
    (job) => till.chunk(job.data, toldThrough(job)),
    {
      connection,
      prefix: queuePrefix(account),
      concurrency: Math.max(2, Math.ceil((2 * most) / CHUNK)),
      lockDuration: Math.max(1_000, Math.floor(lease / 4)),
      stalledInterval: Math.max(500, Math.floor(lease / 8)),
      // A chunk is taken up again however often tills die with it: the ledger knows what was sent.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    },
  );
  const { tell } = losses(note, 'nothing is bought without it');
  worker.on('error', tell);
  let isOpen = true;
  let beating: Promise<void> = Promise.resolve();
  const beat = async () => {
    ({ isOpen } = await ledger.beat(owner, [...till.open]));
    await roster.beat('tills', owner, about);
    const lapsed = await ledger.lapse();
    if (lapsed > 0) note(`${lapsed} calls of a till that is gone were booked as unknown: they may have been billed`);
  };
  try {
    while (!interrupt.aborted && isOpen) {
      // Redis may be gone for long; that is told, and no heart waits for it.
      beating = beat().catch(tell);
      await clock.sleep(lease / 4, interrupt);
    }
    if (!isOpen) note('nothing was heard of this till for a lease, and another is open: what is in hand is finished');
    // The heart beats on for what is still in flight.
    const ended = new AbortController();
    const closing = worker.close().finally(() => ended.abort());
    while (!ended.signal.aborted) {
      await clock.sleep(lease / 4, ended.signal);
      if (!ended.signal.aborted) beating = beat().catch(() => {});
    }
    await closing;
  } finally {
    if (redis.status === 'ready') {
      await beating;
      await Promise.all([ledger.leave(owner), roster.leave('tills', owner)]).catch(() => {});
    }
    connection.disconnect();
  }
}

class Till {
  /** Calls whose tries are under way. */
  readonly open = new Set<Digest>();
  readonly #parts: TillParts;
  readonly #ledger: LedgerParts;
  readonly #underway = new Map<Digest, Promise<unknown>>();
  readonly #places: ReadonlyMap<string, Semaphore>;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #paces = new Map<string, SendPace>();
  #tries = 0;

  constructor(parts: TillParts) {
    const { ledger, owner, prices, clock, tokens, interrupt: drain } = parts;
    this.#parts = parts;
    this.#places = new Map([...parts.concurrency].map(([identity, count]) => [identity, createSemaphore(count)]));
    this.#ledger = {
      ledger,
      owner,
      prices,
      clock,
      tokens,
      drain,
      open: this.open,
      nextTry: () => ++this.#tries,
      turn: (name, work) => {
        const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work);
        this.#turns.set(
          name,
          turn.catch(() => {}),
        );
        return turn;
      },
      paceOf: (model) => {
        const pace = this.#paces.get(model) ?? new SendPace(clock, ledger.requestsPerMinute(model) / 60);
        this.#paces.set(model, pace);
        return pace;
      },
    };
  }

  chunk({ limits, calls }: Chunk, tell: (retry: CallRetry) => void): Promise<readonly CallAnswer[]> {
    return Promise.all(
      calls.map((asked, call) =>
        this.#answer(asked, limits, (event) => {
          if (event.type !== 'call-retry') return;
          const { type, failure, waitMilliseconds } = event;
          tell({ type, call, failure, waitMilliseconds });
        }),
      ),
    );
  }

  async #answer(asked: AskedCall, limits: Chunk['limits'], emit: Listener): Promise<CallAnswer> {
    const { calls } = this.#parts.store;
    const call = readCall(asked.text);
    if (call === undefined) return unavailable('bad_setting', 'the till does not understand a call of this version');
    const { identity } = call.request;
    if (!this.#places.has(identity)) {
      return unavailable('bad_setting', `the till has no provider with the identity ${identity}`);
    }
    for (;;) {
      const known = lookUp(calls, call);
      const digest = known === undefined ? undefined : answerDigest(known);
      if (known !== undefined && digest !== asked.superseding) return told(known, call, this.#parts, newMeter());
      const underway = this.#underway.get(call.key);
      if (underway === undefined) break;
      await underway;
    }
    const buying = this.#buy(call, asked, limits, emit);
    const gone = buying.then(
      () => {},
      () => {},
    );
    this.#underway.set(call.key, gone);
    try {
      return await buying;
    } finally {
      this.#underway.delete(call.key);
    }
  }

  async #buy(
    call: KeyedCall,
    { node, superseding }: AskedCall,
    limits: Chunk['limits'],
    emit: Listener,
  ): Promise<CallAnswer> {
    const { store, client, protocols, clock, kill, interrupt, bring } = this.#parts;
    const meter = newMeter();
    const spend = new LedgerSpend(this.#ledger, limits, superseding);
    const source = http({
      calls: store.calls,
      client,
      spend,
      intents: new Intents(store.intents, clock.now),
      protocols,
      now: clock.now,
      emit,
      signal: kill,
      drain: interrupt,
    });
    const places = this.#places.get(call.request.identity)!;
    while (!places.acquire()) await new Promise<void>((wake) => places.whenReleased(wake));
    let fetched: Fetched;
    try {
      const again = superseding !== undefined && lookUp(store.calls, call) !== undefined;
      fetched = await source.get(call, { node, meter, again });
    } finally {
      places.release();
    }
    if (fetched.type === 'waiting') throw new Error('Internal error: a till buys online');
    // The answer is on the disk; only now is it booked, and then told.
    await spend.book(call.key, fetched.type === 'unavailable' ? undefined : answerDigest(fetched));
    if (fetched.type !== 'unavailable') return told(fetched, call, this.#parts, meter);
    if (fetched.failure === ELSEWHERE && (await bring?.(call.key))) {
      const brought = lookUp(store.calls, call);
      if (brought !== undefined) return told(brought, call, this.#parts, meter);
    }
    return { answer: fetched, meter };
  }
}

/** Tells the build that asked, as it happens. Where Redis is gone nobody hears it, and nothing is lost. */
function toldThrough(job: Job<Chunk>): (retry: CallRetry) => void {
  return (retry) => void job.updateProgress(retry).catch(() => {});
}

function told(known: Known, { key }: KeyedCall, { store }: TillParts, meter: CallAnswer['meter']): CallAnswer {
  if (known.type === 'reply') {
    const { request: _, ...stored } = known.stored;
    return { answer: { type: 'reply', stored }, meter };
  }
  const { request: _, ...stored } = store.calls.failure(key)!;
  return { answer: { type: 'failure', stored }, meter };
}

const unavailable = (reason: 'bad_setting', message: string): CallAnswer => ({
  answer: { type: 'unavailable', failure: { class: 'fatal', reason, message } },
  meter: newMeter(),
});

/** The call behind its canonical text; undefined for a text that is none. */
function readCall(text: string): KeyedCall | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(parsed)) return undefined;
  const { body, draw, identity, path, v } = parsed;
  const strings = typeof draw === 'string' && typeof identity === 'string' && typeof path === 'string';
  if (!strings || v !== 1 || !isJsonObject(body)) return undefined;
  const start = '{"body":';
  const end = `,"draw":${JSON.stringify(draw)},"identity":${JSON.stringify(identity)},"path":"${path}","v":1}`;
  if (!text.startsWith(start) || !text.endsWith(end)) return undefined;
  const request: Request = {
    identity,
    path,
    body: body as JsonObject,
    draw,
    decode: () => ({ ok: false, problem: 'a till reads no replies' }),
  };
  // The bytes that are sent are those that the asker has keyed.
  const bytes = Buffer.byteLength(text);
  return {
    request,
    key: digestText(text),
    text,
    pieces: [text],
    bytes,
    body: text.slice(start.length, text.length - end.length),
  };
}
