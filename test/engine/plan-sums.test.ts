import { describe, expect, it } from 'vitest';
import type { ModelPrice } from '../../src/core/graph.ts';
import type { PriceBook } from '../../src/core/provider-port.ts';
import { makePlan } from '../../src/engine/plan/plan.ts';
import { planMoves } from '../../src/engine/plan/plan-check.ts';
import type { Plan } from '../../src/engine/plan/planned.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { moveText } from '../../src/terminal/plan-move-text.ts';
import { TOY_MODEL, toyGraph, toyWorld } from '../helpers/toy.ts';
import { provider } from '../providers/support.ts';

const OPTIONS = { force: new Set<string>(), retryFailed: false };
const bookOf = (price?: ModelPrice, simulated = false): PriceBook => ({
  ...createPriceBook({ date: '2026-07-01', models: price === undefined ? {} : { parrot: price } }, []),
  simulated: () => simulated,
});

/** Only output costs: $1 a token. A toy call answers two tokens, at most five. */
const OUTPUT = bookOf({ input: 0, output: 1_000_000 });

describe('the sums of a plan', () => {
  const planOf = (prices: PriceBook, limits: { requestsPerMinute?: number; tokensPerMinute?: number } = {}) => {
    const world = toyWorld();
    const graph = {
      ...toyGraph(),
      providers: [provider({ identity: 'toy', limits: { concurrency: 1, timeoutSeconds: 1, attempts: 1, ...limits } })],
    };
    return makePlan(graph, ['last'], OPTIONS, { ...world.ports(), prices });
  };

  it('are those of its nodes', async () => {
    // Three words in two nodes: six calls.
    expect(await planOf(OUTPUT)).toMatchObject({
      calls: 6,
      exact: true,
      outputTokens: 12,
      dollars: { low: 6, expected: 12, high: 30, atMost: 30 },
      realDollars: 12,
      minutes: 0,
      unpriced: [],
      models: [{ identity: 'toy', model: 'parrot', calls: 6, outputTokens: 12 }],
    });
  });

  it('tell real from simulated money', async () => {
    expect(await planOf(bookOf({ input: 0, output: 1_000_000 }, true))).toMatchObject({
      dollars: { expected: 12 },
      realDollars: 0,
    });
  });

  it('are unknown without a price, which is named once', async () => {
    const made = await planOf(bookOf());
    expect(made).toMatchObject({ dollars: null, realDollars: null, unpriced: ['parrot'], outputTokens: 12 });
    expect(made.inputTokens).toBeGreaterThan(0);
    // Nobody is billed for what is simulated, so its real cost is known.
    expect(await planOf(bookOf(undefined, true))).toMatchObject({ dollars: null, realDollars: 0 });
  });

  it('take the minutes of all nodes together', async () => {
    expect((await planOf(OUTPUT, { requestsPerMinute: 3 })).minutes).toBe(2);
    const { inputTokens, outputTokens, minutes } = await planOf(OUTPUT, { tokensPerMinute: 10 });
    expect(minutes).toBeCloseTo((inputTokens + outputTokens) / 10, 9);
  });

  it('of nothing to do are nothing', async () => {
    const world = toyWorld();
    await world.build();
    const made = await makePlan(toyGraph(), ['last'], OPTIONS, { ...world.ports(), prices: bookOf() });
    const dollars = { low: 0, expected: 0, high: 0, atMost: 0 };
    expect(made).toMatchObject({ calls: 0, inputTokens: 0, outputTokens: 0, dollars, realDollars: 0, unpriced: [] });
  });
});

