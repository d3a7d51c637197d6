/** The batch lane link by link: who goes in a batch, when a look is due, and when nothing is expected any more. */

import { describe, expect, it } from 'vitest';
import type { TransientFailure } from '../../src/core/call.ts';
import { digestText } from '../../src/core/digest.ts';
import type { BuildEvent } from '../../src/core/events.ts';
import { keyCall } from '../../src/engine/keys.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { BatchBooks } from '../../src/replies/batch-books.ts';
import { BatchLane, type BatchManner } from '../../src/replies/batch-lane.ts';
import { Budget } from '../../src/replies/budget.ts';
import { Intents } from '../../src/replies/intents.ts';
import { LiveBatch } from '../../src/replies/live-batch.ts';
import { newMeter } from '../../src/replies/source.ts';
import { Spend } from '../../src/replies/spend.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { toyRequest, toyWorld } from '../helpers/toy.ts';
import { BUSY, SUBMISSION, ToyBatches, waiting } from './toy-batches.ts';

const PACE = { pollSeconds: 10, patienceSeconds: 100 };

describe('a batch that is out', () => {
  it('is looked at ever more rarely, each wait half as long again, up to five minutes; ten where it asks', () => {
    const batch = new LiveBatch(SUBMISSION);
    const waits = (...asked: (number | undefined)[]) =>
      asked.map((each) => {
        batch.lookLater(PACE, 1000, each);
        return batch.lookAt - 1000;
      });
    expect(waits(undefined, undefined, undefined)).toEqual([10_000, 15_000, 22_500]);
    expect(waits(...Array(20).fill(undefined)).at(-1)).toBe(300_000);
    expect(waits(5, 400_000, 900_000)).toEqual([5, 400_000, 600_000]);
    batch.lookSoon(PACE, 2000);
    expect(batch.lookAt).toBe(2000);
    expect(waits(undefined)).toEqual([15_000]);
    const rare = new LiveBatch(SUBMISSION);
    for (const _ of [1, 2]) rare.lookLater({ ...PACE, pollSeconds: 400 }, 0);
    expect(rare.lookAt).toBe(400_000);
  });

  it('is hopeless once nothing was learnt of it for as long as patience lasts, from the first trouble on', () => {
    const batch = new LiveBatch(SUBMISSION);
    batch.lookLater(PACE, 0);
    expect([batch.patienceEnds, batch.whyHopeless(1e12)]).toEqual([Number.POSITIVE_INFINITY, undefined]);
    batch.fail('no answer', 5_000);
    batch.fail('still none', 50_000);
    expect(batch.patienceEnds).toBe(105_000);
    expect([batch.whyHopeless(104_999), batch.whyHopeless(105_000)]).toEqual([undefined, 'still none']);
    batch.recover();
    expect(batch.whyHopeless(1e12)).toBeUndefined();
    batch.askToEnd(7_000);
    batch.askToEnd(90_000);
    expect([batch.whyHopeless(106_999), batch.whyHopeless(107_000)]).toEqual([
      undefined,
      'it was asked to end, and is still out',
    ]);
    batch.leave('nobody knows it');
    expect([batch.whyHopeless(0), batch.lookAt]).toEqual(['nobody knows it', Number.POSITIVE_INFINITY]);
  });

  it('that would not end is asked again after a wait, and looked at soon the first time alone', () => {
    const batch = new LiveBatch(SUBMISSION);
    batch.lookLater(PACE, 0);
    batch.refuseCancel(PACE, 1_000);
    expect([batch.lookAt, batch.cancelAt]).toEqual([1_000, 11_000]);
    batch.lookLater(PACE, 1_000);
    batch.refuseCancel(PACE, 11_000);
    expect([batch.lookAt, batch.cancelAt]).toEqual([16_000, 26_000]);
  });
});

