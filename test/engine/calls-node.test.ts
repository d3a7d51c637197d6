import { describe, expect, it } from 'vitest';
import type { CallFailure, FatalFailure, StoppedCall } from '../../src/core/call.ts';
import type { Inputs, ItemName, Kind } from '../../src/core/kind.ts';
import { mustRerun } from '../../src/engine/again.ts';
import { runCallsNode } from '../../src/engine/build/calls-node.ts';
import { incompleteText } from '../../src/engine/cause.ts';
import { itemName } from '../../src/engine/items.ts';
import { intolerable } from '../../src/engine/survey.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { chain } from '../../src/replies/chain.ts';
import { newMeter } from '../../src/replies/source.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { nodesWith, TOY_KINDS, ToyClient, toyGraph, toyWorld } from '../helpers/toy.ts';
import { OVERLOADED, PRICES } from './money.ts';

type CallsNodeContext = Parameters<typeof runCallsNode>[0];

const FATAL: FatalFailure = { class: 'fatal', reason: 'unknown_model', message: 'no such model' };
const STOPPED: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'the build is stopping' };

/** The toy kind `answers` over so many words, driven without a build. */
function nodeOf(
  items: number,
  respond: (prompt: string) => CallFailure | string,
  more: Partial<CallsNodeContext> = {},
  store = memoryStore(),
) {
  const words = Array.from({ length: items }, (_, index) => ({ prompt_id: `w${index}`, word: `w${index}` }));
  const summary = { items, statuses: {}, calls: [] };
  const rows = { rows: () => words as never, text: () => '', files: () => [], summary };
  const inputs: Inputs = { one: () => rows, many: () => new Map(), has: () => true };
  const buyer = new ToyClient();
  buyer.respond = respond;
  const { signal } = new AbortController();
  const limits = { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined };
  const replies = chain({
    calls: store.calls,
    intents: store.intents,
    client: async () => buyer,
    prices: PRICES,
    protocols: protocolAt,
    limits,
    now: () => 0,
    emit: () => {},
    interrupt: signal,
    kill: signal,
    jobs: 100,
  });
  const failed: string[] = [];
  const progress: [number, number | undefined][] = [];
  const context: CallsNodeContext = {
    node: 'answers/a',
    kind: TOY_KINDS.find(({ name }) => name === 'answers') as CallsNodeContext['kind'],
    params: { suffix: '', draw: 'a' },
    inputs,
    calls: store.calls,
    protocols: protocolAt,
    blobs: store.blobs,
    replies,
    tolerate: 1,
    window: 1,
    asksAgain: undefined,
    meter: newMeter(),
    progress: (done, total) => void progress.push([done, total]),
    onFailure: (item, { reason }) => void failed.push(`${item} ${reason}`),
    halted: () => false,
    ...more,
  };
  return { context, buyer, store, replies, failed, progress, run: () => runCallsNode(context) };
}

describe('the cause of an incomplete node', () => {
  const failing = (...failures: CallFailure[]) =>
    nodeOf(failures.length, (prompt) => failures[Number(prompt.slice(1))]!);

  it.each<[string, CallFailure[], CallFailure]>([
    ['a stop, then a failure of the provider', [STOPPED, OVERLOADED], OVERLOADED],
    ['a failure of the provider, then a stop', [OVERLOADED, STOPPED], OVERLOADED],
    ['two failures of the provider', [OVERLOADED, { ...OVERLOADED, message: 'later' } as CallFailure], OVERLOADED],
    ['two stops', [STOPPED, { ...STOPPED, message: 'later' }], { ...STOPPED, message: 'later' }],
  ])('%s', async (_, failures, cause) => {
    const node = failing(...failures);
    expect(await node.run()).toEqual({ type: 'incomplete', missing: failures.length, failure: cause });
    expect(node.failed).toHaveLength(failures.filter((failure) => failure.class !== 'stopped').length);
  });
});