describe('calls that are not built yet', () => {
  it('are counted beyond the first missing reply of each item', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => `${prompt}.`;
    const graph = toyGraph({ twice: true });
    const prices = OUTPUT;
    const made = await makePlan(graph, ['last'], OPTIONS, { ...world.ports(), prices });
    // Six items of two calls each, of which only the first can be built: no bound on dollars.
    expect(made).toMatchObject({ calls: 12, exact: false, outputTokens: 24, dollars: { expected: 24, atMost: null } });
    expect(made.nodes.map(({ calls, unsettled, hits }) => [calls, unsettled, hits]).slice(0, 3)).toEqual([
      [0, 0, 0],
      [6, 3, 0],
      [6, 3, 0],
    ]);
    await world.build(graph);
    // A second call that is lost leaves one to buy, which can be built.
    const lost = [...world.store.contents.calls].find(([, call]) => call.request.includes('one!.'))!;
    world.store.contents.calls.delete(lost[0]);
    world.store.contents.actions.clear();
    const again = await makePlan(graph, ['last'], OPTIONS, { ...world.ports(), prices });
    expect(again).toMatchObject({ calls: 1, exact: true, outputTokens: 2 });
    expect(again.nodes.map(({ hits }) => hits)).toEqual([0, 5, 6, 0, 0]);
  });

  it('are as many an item as the kind expects at most, where that is no whole number', async () => {
    const ports = toyWorld().ports();
    const answers = ports.kinds.get('answers')!;
    const expected = { model: TOY_MODEL, calls: 5, inputTokens: 3, outputTokens: 2, outputTokensAtMost: 5 };
    const kind = { ...answers.kind, expect: () => ({ items: 3, calls: [expected] }) };
    const kinds = new Map([...ports.kinds, ['answers', { ...answers, kind }] as const]);
    const made = await makePlan(toyGraph(), ['last'], OPTIONS, { ...ports, kinds });
    expect(made.nodes[1]).toMatchObject({ items: 3, unsettled: 3, calls: 6, exact: false });
  });

  it('are bought once, whichever items ask them', async () => {
    const made = await makePlan(toyGraph({ words: ['a', 'a', 'b'] }), ['last'], OPTIONS, toyWorld().ports());
    expect(made.calls).toBe(4);
    expect(made.nodes[1]).toMatchObject({ items: 3, unsettled: 3, calls: 2 });
  });
});

describe('a saved plan', () => {
  const node = { node: 'a', stage: 'a', kind: 'answers', parts: {} };
  const rest = { action: 'run', why: { type: 'new' }, key: null, changes: [], waitsFor: [], items: 1 } as const;
  const model = { identity: 'toy', model: 'parrot', calls: 1, inputTokens: 0, outputTokens: 10 };
  const dollars = { low: 10, high: 10, atMost: null, basis: 'guessed' } as const;
  const plan = (more: Partial<Plan> = {}): Plan => ({
    experiment: 'x',
    profile: 'p',
    targets: ['last'],
    nodes: [{ ...node, ...rest, unsettled: 1, hits: 0, calls: 1, exact: true, models: [] }],
    calls: 5,
    exact: true,
    inputTokens: 0,
    outputTokens: 10,
    dollars: { low: 5, expected: 10, high: 20, atMost: null },
    realDollars: 10,
    minutes: 0,
    models: [{ ...model, ...dollars, expected: 10 }],
    unpriced: [],
    examples: [],
    ...more,
  });
  const cost = (expected: number, high = 20) => ({ dollars: { low: 0, expected, high, atMost: null } });

  it.each<[string, Partial<Plan>, Partial<Plan>, PriceBook, string[]]>([
    ['nothing', {}, {}, OUTPUT, []],
    ['more calls', {}, { calls: 6 }, OUTPUT, ['calls: 5 in the plan, 6 now']],
    ['fewer calls', {}, { calls: 4 }, OUTPUT, []],
    ['as many dollars as were the most', {}, cost(20), OUTPUT, []],
    ['more dollars than were the most', {}, cost(20.01), OUTPUT, ['dollars: $10.00 expected in the plan, $20.01 now']],
    ['dollars that were above the most as it is', cost(30, 20), cost(30), OUTPUT, []],
    ['dollars that nobody knew', { dollars: null }, cost(99), OUTPUT, []],
    ['dollars that nobody knows', {}, { dollars: null }, OUTPUT, []],
    ['a lower price', {}, {}, bookOf({ input: 0, output: 900_000 }), []],
    ['a higher price', {}, {}, bookOf({ input: 0, output: 1_100_000 }), ['parrot: its price grew: $10.00 to $11.00']],
    ['no price', {}, {}, bookOf(), ['parrot: has no price any more']],
    [
      'a price that was not known',
      { models: [{ ...model, ...dollars, expected: null }] },
      {},
      bookOf({ input: 0, output: 9e6 }),
      [],
    ],
    ['another experiment', {}, { experiment: 'y' }, OUTPUT, ['experiment: x in the plan, y now']],
    ['another profile', {}, { profile: 'q' }, OUTPUT, ['profile: p in the plan, q now']],
    ['other targets', {}, { targets: ['a', 'b'] }, OUTPUT, ['targets: last in the plan, a, b now']],
    ['a node less', {}, { nodes: [] }, OUTPUT, ['a: is gone']],
    ['a node more', { nodes: [] }, {}, OUTPUT, ['a: is new']],
  ])('moves with %s', (_, saved, fresh, prices, moves) => {
    expect(planMoves(plan(saved), plan(fresh), prices).map((move) => moveText(move).join(': '))).toEqual(moves);
  });
});