describe('the books of a batch that is lost', () => {
  it('have what an earlier look kept of it as bought, and an answer from elsewhere is none of it', async () => {
    const store = memoryStore();
    const names = [
      'mine',
      'doubted',
      'elsewhere',
      'refused',
      'refused unbilled',
      'refused uncounted',
      'refused before',
    ];
    const keys = names.map((name) => digestText(name));
    const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };
    const kept = { request: '', raw: '{}', usage, model: 'm', identity: 'i', boughtAt: 1, node: 'n' };
    await store.calls.put(keys[0]!, { ...kept, cost: 0.25, batch: 'b1' });
    await store.calls.put(keys[1]!, { ...kept, cost: null, reserved: 0.75, batch: 'b1' });
    await store.calls.put(keys[2]!, { ...kept, cost: 0.5 });
    const refused = {
      request: '',
      failure: { class: 'permanent', reason: 'refused', message: 'no' },
      node: 'n',
    } as const;
    await store.calls.putFailure(keys[3]!, { ...refused, failedAt: 50, raw: '{}', cost: 0.125 });
    await store.calls.putFailure(keys[4]!, { ...refused, failedAt: 50 });
    await store.calls.putFailure(keys[5]!, { ...refused, failedAt: 51, raw: '{}' });
    await store.calls.putFailure(keys[6]!, { ...refused, failedAt: 49, raw: '{}' });
    const call = () => ({ submission: SUBMISSION.id, request: '', node: 'n', dollars: 4 });
    const books = new BatchBooks({
      store: { keys: () => keys, call },
      calls: store.calls,
      intents: new Intents(store.intents, () => 7),
      prices: { cost: (_, __, ___, lane) => (lane === 'batch' ? 0.25 : 1), worstCase: () => 4, simulated: () => false },
    });
    expect(await books.loseAll({ ...SUBMISSION, at: 50 })).toEqual([keys[2], keys[6]]);
    // Lost are two calls of $4; one that failed for good counted nothing, and one answer of 75 cents is in doubt.
    expect(books.harvest).toMatchObject({ bought: 2, failed: 3, cost: 0.375, unknown: 12.75, discount: 0.75 });
    expect([...store.intents.list()].map(({ intent }) => intent.call).sort()).toEqual(
      [keys[2], keys[5], keys[6]].sort(),
    );
  });
});

const TIRED: TransientFailure = { class: 'transient', reason: 'overloaded', message: 'tired' };

function laneWith(given: { manner?: BatchManner; api?: (api: ToyBatches) => void } = {}) {
  const store = memoryStore();
  const api = new ToyBatches();
  given.api?.(api);
  const clock = { now: 1_000_000 };
  const events: BuildEvent[] = [];
  const online: string[] = [];
  const prices = toyWorld().ports().prices;
  const limits = { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined };
  const lane = new BatchLane({
    store: store.batches,
    apis: async () => api,
    laneOf: () => 'batch',
    manner: given.manner ?? { type: 'leave' },
    sleep: waiting(clock),
    online: {
      get: async ({ request }) => {
        online.push(String(request.body.prompt));
        return { type: 'unavailable', failure: TIRED };
      },
    },
    calls: store.calls,
    spend: new Spend(new Budget(limits, prices), (event) => events.push(event)),
    intents: new Intents(store.intents, () => clock.now),
    prices,
    protocols: protocolAt,
    now: () => clock.now,
    emit: (event) => events.push(event),
    interrupt: new AbortController().signal,
  });
  const get = (word: string, again = false, model = 'parrot') =>
    lane.get(keyCall(toyRequest(word, 'a', { model })), { node: 'n', meter: newMeter(), ...(again ? { again } : {}) });
  return { lane, api, clock, events, online, get, store };
}

