import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makePlan } from '../../src/engine/plan/plan.ts';
import { canary, evenly, type TrialOptions } from '../../src/engine/trial/trial.ts';
import { type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';

const WORDS = Array.from({ length: 30 }, (_, index) => `word${index}`);

function options(items: number, more: Partial<TrialOptions> = {}): TrialOptions {
  return {
    items,
    jobs: 4,
    force: new Set(),
    retryFailed: false,
    limits: { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined },
    command: 'cje build --canary',
    interrupt: new AbortController().signal,
    kill: new AbortController().signal,
    ...more,
  };
}

async function run(world: ToyWorld, graph = toyGraph({ words: WORDS, suffix: '?' }), made = options(10)) {
  const outcome = await canary(graph, ['last'], made, world.ports());
  if ('type' in outcome) throw new Error(outcome.type);
  return outcome;
}

describe('a canary', () => {
  it('buys some of what an edit invalidated beside the rows of before, and finishes no node', async () => {
    const world = toyWorld();
    await world.build(toyGraph({ words: WORDS }));
    const actions = world.store.contents.actions.size;
    world.buyer.sent.length = 0;
    const { nodes, calls, cost, stopped } = await run(world);
    expect(calls).toEqual({ bought: 10, failed: 0 });
    expect(world.buyer.sent).toHaveLength(10);
    expect(cost).toBeCloseTo(10 * 0.23);
    expect(stopped).toBeUndefined();
    expect(nodes.map(({ node, items, invalidated, planned }) => [node, items.length, invalidated, planned])).toEqual([
      ['answers/a', 5, 30, 30],
      ['answers/b', 5, 30, 30],
    ]);
    // The same prompts for each node.
    expect(nodes[0]!.items.map(({ item }) => item)).toEqual(nodes[1]!.items.map(({ item }) => item));
    expect(nodes[0]!.sameInputs).toBe(true);
    for (const { before, after } of nodes[0]!.items) {
      expect(String(before!.answer).replace('!', '?')).toBe(after!.answer);
    }
    expect(world.store.contents.actions.size).toBe(actions);
    expect(world.store.contents.builds).toHaveLength(1);
    expect(world.store.holder).toBeUndefined();

    const built = await world.build(toyGraph({ words: WORDS, suffix: '?' }));
    expect(built.totals.calls).toMatchObject({ bought: 50, cached: 10 });
  });

  it('says where before and after are of different inputs, or nothing was there before', async () => {
    const world = toyWorld();
    const sameInputs = async () => (await run(world)).nodes.map((node) => node.sameInputs);
    expect(await sameInputs()).toEqual([false, false]);
    await world.build(toyGraph({ words: WORDS.slice(1) }));
    expect(await sameInputs()).toEqual([false, false]);
  });

  it('tries new items each time, until none is left', async () => {
    const world = toyWorld();
    const graph = toyGraph({ words: WORDS.slice(0, 6) });
    expect((await run(world, graph, options(7))).calls.bought).toBe(7);
    expect((await run(world, graph, options(7))).calls.bought).toBe(5);
    expect((await run(world, graph, options(7))).nodes).toEqual([]);
    expect(world.store.contents.actions.size).toBe(0);
  });

  it('stays within a budget, and says that it stopped', async () => {
    const world = toyWorld();
    const limits = { maxCost: undefined, unapprovedCost: undefined, maxCalls: 4 };
    const { calls, stopped } = await run(world, toyGraph({ words: WORDS }), options(10, { limits }));
    expect(calls.bought).toBe(4);
    expect(stopped).toContain('cap of 4 calls');
  });

  it('takes the build lock', async () => {
    const world = toyWorld();
    world.store.holder = { pid: 1, processStart: '', bootId: '', host: 'here', command: 'cje build', since: 0 };
    expect(await canary(toyGraph(), ['last'], options(1), world.ports())).toMatchObject({ type: 'held' });
    expect(world.buyer.sent).toHaveLength(0);
  });
});

const UNFORCED = { force: new Set<string>(), retryFailed: false };

describe('a plan after a canary, with nothing built before', () => {
  it('expects of the rest what the canary used, and not what the kind guesses', async () => {
    const world = toyWorld();
    const graph = toyGraph({ words: WORDS });
    await run(world, graph, options(20));
    const { models } = await makePlan(graph, ['last'], UNFORCED, world.ports());
    const sum = (bound: 'low' | 'expected' | 'high') => models.reduce((total, model) => total + model[bound]!, 0);
    const { billed } = (await world.build(graph)).totals.cost;
    expect(billed).toBeGreaterThan(0);
    expect(sum('expected') / billed).toBeGreaterThan(0.9);
    expect(sum('expected') / billed).toBeLessThan(1.1);
    expect(sum('low')).toBeLessThanOrEqual(billed);
    expect(sum('high')).toBeGreaterThanOrEqual(billed);
    expect(models.every(({ basis }) => basis === 'recorded')).toBe(true);
  });

  it('guesses on while too few items are answered', async () => {
    const world = toyWorld();
    const graph = toyGraph({ words: WORDS });
    await run(world, graph, options(4));
    expect(
      (await makePlan(graph, ['last'], UNFORCED, world.ports())).models.every(({ basis }) => basis === 'guessed'),
    ).toBe(true);
  });
});

describe('shares', () => {
  it('are even, within their bounds, and together what was asked for as far as there is enough', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.array(fc.nat(60), { maxLength: 8 }), (total, bounds) => {
        const shares = evenly(total, bounds);
        const available = bounds.reduce((sum, bound) => sum + bound, 0);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.min(total, available));
        const most = Math.max(0, ...shares);
        for (const [index, share] of shares.entries()) {
          expect(share).toBeLessThanOrEqual(bounds[index]!);
          if (share < bounds[index]!) expect(share).toBeGreaterThanOrEqual(most - 1);
        }
      }),
    );
  });
});
