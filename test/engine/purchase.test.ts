import { describe, expect, it } from 'vitest';
import type { CallFailure } from '../../src/core/call.ts';
import type { BuildEvent } from '../../src/core/events.ts';
import type { CallRequest, ProviderClient } from '../../src/core/provider-port.ts';
import { keyCall } from '../../src/engine/keys.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import type { BudgetLimits } from '../../src/replies/budget.ts';
import { chain } from '../../src/replies/chain.ts';
import { newMeter } from '../../src/replies/source.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { settle } from '../providers/support.ts';
import { type Delivery, delivered, lost, OVERLOADED, PRICES, play, REAL, SIMULATED } from './money.ts';

const callOf = (prompt: string, identity = REAL, model = 'm') =>
  keyCall({
    identity,
    path: '/completions',
    body: { model, prompt },
    draw: 'a',
    decode: (value) => ({ ok: true, value }),
  });

/** A purchaser whose calls land when they are told to. */
function shop(limits: Partial<BudgetLimits> = {}, jobs = 8) {
  const store = memoryStore();
  const events: BuildEvent[] = [];
  const sent: CallRequest[] = [];
  const landings: ((delivery: Delivery) => void)[] = [];
  const buyer: ProviderClient = {
    buy: (order, { admit, onRetry }) =>
      play(order, admit, () => {
        sent.push(order);
        onRetry(OVERLOADED, 250);
        return new Promise((land) => landings.push(land));
      }),
    concurrency: () => 8,
    close: async () => {},
  };
  const { signal } = new AbortController();
  const purchaser = chain({
    calls: store.calls,
    intents: store.intents,
    client: async () => buyer,
    prices: PRICES,
    protocols: protocolAt,
    limits: { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined, ...limits },
    now: () => 77,
    emit: (event: BuildEvent) => void events.push(event),
    interrupt: signal,
    kill: signal,
    jobs,
  });
  const meter = newMeter();
  return {
    store,
    events,
    sent,
    purchaser,
    meter,
    buy: (prompt: string, identity?: string, model?: string) =>
      purchaser.get(callOf(prompt, identity, model), { node: 'node', meter }),
    buyAgain: (prompt: string) => purchaser.get(callOf(prompt), { node: 'node', meter, again: true }),
    /** Lets the call that has flown longest land. */
    async land(delivery: Delivery) {
      await settle();
      landings.shift()!(delivery);
      await settle();
    },
  };
}

// A call reserves $10; a reply costs what its delivery says.
describe.each([
  ['real', REAL],
  ['simulated', SIMULATED],
])('a call of %s money', (_, identity) => {
  it('is stored with its cost before it is answered and counted', async () => {
    const { buy, land, meter, store, sent } = shop();
    const bought = buy('hi', identity);
    expect(meter).toMatchObject({ inFlight: 1, bought: 0 });
    await land(delivered(3));
    const call = callOf('hi', identity);
    const stored = {
      request: call.text,
      raw: '{"text":"hi"}',
      usage: { inputTokens: 3, cachedInputTokens: 0, outputTokens: 0 },
      model: 'm',
      identity,
      cost: 3,
      boughtAt: 77,
      node: 'node',
    };
    expect(await bought).toEqual({ type: 'reply', stored });
    expect(store.contents.calls.get(call.key)).toEqual(stored);
    const fields = call.request.body;
    expect(sent).toEqual([{ key: call.key, identity, path: '/completions', body: call.body, fields }]);
    const models = [{ identity, model: 'm', bought: 1, cost: 3 }];
    expect(meter).toEqual({ bought: 1, failed: 0, inFlight: 0, cost: 3, unknown: 0, discount: 0, doubted: 0, models });
  });

  it.each<[string, Delivery, { bought: number; failed: number; cost: number; unknown: number; doubted: number }]>([
    ['one drop, then a reply', delivered(3, { drops: 1 }), { bought: 1, failed: 0, cost: 3, unknown: 10, doubted: 0 }],
    [
      'a reply without a usage',
      delivered(3, { usageKnown: false }),
      { bought: 1, failed: 0, cost: 0, unknown: 10, doubted: 1 },
    ],
    [
      'two drops, then 400',
      lost(2, { class: 'permanent', reason: 'rejected', message: 'no' }),
      { bought: 0, failed: 1, cost: 0, unknown: 20, doubted: 0 },
    ],
    ['one drop, and no more', lost(1), { bought: 0, failed: 0, cost: 0, unknown: 10, doubted: 0 }],
    ['overloaded', lost(0), { bought: 0, failed: 0, cost: 0, unknown: 0, doubted: 0 }],
  ])('%s: the meter and the models agree', async (_name, delivery, expected) => {
    const { buy, land, meter, store } = shop();
    const bought = buy('hi', identity);
    await land(delivery);
    await bought;
    expect(meter).toMatchObject({ ...expected, inFlight: 0 });
    const { cost, unknown } = expected;
    const bill = { identity, model: 'm', bought: expected.bought, cost, ...(unknown === 0 ? {} : { unknown }) };
    expect(meter.models).toEqual(cost + unknown === 0 ? [] : [bill]);
    const stored = store.contents.calls.get(callOf('hi', identity).key);
    if (expected.doubted > 0) expect(stored).toMatchObject({ cost: null, reserved: 10 });
    else expect(stored?.reserved).toBeUndefined();
  });
});