describe('the early stop', () => {
  it('comes after ten items whose retries are spent', async () => {
    const node = nodeOf(30, () => OVERLOADED);
    expect(await node.run()).toEqual({ type: 'incomplete', missing: 30, failure: OVERLOADED });
    expect(node.buyer.sent).toHaveLength(10);
    expect(node.failed.slice(0, 2)).toEqual(['w0 overloaded', 'w1 overloaded']);
  });

  it('does not come for nine, nor for stops or failures for good', async () => {
    const nine = nodeOf(30, (prompt) => (Number(prompt.slice(1)) < 9 ? OVERLOADED : 'yes'));
    expect(await nine.run()).toMatchObject({ missing: 9 });
    expect(nine.buyer.sent).toHaveLength(30);
    const stops = nodeOf(30, () => STOPPED);
    expect(await stops.run()).toMatchObject({ missing: 30 });
    expect(stops.buyer.sent).toHaveLength(30);
    const refused = nodeOf(30, () => ({ class: 'permanent', reason: 'refused', message: 'no' }));
    expect(await refused.run()).toMatchObject({ type: 'written', calls: 0, summary: { statuses: { refused: 30 } } });
  });

  it('comes before anything is sent, where rows of earlier builds are too many that cannot be used', async () => {
    const refused = (prompt: string): CallFailure =>
      Number(prompt.slice(1)) < 5 ? { class: 'permanent', reason: 'refused', message: 'no' } : FATAL;
    const before = nodeOf(30, refused);
    expect(await before.run()).toMatchObject({ type: 'incomplete', missing: 25 });
    const after = nodeOf(30, () => 'yes', { tolerate: 0.1 }, before.store);
    expect(await after.run()).toMatchObject({ type: 'hopeless', missing: 25, why: { settled: 5, items: 30 } });
    expect(after.buyer.sent).toEqual([]);
  });

  it('shows what ails the first, and where no reply of it is kept the failure', async () => {
    const node = nodeOf(30, () => ({ class: 'permanent', reason: 'rejected', message: '400 no' }), { tolerate: 0.1 });
    expect(await node.run()).toMatchObject({ type: 'hopeless', example: { reply: '400 no' } });
  });

  it('comes after one failure that is fatal', async () => {
    const node = nodeOf(30, () => FATAL);
    expect(await node.run()).toEqual({ type: 'incomplete', missing: 30, failure: FATAL });
    expect(node.buyer.sent.length).toBeLessThanOrEqual(2);
  });

  it('comes when the build stops for another reason', async () => {
    const node = nodeOf(30, () => 'yes', { halted: () => node.buyer.sent.length >= 4 });
    expect(await node.run()).toMatchObject({ missing: 26, failure: undefined });
    expect(node.buyer.sent).toHaveLength(4);
  });

  it('comes when buying stops, and names its reason', async () => {
    const node = nodeOf(30, () => {
      if (node.buyer.sent.length === 4) node.replies.stop(STOPPED);
      return 'yes';
    });
    expect(await node.run()).toMatchObject({ failure: STOPPED });
    expect(node.store.contents.calls.size).toBe(4);
    expect(node.buyer.sent).toHaveLength(4);
  });
});

describe('a node that may buy', () => {
  it('begins where the first reply is missing, tells its progress and writes in the order of the input', async () => {
    const store = memoryStore();
    await nodeOf(2, (prompt) => prompt.toUpperCase(), {}, store).run();
    const node = nodeOf(6, (prompt) => prompt.toUpperCase(), { window: 3 }, store);
    const result = await node.run();
    expect(result).toMatchObject({ type: 'written', calls: 6, summary: { items: 6, statuses: { ok: 6 } } });
    expect(node.buyer.most).toBeLessThanOrEqual(3);
    expect(node.buyer.sent).toHaveLength(4);
    expect(node.progress.map(([done]) => done)).toEqual([3, 4, 5, 6]);
    if (result.type !== 'written') throw new Error('not written');
    expect([...node.store.blobs.rows(result.rows)].map(({ answer }) => answer)).toEqual([
      'W0',
      'W1',
      'W2',
      'W3',
      'W4',
      'W5',
    ]);
    expect([...node.store.blobs.chunks(result.keys)].join('').split('\n')).toHaveLength(7);
  });

  it('writes the last answer for each of the items that ask the same, whichever of them asked anew', async () => {
    const words = ['same', 'other', 'same'].map((word, index) => ({ prompt_id: `w${index}`, word }));
    const rows = {
      rows: () => words as never,
      text: () => '',
      files: () => [],
      summary: { items: 3, statuses: {}, calls: [] },
    };
    const inputs: Inputs = { one: () => rows, many: () => new Map(), has: () => true };
    const store = memoryStore();
    await nodeOf(3, (prompt) => `first ${prompt}`, { inputs }, store).run();
    const node = nodeOf(3, (prompt) => `last ${prompt}`, { inputs, asksAgain: (_, index) => index === 2 }, store);
    const result = await node.run();
    if (result.type !== 'written') throw new Error('not written');
    const answers = [...store.blobs.rows(result.rows)].map(({ answer }) => answer);
    expect(answers).toEqual(['last same', 'first other', 'last same']);
    expect(node.buyer.sent).toHaveLength(1);
  });

  it('holds as many items in hand as its window', async () => {
    for (const window of [1, 4]) {
      const node = nodeOf(12, () => 'yes', { window });
      await node.run();
      expect(node.buyer.most).toBe(window);
    }
  });

  it('buys nothing where nothing may be bought, and counts what is missing', async () => {
    const store = memoryStore();
    await nodeOf(2, () => 'yes', {}, store).run();
    const node = nodeOf(5, () => 'yes', { replies: undefined }, store);
    expect(await node.run()).toEqual({ type: 'incomplete', missing: 3, failure: undefined });
    expect(node.buyer.sent).toEqual([]);
  });
});

