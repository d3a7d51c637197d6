import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/core/graph.ts';
import type { TransformKind } from '../../src/core/kind.ts';
import type { PriceBook } from '../../src/core/provider-port.ts';
import { reasonText } from '../../src/engine/cause.ts';
import { makePlan } from '../../src/engine/plan/plan.ts';
import { type PlanMove, planMoves } from '../../src/engine/plan/plan-check.ts';
import type { Plan } from '../../src/engine/plan/planned.ts';
import { moveText } from '../../src/terminal/plan-move-text.ts';
import { type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';

const OPTIONS = { force: new Set<string>(), retryFailed: false };

const plan = (world: ToyWorld, graph: Graph = toyGraph(), more: Partial<Parameters<typeof makePlan>[2]> = {}) =>
  makePlan(graph, ['last'], { ...OPTIONS, ...more }, world.ports());

/** One node of a plan, with its reason in words. */
const planned = (made: Plan, name: string) => {
  const node = made.nodes.find((entry) => entry.node === name)!;
  return { ...node, reason: reasonText(node.why, node.requests, node.kind) };
};

/** Everything that a plan must not touch. */
const contents = ({ store }: ToyWorld) => {
  const { calls, failures, actions, blobs, builds } = store.contents;
  return [[...calls.keys()], [...failures.keys()], [...actions.keys()], [...blobs.keys()], builds.length];
};

describe('a plan', () => {
  it('of nothing built counts what the build then buys, and writes and buys nothing itself', async () => {
    const world = toyWorld();
    const before = contents(world);
    const made = await plan(world);
    expect(made).toMatchObject({ calls: 6, exact: true });
    expect(planned(made, 'answers/a')).toMatchObject({
      calls: 3,
      unsettled: 3,
      reason: 'not built yet: 3 of 3 requests to buy',
      exact: true,
    });
    expect(planned(made, 'count')).toMatchObject({ key: null, waitsFor: ['answers/a', 'answers/b'], calls: 0 });
    expect(contents(world)).toEqual(before);
    expect(world.buyer.sent).toHaveLength(0);
    await world.build();
    expect(world.buyer.sent).toHaveLength(6);
    expect(await plan(world)).toMatchObject({ calls: 0, exact: true });
  });

  it('of an edit says what changed, how many requests differ, and the price as recorded of like calls', async () => {
    const world = toyWorld();
    await world.build();
    const graph = toyGraph({ words: ['one', 'two', 'four'] });
    const made = await plan(world, graph);
    expect(planned(made, 'words').reason).toBe('words changed');
    expect(planned(made, 'answers/a')).toMatchObject({
      reason: 'input words changed: 1 of 3 requests differ',
      hits: 2,
      calls: 1,
      exact: true,
    });
    expect(made.models).toEqual([
      expect.objectContaining({ model: 'parrot', calls: 2, outputTokens: 4, basis: 'recorded' }),
    ]);
    const built = await world.build(graph);
    expect(built.totals.calls.bought).toBe(2);
    // Three input tokens a call, whatever its bytes, so the ratio is a little off.
    const { billed } = built.totals.cost;
    expect(Math.abs(made.dollars!.expected - billed)).toBeLessThan(0.1 * billed);
    expect(made.dollars!.low).toBeLessThan(made.dollars!.expected);
    expect(made.dollars!.high).toBeGreaterThan(made.dollars!.expected);
    expect(made.dollars!.atMost).toBeGreaterThan(built.totals.cost.billed);
  });

  it('finds that a node which would come out the same stops the wave', async () => {
    const world = toyWorld();
    await world.build();
    world.code.answers = '2';
    const made = await plan(world);
    expect(made.nodes.filter(({ action }) => action === 'run').map(({ node }) => node)).toEqual([
      'answers/a',
      'answers/b',
    ]);
    expect(planned(made, 'answers/a').reason).toBe('code of kind `answers` changed: every reply is stored');
    expect(made.calls).toBe(0);
  });

  it('bounds what it cannot build, from above', async () => {
    const world = toyWorld();
    const graph = toyGraph({ twice: true });
    const made = await plan(world, graph);
    expect(made).toMatchObject({ calls: 12, exact: false });
    expect(planned(made, 'answers/a')).toMatchObject({ exact: false, calls: 6 });
    await world.build(graph);
    expect(world.buyer.sent.length).toBeLessThanOrEqual(12);
  });

  it('counts what will be asked about answers that are still to come, beside what is asked about those that are there', async () => {
    const world = toyWorld();
    await world.build(toyGraph({ words: ['one'] }), {}, ['answers/a']);
    const graph = toyGraph();
    const first = graph.nodes.get('answers/a')!;
    const inputs = { words: { arity: 'one' as const, nodes: [{ label: '', node: 'answers/a' }] } };
    const nodes = new Map(graph.nodes).set('answers/c', { ...first, name: 'answers/c', inputs });
    const made = await makePlan({ ...graph, nodes }, ['answers/c'], OPTIONS, world.ports());
    expect(planned(made, 'answers/a')).toMatchObject({ items: 3, unsettled: 2, calls: 2, exact: true });
    expect(planned(made, 'answers/c')).toMatchObject({ items: 3, unsettled: 1, calls: 3, exact: false });
    expect(made).toMatchObject({ calls: 5, exact: false });
    expect(made.models).toEqual([expect.objectContaining({ calls: 5 })]);
  });

  it('from sizes alone builds no request: stored replies count as well, up-to-date nodes do not', async () => {
    const world = toyWorld();
    const exact = await plan(world);
    const quick = await plan(world, toyGraph(), { fromSizes: true });
    expect(quick.nodes.map(({ node, action, items }) => [node, action, items])).toEqual(
      exact.nodes.map(({ node, action, items }) => [node, action, items]),
    );
    expect(quick.calls).toBeGreaterThanOrEqual(exact.calls);
    await world.build();
    expect(await plan(world, toyGraph(), { fromSizes: true })).toMatchObject({ calls: 0 });
    world.code.answers = '2';
    expect(await plan(world)).toMatchObject({ calls: 0 });
    expect((await plan(world, toyGraph(), { fromSizes: true })).calls).toBe(quick.calls);
  });

  it('is the number of calls of the build that follows, for any edit of the words', async () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(words, words, fc.constantFrom('!', '?'), async (before, after, suffix) => {
        const world = toyWorld();
        await world.build(toyGraph({ words: before }));
        const graph = toyGraph({ words: after, suffix });
        const made = await plan(world, graph);
        expect(made.exact).toBe(true);
        const built = await world.build(graph);
        expect(made.calls).toBe(built.totals.calls.bought);
        for (const { node, action, waitsFor } of made.nodes) {
          const { outcome } = built.results.get(node)!;
          if (waitsFor.length === 0 && outcome !== 'refused') expect(outcome).toBe(action);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('shows requests that change beside those of the last build', async () => {
    const world = toyWorld();
    await world.build();
    const made = await plan(world, toyGraph({ suffix: '?' }), { examples: 3 });
    expect(made.examples).toHaveLength(3);
    expect(made.examples[0]).toEqual({
      node: 'answers/a',
      item: 'w0',
      call: 0,
      texts: [{ name: 'prompt', before: 'one!', after: 'one?' }],
    });
    expect((await plan(world, toyGraph({ suffix: '?' }))).examples).toEqual([]);
    // A first build changes nothing.
    expect((await plan(toyWorld(), toyGraph(), { examples: 3 })).examples).toEqual([]);
  });

  it('keeps what it evaluated until the last of its readers has read it', async () => {
    const world = toyWorld();
    const second = (graph: Graph): Graph => {
      const nodes = new Map(graph.nodes);
      const last = nodes.get('last')!;
      for (const name of ['last2', 'last3']) nodes.set(name, { ...last, name, stage: name, params: { note: name } });
      return { ...graph, nodes };
    };
    const targets = ['last', 'last2', 'last3'];
    await world.build(second(toyGraph()), {}, targets);
    // All replies are stored, and the count is a new one, which is nowhere but in the plan's memory.
    const fewer = second(toyGraph({ words: ['one', 'two'] }));
    const made = await makePlan(fewer, targets, OPTIONS, world.ports());
    expect(made).toMatchObject({ calls: 0, exact: true });
    expect(made.nodes.filter(({ node, action }) => /last/.test(node) && action === 'run')).toHaveLength(3);
    expect(made.nodes.every(({ key }) => key !== null)).toBe(true);
    // The keys are those of the build that follows.
    const built = await world.build(fewer, {}, targets);
    const record = world.store.contents.builds[0]!;
    expect(built.totals.calls.bought).toBe(0);
    for (const { node, key } of made.nodes) expect([node, record.nodes[node]!.key]).toEqual([node, key]);
  });

  it.each([
    ['quick', 'nothing that buys', 1],
    ['heavy', 'nothing that buys', 0],
    ['heavy', 'what buys', 1],
  ])('makes the output of a %s node that is read by %s %i times', async (pace, reader, times) => {
    const world = toyWorld();
    await world.build();
    const ports = world.ports();
    let runs = 0;
    const { kind, code } = ports.kinds.get('count')!;
    const count = kind as TransformKind<unknown>;
    const watched: TransformKind<unknown> = {
      ...count,
      heavy: () => pace === 'heavy',
      run: (...given) => {
        runs++;
        return count.run(...given);
      },
    };
    const kinds = new Map(ports.kinds).set('count', { kind: watched, code });
    // All replies are stored, and the count of fewer words is a new one.
    const graph = toyGraph({ words: ['one', 'two'] });
    const nodes = new Map(graph.nodes);
    const asking = { ...graph.nodes.get('answers/a')!, name: 'answers/c' };
    const one = { arity: 'one' as const, nodes: [{ label: '', node: 'count' }] };
    if (reader === 'what buys') nodes.set('answers/c', { ...asking, inputs: { words: one } });
    const made = await makePlan({ ...graph, nodes }, [...nodes.keys()], OPTIONS, { ...ports, kinds });
    expect(runs).toBe(times);
    const isKnown = made.nodes.find(({ node }) => node === 'last')!.key !== null;
    expect(isKnown).toBe(times === 1);
  });

  it('forces the node that is named, and not its stage', async () => {
    const world = toyWorld();
    await world.build();
    const made = await plan(world, toyGraph(), { force: new Set(['answers/a']) });
    expect(planned(made, 'answers/a')).toMatchObject({ action: 'run', why: { type: 'forced' }, calls: 0 });
    expect(planned(made, 'answers/b')).toMatchObject({ action: 'cached' });
    expect(await plan(world, toyGraph(), { force: new Set(['answers']) })).toMatchObject({
      nodes: made.nodes.map(() => expect.objectContaining({ action: 'cached' })),
    });
  });

  it('plans to ask again only where calls failed for good', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) =>
      prompt === 'two!' ? { class: 'permanent', reason: 'refused', message: 'no' } : prompt;
    const graph = toyGraph({ tolerate: 0.5 });
    await world.build(graph);
    expect((await plan(world, graph)).calls).toBe(0);
    const again = await plan(world, graph, { retryFailed: true });
    expect(again.calls).toBe(2);
    expect(planned(again, 'answers/a').reason).toBe('asks again for what failed: 1 of 3 requests differ');
  });
});

describe('a saved plan', () => {
  const prices = (factor: number): PriceBook => ({
    ...toyWorld().ports().prices,
    cost: (_, __, usage) => factor * (usage.inputTokens * 0.01 + usage.outputTokens * 0.1),
  });
  const facts = (moves: readonly PlanMove[]) => moves.map((move) => moveText(move).join(': '));

  it('holds while nothing has moved, also when a part of it was bought', async () => {
    const world = toyWorld();
    const saved = JSON.parse(JSON.stringify(await plan(world))) as Plan;
    expect(planMoves(saved, await plan(world), prices(1))).toEqual([]);
    const stopped = await world.build(toyGraph(), {
      limits: { maxCost: undefined, unapprovedCost: undefined, maxCalls: 4 },
    });
    expect(stopped.exit).toBe(3);
    expect(planMoves(saved, await plan(world), prices(1))).toEqual([]);
  });

  it('says what moved: a parameter, code, the graph, the targets', async () => {
    const world = toyWorld();
    const saved = await plan(world);
    expect(facts(planMoves(saved, await plan(world, toyGraph({ suffix: '?' })), prices(1)))).toEqual([
      'answers/a: suffix changed',
      'answers/b: suffix changed',
    ]);
    world.code.count = '2';
    expect(facts(planMoves(saved, await plan(world), prices(1)))).toEqual(['count: code of kind `count` changed']);
    world.code.count = '1';
    const other = await makePlan(toyGraph(), ['count'], OPTIONS, world.ports());
    expect(facts(planMoves(saved, other, prices(1)))).toEqual([
      'targets: last in the plan, count now',
      'last: is gone',
    ]);
  });

  it('does not hold where a node reads another one under the same label', async () => {
    const world = toyWorld();
    const saved = await plan(world);
    const graph = toyGraph();
    const count = graph.nodes.get('count')!;
    const [a, b] = count.inputs.answers!.nodes;
    const crossed = [
      { ...a!, node: b!.node },
      { ...b!, node: a!.node },
    ];
    const inputs = { answers: { ...count.inputs.answers!, nodes: crossed } };
    const nodes = new Map(graph.nodes).set('count', { ...count, inputs });
    expect(facts(planMoves(saved, await plan(world, { ...graph, nodes }), prices(1)))).toEqual([
      'count: input answers changed',
    ]);
  });

  it('does not hold when a price grew, and does when it fell', async () => {
    const world = toyWorld();
    const saved = await plan(world);
    const fresh = await plan(world);
    expect(facts(planMoves(saved, fresh, prices(2)))).toEqual([expect.stringMatching(/^parrot: its price grew: /)]);
    expect(planMoves(saved, fresh, prices(0.5))).toEqual([]);
  });

  it('does not hold when more would have to be bought', async () => {
    const world = toyWorld();
    await world.build();
    const saved = await plan(world);
    world.store.contents.actions.clear();
    world.store.contents.calls.clear();
    expect(facts(planMoves(saved, await plan(world), prices(1)))).toContain('calls: 0 in the plan, 6 now');
  });
});