describe('bills', () => {
  it('are summed by provider and model', async () => {
    const { buy, land, meter } = shop();
    const all = [buy('a'), buy('b'), buy('a', SIMULATED), buy('a', REAL, 'n')];
    for (const dollars of [3, 4, 5, 0]) await land(delivered(dollars));
    await Promise.all(all);
    expect(meter.models).toEqual([
      { identity: REAL, model: 'm', bought: 2, cost: 7 },
      { identity: SIMULATED, model: 'm', bought: 1, cost: 5 },
      { identity: REAL, model: 'n', bought: 1, cost: 0 },
    ]);
    expect(meter).toMatchObject({ bought: 4, cost: 12 });
  });

  it('of a reply without a price name no sum', async () => {
    const { buy, land } = shop();
    const bought = buy('a', SIMULATED, 'unpriced');
    await land(delivered(3));
    expect(await bought).toMatchObject({ stored: { cost: null } });
  });
});

describe('equal calls', () => {
  it('are bought once while they fly, and again where the first was not had', async () => {
    const { buy, land, sent, meter } = shop();
    const [one, two] = [buy('a'), buy('a')];
    await land(lost(0));
    expect(await one).toEqual({ type: 'unavailable', failure: OVERLOADED });
    expect(await two).toBe(await one);
    expect(sent).toHaveLength(1);
    const three = buy('a');
    await land(delivered(1));
    expect(await three).toMatchObject({ type: 'reply' });
    expect(sent).toHaveLength(2);
    expect(meter.bought).toBe(1);
  });
});

describe('calls in flight', () => {
  it.each([1, 2])('are at most %i, and the next follows at once', async (jobs) => {
    const { buy, land, sent } = shop({}, jobs);
    const all = ['a', 'b', 'c', 'd'].map((prompt) => buy(prompt));
    for (const landed of [0, 1, 2, 3]) {
      await settle();
      expect(sent).toHaveLength(Math.min(4, landed + jobs));
      await land(delivered(1));
    }
    await Promise.all(all);
  });
});

describe('a budget without room', () => {
  it('lets a call wait for what flies, and sends it when there is room', async () => {
    const { buy, land, sent, events } = shop({ maxCost: 20 });
    const all = ['a', 'b', 'c', 'd'].map((prompt) => buy(prompt));
    await settle();
    expect(sent).toHaveLength(2);
    // $0 and the other's $10: room for one.
    await land(lost(0));
    expect(sent).toHaveLength(3);
    await land(lost(0));
    expect(sent).toHaveLength(4);
    await land(delivered(1));
    await land(delivered(1));
    expect((await Promise.all(all)).map(({ type }) => type)).toEqual(['unavailable', 'unavailable', 'reply', 'reply']);
    expect(events.some(({ type }) => type === 'budget-reached')).toBe(false);
  });

  it('wakes as many as have room', async () => {
    const { buy, land, sent } = shop({ maxCost: 30 });
    const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((prompt) => buy(prompt));
    await settle();
    expect(sent).toHaveLength(3);
    for (let landed = 0; landed < 3; landed++) await land(lost(0));
    expect(sent).toHaveLength(6);
    for (let landed = 0; landed < 3; landed++) await land(delivered(0));
    await Promise.all(all);
  });

  it.each<[string, Partial<BudgetLimits>, string, object]>([
    [
      'dollars',
      { maxCost: 12 },
      'the next call could pass the cap of $12',
      { type: 'budget-reached', limit: 'cost', spent: 3, bound: 12 },
    ],
    ['calls', { maxCalls: 1 }, 'the cap of 1 calls is reached', { limit: 'calls', spent: 1, bound: 1 }],
    [
      'approved dollars',
      { unapprovedCost: 12 },
      'the next call could exceed the approved $12',
      { limit: 'cost', spent: 3, bound: 12 },
    ],
  ])('for good stops all that follows, and says so once: %s', async (_, limits, message, event) => {
    const { buy, land, sent, events, purchaser } = shop(limits);
    const first = buy('a');
    const second = buy('b');
    await land(delivered(3));
    expect(await first).toMatchObject({ type: 'reply' });
    const failure = { class: 'stopped', reason: 'budget', message };
    expect(await second).toEqual({ type: 'unavailable', failure });
    expect(await buy('c')).toEqual({ type: 'unavailable', failure });
    expect(purchaser.stopped).toEqual(failure);
    expect(sent).toHaveLength(1);
    const told = events.filter(({ type }) => type === 'budget-reached');
    expect(told).toEqual([expect.objectContaining(event)]);
  });

  it('buys nothing that has no price', async () => {
    const { buy, sent, events } = shop();
    const message = 'no price or no token cap is known for unpriced';
    expect(await buy('a', REAL, 'unpriced')).toEqual({
      type: 'unavailable',
      failure: { class: 'stopped', reason: 'budget', message },
    });
    expect([sent.length, events.length]).toEqual([0, 0]);
  });
});