describe('the name of an item', () => {
  const [toyKind] = TOY_KINDS;
  const named = (name: ItemName | undefined) =>
    ({ ...toyKind, item: name === undefined ? undefined : () => name }) as Kind;
  it.each<[ItemName | undefined, unknown, string]>([
    [{ id: 'a' }, {}, 'a'],
    [{ id: 'a', policy: 'p0' }, {}, 'p0/a'],
    [{ policy: 'p0' }, {}, '#7'],
    [undefined, { prompt_id: 'a' }, '#7'],
    [{ id: 'a' }, 'no row', '#7'],
  ])('%j of %j is %s', (name, item, text) => expect(itemName(named(name), item, 7)).toBe(text));
});

describe('what a stage tolerates', () => {
  const node = (tolerate: number) => ({ ...toyGraph().nodes.get('answers/a')!, tolerate });
  const of = (ok: number, refused: number, filtered = 0) => ({
    summary: { items: ok + refused + filtered, statuses: { ok, refused, filtered }, calls: [] },
  });

  it.each([
    [0.2, 8, 2, true],
    [0.2, 7, 3, false],
    [0.1, 9, 1, true],
    [0, 10, 0, true],
    [0, 9, 1, false],
    [1, 0, 10, true],
  ])('%d of 10: %i and %i missing: %s', (tolerate, ok, refused, tolerated) => {
    expect(intolerable(node(tolerate), 'calls', of(ok, refused)) === undefined).toBe(tolerated);
    expect(intolerable(node(tolerate), 'transform', of(ok, refused))).toBeUndefined();
  });

  it('is told in words', () => {
    expect(incompleteText(intolerable(node(0.25), 'calls', of(5, 3, 2))!)).toBe(
      '3 refused, 2 filtered of 10 items; the stage tolerates 25.0 %',
    );
  });

  it('is asked again only where something failed, and only when told to', () => {
    const options = (retryFailed: boolean, ...force: string[]) => ({ retryFailed, force: new Set(force) });
    const name = 'answers/a';
    expect(mustRerun(node(0), 'calls', of(9, 1), options(true))).toBe(true);
    expect(mustRerun(node(0), 'calls', of(10, 0), options(true))).toBe(false);
    expect(mustRerun(node(0), 'calls', of(9, 1), options(false))).toBe(false);
    expect(mustRerun(node(0), 'transform', of(9, 1), options(true))).toBe(false);
    expect(mustRerun(node(0), 'transform', of(10, 0), options(false, name))).toBe(true);
  });
});

