/**
 * A till: buys what its store does not have. The order is what makes a call be paid once: claim (durable in Redis) → send →
 * the answer in the store → booked in Redis → told. Whoever asks twice finds an answer, or a try that is under way.
 */

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
  type CallAnswer,
  type CallRetry,
  type Chunk,
  type KeptAnswer,
  readHeld,
  writeHeld,
} from './chunk.ts';
import type { Ledger } from './ledger.ts';
import { type LedgerParts, LedgerSpend } from './ledger-spend.ts';
import { Outbox } from './outbox.ts';
import { SendPace } from './send-pace.ts';

/** What a till asks of its ledger; claims and bookings are those of each call's tries. */
type TillLedger = LedgerParts['ledger'] &
  Pick<Ledger, 'requestsPerMinute' | 'missing' | 'held' | 'allHeld' | 'allMissing' | 'release'>;

export interface TillParts {
  readonly ledger: TillLedger;
  /** Names this till among others. */
  readonly owner: string;
  readonly store: Pick<Store, 'calls' | 'intents'>;
  readonly client: () => Promise<ProviderClient>;
  /** The most calls in flight by provider; who is not among them is not bought from. */
  readonly concurrency: ReadonlyMap<string, number>;
  readonly prices: PriceBook;
  readonly protocols: Protocols;
  readonly tokens: (order: CallRequest) => number;
  /** Looks into a shared cache for what another till has bought. */
  readonly bring?: BringAnswer | undefined;
  /** Gives answers to a shared cache; false where that cannot be done now. Absent where this till may give none. */
  readonly give?: ((calls: readonly Digest[]) => Promise<boolean>) | undefined;
  readonly clock: Clock;
  /** Aborted: takes nothing new; what is in flight is awaited. */
  readonly interrupt: AbortSignal;
  /** Aborted: drops what is in flight. */
  readonly kill: AbortSignal;
}

/** Claims under way of what shares a limit: a Redis that is slow to write must not set the pace. */
const CLAIMS_AT_ONCE = 4;

export class Till {
  /** Calls whose tries are under way. */
  readonly open = new Set<Digest>();
  readonly outbox: Outbox | undefined;
  readonly #parts: TillParts;
  readonly #ledger: LedgerParts;
  readonly #underway = new Map<Digest, Promise<unknown>>();
  readonly #places: ReadonlyMap<string, Semaphore>;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #paces = new Map<string, SendPace>();
  #tries = 0;
  #claims = 0;

  constructor(parts: TillParts) {
    const { ledger, owner, prices, clock, tokens, interrupt: drain } = parts;
    this.#parts = parts;
    this.outbox = parts.give === undefined ? undefined : new Outbox({ ledger, give: parts.give, clock });
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
        const lane = `${name} ${this.#claims++ % CLAIMS_AT_ONCE}`;
        const turn = (this.#turns.get(lane) ?? Promise.resolve()).then(work);
        this.#turns.set(
          lane,
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
      if (known !== undefined && digest !== asked.superseding) {
        return { answer: keptAnswer(known, call, this.#parts.store), meter: newMeter() };
      }
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
    const { store, client, protocols, clock, kill, interrupt } = this.#parts;
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
    if (fetched.type !== 'unavailable') {
      const answer = keptAnswer(fetched, call, store);
      const digest = answerDigest(fetched);
      const held = this.outbox === undefined ? undefined : writeHeld({ text: call.text, answer });
      await spend.book(call.key, digest, held);
      this.outbox?.add(call.key, digest);
      return { answer, meter };
    }
    await spend.book(call.key, undefined);
    if (spend.elsewhere !== undefined) {
      const found = await this.#find(call, superseding);
      await this.#parts.ledger.missing(call.key, found === undefined ? spend.elsewhere : undefined);
      if (found !== undefined) return { answer: keptAnswer(found, call, store), meter };
    }
    return { answer: fetched, meter };
  }

  /** An answer that another till has bought: Redis holds it for a while, and then a shared cache has it. */
  async #find(call: KeyedCall, superseding: string | undefined): Promise<Known | undefined> {
    const { store, ledger, bring } = this.#parts;
    const held = await ledger.held(call.key);
    if (held !== undefined) await this.#keep(held);
    const isThere = () => {
      const known = lookUp(store.calls, call);
      return known !== undefined && answerDigest(known) !== superseding ? known : undefined;
    };
    return isThere() ?? ((await bring?.(call.key)) ? isThere() : undefined);
  }

  /** Keeps what Redis holds of another till, which may be gone, and sees to it that it comes into the shared cache. */
  async takeHeld(): Promise<void> {
    const { ledger, store } = this.#parts;
    for (const held of await ledger.allHeld()) await this.#keep(held);
    for (const call of await ledger.allMissing()) {
      const isThere = store.calls.get(call) !== undefined || store.calls.failure(call) !== undefined;
      if (isThere) await ledger.missing(call, undefined);
    }
  }

  async #keep(written: string): Promise<void> {
    const { calls } = this.#parts.store;
    const held = readHeld(written);
    const call = held === undefined ? undefined : readCall(held.text);
    if (held === undefined || call === undefined) return;
    const digest = heldDigest(held.answer);
    const known = lookUp(calls, call);
    if (known === undefined || answerDigest(known) !== digest) {
      if (known !== undefined) await calls.supersede(call.key);
      const { answer } = held;
      if (answer.type === 'reply') await calls.put(call.key, { request: call.text, ...answer.stored });
      else await calls.putFailure(call.key, { request: call.text, ...answer.stored });
    }
    this.outbox?.add(call.key, digest);
  }
}

function keptAnswer(known: Known, { key }: KeyedCall, { calls }: Pick<Store, 'calls'>): KeptAnswer {
  if (known.type === 'reply') {
    const { request: _, ...stored } = known.stored;
    return { type: 'reply', stored };
  }
  const { request: _, ...stored } = calls.failure(key)!;
  return { type: 'failure', stored };
}

const heldDigest = ({ type, stored }: KeptAnswer): string =>
  answerDigest(type === 'reply' ? { type, stored: { request: '', ...stored } } : { type, failure: stored.failure });

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
