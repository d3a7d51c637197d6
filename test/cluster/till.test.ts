/** What a till does with a call: whose answer it gives, what it buys, and what it keeps for tills elsewhere. */

import { describe, expect, it } from 'vitest';
import { answerDigest, type CallRetry, type KeptAnswer, readHeld, writeHeld } from '../../src/cluster/chunk.ts';
import type { Claim } from '../../src/cluster/ledger.ts';
import { Till, type TillParts } from '../../src/cluster/till.ts';
import type { KeyedCall } from '../../src/core/call.ts';
import { type Digest, digestText } from '../../src/core/digest.ts';
import type { ProviderClient } from '../../src/core/provider-port.ts';
import { keyCall } from '../../src/engine/keys.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { toyRequest } from '../helpers/toy.ts';

const USAGE = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };
const CALL = keyCall(toyRequest('a', ''));
const never = new AbortController().signal;
const LIMITS = { build: 'b', maxCost: 9, maxCalls: undefined };

const replyOf = (raw: string): Extract<KeptAnswer, { type: 'reply' }> => ({
  type: 'reply',
  stored: { raw, usage: USAGE, model: 'm', identity: 'toy', cost: 1, boughtAt: 7, node: 'answers' },
});
const digestOf = (raw: string) => answerDigest({ type: 'reply', stored: { request: '', ...replyOf(raw).stored } });

/** A till whose provider answers `bought`, and whose ledger has what `redis` says, or lets everything be bought. */
function tillOn({
  claim = { type: 'go', milliseconds: 0 },
  held = [],
  missing = [],
  ...parts
}: Partial<Pick<TillParts, 'give' | 'bring'>> & {
  readonly claim?: Claim;
  readonly held?: readonly { readonly call: KeyedCall; readonly answer: KeptAnswer }[];
  readonly missing?: readonly Digest[];
} = {}) {
  const store = memoryStore();
  const settled: unknown[][] = [];
  const written: unknown[][] = [];
  let sent = 0;
  const client: Pick<ProviderClient, 'buy'> = {
    async buy(order, { admit, onRetry }) {
      const permit = await admit(order, 1);
      if ('class' in permit) return { ok: false, failure: permit };
      sent++;
      onRetry({ class: 'transient', reason: 'overloaded', message: 'busy' }, 50);
      permit.settle({ billed: USAGE });
      return { ok: true, raw: 'bought', usage: USAGE };
    },
  };
  const till = new Till({
    ledger: {
      claim: async () => claim,
      settle: async (...given) => {
        settled.push(given.slice(1));
        return 'booked';
      },
      requestsPerMinute: () => 0,
      missing: async (...given) => void written.push(given),
      held: async (key) =>
        held
          .filter(({ call }) => call.key === key)
          .map(({ call, answer }) => writeHeld({ text: call.text, answer }))[0],
      allHeld: async () => held.map(({ call, answer }) => writeHeld({ text: call.text, answer })),
      allMissing: async () => missing,
      release: async () => {},
    },
    owner: 'till-1',
    store,
    client: async () => client as ProviderClient,
    concurrency: new Map([['toy', 1]]),
    prices: { cost: () => 1, worstCase: () => 2, simulated: () => false },
    protocols: protocolAt,
    tokens: () => 1,
    clock: { now: () => 5000, sleep: async () => {} },
    interrupt: never,
    kill: never,
    ...parts,
  });
  const ask = async (texts: readonly string[], superseding?: string, tell: (retry: CallRetry) => void = () => {}) =>
    await till.chunk(
      {
        limits: LIMITS,
        calls: texts.map((text) => ({ text, node: 'answers', ...(superseding === undefined ? {} : { superseding }) })),
      },
      tell,
    );
  return { till, store, settled, written, sent: () => sent, ask };
}

const keep = (store: ReturnType<typeof memoryStore>, call: KeyedCall, raw: string) =>
  store.calls.put(call.key, { request: call.text, ...replyOf(raw).stored });