describe('the lane', () => {
  it('buys online what is asked again, as somebody waits for it', async () => {
    const { get, online, lane, api } = laneWith();
    expect(await get('one')).toEqual({ type: 'waiting' });
    expect(await get('two', true)).toMatchObject({ type: 'unavailable' });
    await lane.turn();
    expect([online, api.made.map(({ batch }) => batch.calls.length)]).toEqual([['two'], [1]]);
  });

  it('books what a batch that is given up may have cost, and asks for its calls anew', async () => {
    const { get, lane, store } = laneWith();
    await get('one');
    await get('two');
    await lane.turn();
    const [out] = lane.out;
    await lane.giveUp([digestText('of nobody'), out!.id]);
    // A dollar is set aside for each call.
    expect(lane.harvest).toMatchObject({ bought: 0, cost: 0, unknown: 2 });
    expect([...store.intents.list()].map(({ intent }) => [intent.dollars, intent.unknown])).toEqual([
      [1, true],
      [1, true],
    ]);
    expect([lane.out, store.batches.list(), store.contents.batched.size]).toEqual([[], [], 0]);
    expect(await get('one')).toEqual({ type: 'waiting' });
  });

  it('asks for the end of a batch again only after a wait where that was refused, and once where it was heard', async () => {
    const { get, lane, clock, api } = laneWith({
      api: (made) => {
        made.settings = { ...made.settings, pollSeconds: 10 };
      },
    });
    await get('one');
    await lane.turn();
    const [out] = lane.out;
    const cancel = api.cancel.bind(api);
    let tries = 0;
    api.cancel = async () => {
      tries++;
      return { ok: false, failure: BUSY };
    };
    const begun = clock.now;
    for (const at of [0, 1, 9_999, 10_000, 10_001]) {
      clock.now = begun + at;
      await lane.cancel([out!.id]);
    }
    expect(tries).toBe(2);
    api.cancel = cancel;
    clock.now += 60_000;
    for (const _ of [1, 2]) await lane.cancel([out!.id]);
    expect([api.cancelled.length, lane.out[0]?.cancelling]).toEqual([1, true]);
  });

  it('buys online from the named moment on, with a simulator of its own as well', async () => {
    for (const ephemeral of [false, true]) {
      const { get, lane, clock, api, online } = laneWith({
        manner: { type: 'stay', until: 1_007_000 },
        api: (made) => {
          made.ephemeral = ephemeral;
        },
      });
      await get('one');
      expect(await lane.turn()).toBe('again');
      expect([clock.now, api.cancelled]).toEqual([1_007_000, ['b0']]);
      await get('two');
      expect(online).toEqual(['two']);
    }
  });

  it('buys online at the named moment what rests, where no batch is out', async () => {
    const { get, lane, clock, api, online } = laneWith({
      manner: { type: 'stay', until: 1_015_000 },
      api: (made) => {
        made.settings = { ...made.settings, pollSeconds: 10 };
        // Its model rests ten seconds, and then fifteen, which are not over at the named moment.
        made.onLook = (batch) => {
          batch.state ??= {
            end: 'refused',
            mistakes: [{ line: undefined, code: 'token_limit_exceeded', message: 'no' }],
          };
        };
      },
    });
    for (let turns = 0; online.length === 0 && turns < 9; turns++) {
      if ((await get('one')).type === 'waiting') await lane.turn();
    }
    expect([clock.now, online, api.cancelled]).toEqual([1_015_000, ['one'], []]);
  });

  it('tells once that nothing is expected of a batch any more', async () => {
    const { get, lane, clock, api, events } = laneWith({ manner: { type: 'stay', until: undefined } });
    api.look = async () => ({ ok: false, failure: BUSY });
    await get('one');
    for (const _ of [1, 2]) expect(await lane.turn()).toBe('waiting');
    // Half an hour from the first look on, which comes at once.
    expect(clock.now).toBe(1_000_000 + 1_800_000);
    expect(events.filter(({ type }) => type === 'problem')).toHaveLength(1);
  });

  it('counts what waits for each model by itself', async () => {
    const { get, lane, api } = laneWith({
      api: (made) => {
        // A prompt token is four bytes of a body; one call of this size fits, and no two.
        made.settings = { ...made.settings, enqueuedTokens: 18 };
      },
    });
    await get('one');
    await lane.turn();
    await get('two', false, 'crow');
    await get('three');
    await lane.turn();
    expect(api.made.map(({ batch }) => batch.calls.map(({ body }) => JSON.parse(body).prompt))).toEqual([
      ['one'],
      ['two'],
    ]);
  });

  it('takes a batch that is not known at once for one that is to come, and after its grace for lost', async () => {
    const { get, lane, api, clock, store } = laneWith();
    await get('one');
    await lane.turn();
    api.gone = true;
    clock.now = 1_059_999;
    await lane.open();
    expect(store.batches.list()).toHaveLength(1);
    clock.now = 1_060_000;
    await lane.open();
    expect(store.batches.list()).toEqual([]);
    expect(lane.losses).toEqual([
      'the results of batch b0 of parrot are not at the provider any more, and with them its 1 call: busy',
    ]);
  });

  it('fails by its own reason a row that a refusal names and that may be asked again', async () => {
    const { get, lane, api } = laneWith();
    await get('one');
    await get('two');
    await lane.turn();
    const judge = api.judge;
    api.judge = (of, row) =>
      row.status === 400 ? { ...judge(of, row), result: { ok: false, failure: BUSY } } : judge(of, row);
    api.end({ end: 'refused', mistakes: [{ line: 1, code: 'odd', message: 'line 2 is odd' }] });
    await lane.open();
    expect(await get('two')).toEqual({ type: 'unavailable', failure: BUSY });
    expect(await get('one')).toEqual({ type: 'waiting' });
  });

  it.each([
    ['token_limit_exceeded', true],
    ['enqueued_tokens', true],
    ['invalid_file', false],
  ])(
    'puts a batch back that was refused by the code %s where that says that too much waits: %s',
    async (code, isPutBack) => {
      const { get, lane, api, events } = laneWith();
      await get('one');
      await lane.turn();
      api.end({ end: 'refused', mistakes: [{ line: undefined, code, message: 'no' }] });
      await lane.open();
      const notes = events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
      expect(notes.some((text) => text.includes('was put back'))).toBe(isPutBack);
      expect(lane.losses).toHaveLength(isPutBack ? 0 : 1);
    },
  );
});