describe('a failure', () => {
  it('for good goes to the ledger, and leaves it when the call is bought after all', async () => {
    const { buy, buyAgain, land, store } = shop();
    const failure: CallFailure = { class: 'permanent', reason: 'refused', message: 'no' };
    const first = buy('a');
    await land(lost(0, failure));
    expect(await first).toEqual({ type: 'failure', failure });
    const { key, text } = callOf('a');
    expect(store.contents.failures.get(key)).toEqual({ request: text, failure, failedAt: 77, node: 'node' });
    const second = buyAgain('a');
    await land(delivered(1));
    await second;
    expect(store.contents.failures.size).toBe(0);
    const third = buyAgain('a');
    await land(lost(0, failure));
    await third;
    expect(store.contents.calls.size).toBe(0);
    expect(store.calls.superseded(key).map(({ type }) => type)).toEqual(['failure', 'reply']);
  });

  it('that is fatal is told once for each provider', async () => {
    const { buy, land, events, store } = shop();
    const failure: CallFailure = { class: 'fatal', reason: 'bad_key', message: 'no' };
    const all = [buy('a'), buy('b'), buy('a', SIMULATED)];
    for (let landed = 0; landed < 3; landed++) await land(lost(0, failure));
    await Promise.all(all);
    const told = events.filter((event) => event.type === 'provider-stopped');
    expect(told.map(({ identity }) => identity)).toEqual([REAL, SIMULATED]);
    expect(store.contents.failures.size).toBe(0);
  });

  it('that is tried again is told with its node and its wait', async () => {
    const { buy, land, events } = shop();
    const bought = buy('a');
    await land(delivered(1));
    await bought;
    expect(events).toEqual([{ type: 'call-retry', node: 'node', failure: OVERLOADED, waitMilliseconds: 250 }]);
  });
});

describe('a store that takes no more', () => {
  it('ends all buying, also of what waits for its turn or for room', async () => {
    for (const [limits, jobs] of [
      [{}, 1],
      [{ maxCost: 10 }, 8],
    ] as const) {
      const { buy, land, store, sent } = shop(limits, jobs);
      store.calls.put = async () => {
        throw new Error('the disk is full');
      };
      const all = [buy('a'), buy('b')].map((bought) => bought.catch((error: Error) => error.message));
      await land(delivered(1));
      expect(await Promise.all(all)).toEqual(['the disk is full', 'the disk is full']);
      await expect(buy('c')).rejects.toThrow('the disk is full');
      expect(sent).toHaveLength(1);
    }
  });
});

describe('stopping', () => {
  it('lets what flies land and sends nothing more, whatever waits', async () => {
    for (const [limits, jobs] of [
      [{}, 1],
      [{ maxCost: 10 }, 8],
    ] as const) {
      const { buy, land, purchaser, sent } = shop(limits, jobs);
      const [first, second] = [buy('a'), buy('b')];
      await settle();
      const failure = { class: 'stopped', reason: 'interrupted', message: 'enough' } as const;
      purchaser.stop(failure);
      purchaser.stop({ ...failure, message: 'again' });
      expect(await second).toEqual({ type: 'unavailable', failure });
      await land(delivered(1));
      expect(await first).toMatchObject({ type: 'reply' });
      expect(sent).toHaveLength(1);
    }
  });
});