describe('a till that is asked', () => {
  it('buys what it does not have, keeps it, books it, and tells what it cost and which tries failed', async () => {
    const { store, settled, sent, ask } = tillOn();
    const retries: CallRetry[] = [];
    const [, answered] = await ask(['no call', CALL.text], undefined, (retry) => retries.push(retry));
    expect(answered).toMatchObject({
      answer: { type: 'reply', stored: { raw: 'bought', cost: 1 } },
      meter: { cost: 1 },
    });
    expect(answered!.answer).not.toHaveProperty('stored.request');
    expect(store.calls.get(CALL.key)).toMatchObject({ request: CALL.text, raw: 'bought' });
    expect(settled).toEqual([['billed', 1, digestOf('bought'), undefined]]);
    expect(retries).toEqual([
      {
        type: 'call-retry',
        call: 1,
        failure: { class: 'transient', reason: 'overloaded', message: 'busy' },
        waitMilliseconds: 50,
      },
    ]);
    expect(sent()).toBe(1);
  });

  it('twice at once for the same call buys it once, and the second costs nothing', async () => {
    const { sent, ask } = tillOn();
    const answers = await ask([CALL.text, CALL.text]);
    expect(answers.map(({ answer, meter }) => [answer.type, meter.cost])).toEqual([
      ['reply', 1],
      ['reply', 0],
    ]);
    expect(sent()).toBe(1);
  });

  it('gives what it has for nothing, but not where that very answer is asked for anew', async () => {
    const { store, sent, ask } = tillOn();
    await keep(store, CALL, 'kept');
    expect(await ask([CALL.text], digestOf('older'))).toMatchObject([
      { answer: { stored: { raw: 'kept' } }, meter: { cost: 0 } },
    ]);
    expect(sent()).toBe(0);
    expect(await ask([CALL.text], digestOf('kept'))).toMatchObject([
      { answer: { stored: { raw: 'bought' } }, meter: { cost: 1 } },
    ]);
    expect(store.calls.superseded(CALL.key)).toMatchObject([{ raw: 'kept' }]);
  });

  it.each([
    ['is no text of a call', 'no call', 'the till does not understand a call of this version'],
    ['has another version', CALL.text.replace('"v":1', '"v":2'), 'the till does not understand a call of this version'],
    [
      'is written otherwise',
      CALL.text.replace('{"body":', '{ "body":'),
      'the till does not understand a call of this version',
    ],
    ['is for somebody else', CALL.text.replace('"toy"', '"other"'), 'the till has no provider with the identity other'],
  ])('buys nothing that %s', async (_, text, message) => {
    const { sent, ask } = tillOn();
    const failure = { class: 'fatal', reason: 'bad_setting', message };
    expect(await ask([text])).toMatchObject([{ answer: { type: 'unavailable', failure } }]);
    expect(sent()).toBe(0);
  });
});

describe('what a till elsewhere has bought', () => {
  const have: Claim = { type: 'have', digest: digestOf('theirs') };

  it('is taken from Redis, or from the shared cache, for nothing', async () => {
    const inRedis = tillOn({ claim: have, held: [{ call: CALL, answer: replyOf('theirs') }] });
    expect(await inRedis.ask([CALL.text])).toMatchObject([
      { answer: { stored: { raw: 'theirs' } }, meter: { cost: 0 } },
    ]);
    expect(inRedis.store.calls.get(CALL.key)).toMatchObject({ request: CALL.text, raw: 'theirs' });
    expect(inRedis.written).toEqual([[CALL.key, undefined]]);

    const shared = tillOn({
      claim: have,
      bring: async (key) => {
        await keep(shared.store, CALL, 'theirs');
        return key === CALL.key;
      },
    });
    expect(await shared.ask([CALL.text])).toMatchObject([
      { answer: { stored: { raw: 'theirs' } }, meter: { cost: 0 } },
    ]);
    expect([inRedis.sent(), shared.sent()]).toEqual([0, 0]);
  });

  it('and is nowhere in reach is written down for a person to decide', async () => {
    const { written, sent, ask } = tillOn({ claim: have, bring: async () => false });
    expect(await ask([CALL.text])).toMatchObject([
      { answer: { type: 'unavailable', failure: { reason: 'elsewhere' } } },
    ]);
    expect(written).toEqual([[CALL.key, digestOf('theirs')]]);
    expect(sent()).toBe(0);
  });

  it('is taken up when a till opens, in place of an older answer; what has come meanwhile is missed no more', async () => {
    const other = keyCall(toyRequest('b', ''));
    const given: Digest[] = [];
    const gone = digestText('gone');
    const { till, store, written } = tillOn({
      held: [{ call: CALL, answer: replyOf('theirs') }],
      missing: [other.key, gone],
      give: async (calls) => {
        given.push(...calls);
        return true;
      },
    });
    await keep(store, CALL, 'older');
    await keep(store, other, 'came');
    await till.takeHeld();
    expect(store.calls.get(CALL.key)).toMatchObject({ raw: 'theirs' });
    expect(store.calls.superseded(CALL.key)).toMatchObject([{ raw: 'older' }]);
    expect(written).toEqual([[other.key, undefined]]);
    await till.outbox!.run(AbortSignal.abort());
    expect(given).toEqual([CALL.key]);
  });
});

it('a till that gives to a shared cache has Redis hold what it buys until then', async () => {
  const given: Digest[] = [];
  const { till, settled, ask } = tillOn({
    give: async (calls) => {
      given.push(...calls);
      return true;
    },
  });
  await ask([CALL.text]);
  const [, , , held] = settled[0]!;
  expect(readHeld(held as string)).toMatchObject({ text: CALL.text, answer: { stored: { raw: 'bought' } } });
  await till.outbox!.run(AbortSignal.abort());
  expect(given).toEqual([CALL.key]);
});