// A toy call has 3 tokens of input at $0.01 and 2 of output at $0.1: $0.23.
describe('what a build cost', () => {
  it('is what was billed; the rest of what its replies are worth was saved', async () => {
    const world = toyWorld();
    const first = await world.build();
    expect(first.totals.cost).toEqual({ billed: 1.38, unknown: 0, saved: 0, reproduce: 1.38 });
    const second = await world.build(toyGraph({ words: ['one', 'two', 'four'] }));
    expect(second.totals).toMatchObject({
      calls: { bought: 2, cached: 4, failed: 0 },
      cost: { billed: 0.46, saved: 0.92, reproduce: 1.38 },
    });
    const [record] = world.store.contents.builds;
    expect(record!.totals).toEqual(second.totals);
    const models = [{ identity: 'toy', model: 'parrot', bought: 1, cost: 0.23 }];
    expect(record!.nodes['answers/a']).toMatchObject({ bought: 1, cost: 0.23, models });
    expect(record!.nodes.words).toMatchObject({ bought: 0, cost: 0 });
  });

  it('of nothing to do is nothing; nothing is said to be saved', async () => {
    const world = toyWorld();
    await world.build();
    expect((await world.build()).totals.cost).toEqual({ billed: 0, unknown: 0, saved: 0, reproduce: 1.38 });
  });

  it('to reproduce is summed over the models of a node', async () => {
    const world = toyWorld();
    const { results } = await world.build();
    const action = results.get('answers/a')!.action!;
    const [tally] = action.summary.calls;
    const calls = [tally!, { ...tally!, model: 'raven', inputTokens: 100, outputTokens: 0 }];
    world.store.contents.actions.set(action.key, { ...action, summary: { ...action.summary, calls } });
    // The other model's 100 tokens at $0.01 come on top.
    expect((await world.build()).totals.cost.reproduce).toBe(2.38);
  });

  it('counts calls that failed for good neither as bought nor as cached', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) =>
      prompt === 'two!' ? { class: 'permanent', reason: 'refused', message: 'no' } : prompt;
    const graph = toyGraph({ tolerate: 0.5 });
    expect((await world.build(graph)).totals.calls).toEqual({ bought: 4, cached: 0, failed: 2 });
    const progress = world.events.flatMap((event) => (event.type === 'node-progress' ? [event] : []));
    expect(progress.at(-1)).toMatchObject({ done: 3, bought: 2, cached: 0, failed: 1 });
    await world.build(graph, { retryFailed: true });
    const reasons = world.events.flatMap((event) => (event.type === 'node-started' ? [event.reason] : []));
    expect(reasons).toEqual(['asks again for what failed', 'asks again for what failed']);
  });

  it('is told node by node', async () => {
    const world = toyWorld();
    await world.build();
    world.store.contents.calls.delete([...world.store.contents.calls.keys()][0]!);
    world.code.answers = '2';
    await world.build();
    const told = world.events.flatMap((event) => (event.type === 'node-finished' ? [event] : []));
    const of = (name: string) => told.find(({ node }) => node === name);
    expect(of('answers/a')).toMatchObject({ calls: { bought: 1, cached: 2, failed: 0 }, cost: 0.23 });
    expect(of('answers/b')).toMatchObject({ calls: { bought: 0, cached: 3, failed: 0 }, cost: 0 });
    expect(of('words')).toMatchObject({ calls: { bought: 0, cached: 0, failed: 0 }, cost: 0 });
    const progress = world.events.flatMap((event) => (event.type === 'node-progress' ? [event] : []));
    const last = progress.filter(({ node }) => node === 'answers/a').at(-1);
    expect(last).toMatchObject({ done: 3, items: 3, bought: 1, cached: 2, failed: 0, cost: 0.23 });
  });

  it('has no known cost to reproduce without a price, or with a node unfinished', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'two!' ? OVERLOADED : prompt);
    const unfinished = await world.build();
    expect(nodesWith(unfinished, 'skipped')).not.toEqual([]);
    expect(unfinished.totals.cost.billed).toBeCloseTo(0.23 * unfinished.totals.calls.bought, 9);
    const unpriced = toyWorld();
    const { prices } = unpriced.ports();
    const ports = { ...unpriced.ports(), prices: { ...prices, cost: () => undefined } };
    const { build } = await import('../../src/engine/build/build.ts');
    const { signal } = new AbortController();
    const limits = { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined };
    const outcome = await build(
      toyGraph(),
      ['last'],
      {
        jobs: 1,
        onFailure: 'stop-new',
        force: new Set(),
        offline: false,
        retryFailed: false,
        limits,
        command: '',
        interrupt: signal,
        kill: signal,
        named: new Set(),
      },
      ports,
    );
    expect(outcome.totals.cost).toEqual({ billed: 0, unknown: 0, saved: 0, reproduce: null });
  });
});
