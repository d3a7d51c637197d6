/** What a plan asks a yes for, what a build is shown against, and the rows that a plan keeps in memory. */

import { describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../src/core/events.ts';
import { NOT_AGAIN } from '../../src/engine/again.ts';
import { plannedSpending } from '../../src/engine/plan/approval.ts';
import { expectation } from '../../src/engine/plan/expectation.ts';
import { BlobMeter, OverlayBlobs } from '../../src/engine/plan/overlay.ts';
import { makePlan } from '../../src/engine/plan/plan.ts';
import { expectedCalls } from '../../src/engine/plan/plan-cost.ts';
import { UsageSamples } from '../../src/engine/plan/usage.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { TOY_MODEL, toyGraph, toyWorld } from '../helpers/toy.ts';
import { provider } from '../providers/support.ts';

const BATCHES = {
  api: 'openai',
  rows: 100,
  bytes: 1e6,
  echo: true,
  price: 0.25,
  pollSeconds: 1,
  graceSeconds: 60,
  patienceSeconds: 60,
} as const;
/** Three words, asked by two nodes: six calls of two tokens, a dollar each; a quarter of it in a batch. */
function spending() {
  const world = toyWorld();
  const providers = [provider({ identity: 'toy', batch: BATCHES })];
  const graph = { ...toyGraph(), providers };
  const prices = createPriceBook({ date: '2026-07-01', models: { parrot: { input: 0, output: 1e6 } } }, providers);
  const ports = () => ({ ...world.ports(), prices });
  return { world, graph, ports };
}

describe('what a build would spend', () => {
  it('is its calls by provider, and of their dollars the share that may be made', async () => {
    const { graph, ports } = spending();
    const expected = async (most: number | undefined, lane?: 'batch') => {
      const found = await plannedSpending(graph, ['last'], NOT_AGAIN, ports(), most, lane);
      return [[...found!.calls], found!.expected];
    };
    expect(await expected(undefined)).toEqual([[['toy', 6]], 12]);
    expect(await expected(3)).toEqual([[['toy', 6]], 6]);
    expect(await expected(60)).toEqual([[['toy', 6]], 12]);
    expect(await expected(undefined, 'batch')).toEqual([[['toy', 6]], 3]);
    expect(await expected(2, 'batch')).toEqual([[['toy', 6]], 1]);
  });

  it('has no rebate of simulated money for its batches', async () => {
    const { graph, ports } = spending();
    const simulated = { ...ports(), prices: { ...ports().prices, simulated: () => true } };
    expect(await plannedSpending(graph, ['last'], NOT_AGAIN, simulated, undefined, 'batch')).toMatchObject({
      expected: 0,
    });
  });

  it('is asked for as long as anything is to be made, and not of a simulator', async () => {
    const { world, graph, ports } = spending();
    const planned = () => plannedSpending(graph, ['last'], NOT_AGAIN, ports(), undefined);
    await world.build(graph, {}, ['answers/a']);
    expect((await planned())?.expected).toBe(6);
    await world.build(graph);
    expect(await planned()).toBeUndefined();
    const forced = { ...NOT_AGAIN, force: new Set(['answers/a']) };
    expect((await plannedSpending(graph, ['last'], forced, ports(), undefined))?.expected).toBe(0);
    const simulated = { ...toyGraph({ suffix: '?' }), providers: [provider({ type: 'simulator' })] };
    expect(await plannedSpending(simulated, ['last'], NOT_AGAIN, ports(), undefined)).toBeUndefined();
  });
});

describe('what a build is shown against', () => {
  it('is told at its first node, once: items and dollars of the nodes that ask', async () => {
    const { world, graph, ports } = spending();
    const approved = await makePlan(graph, ['last'], NOT_AGAIN, ports());
    const told: BuildEvent[] = [];
    const of = (plan: typeof approved | undefined) =>
      expectation(graph, ['last'], { ...NOT_AGAIN, approved: plan }, { ...ports(), emit: (event) => told.push(event) });
    const started: BuildEvent = { type: 'node-started', node: 'words' } as BuildEvent;
    const planned = {
      type: 'planned',
      calls: 6,
      dollars: 12,
      nodes: { 'answers/a': { items: 3, dollars: 6 }, 'answers/b': { items: 3, dollars: 6 } },
    };
    const shown = of(approved);
    shown.listener({ type: 'started' } as BuildEvent);
    expect(told).toEqual([]);
    shown.listener(started);
    shown.listener(started);
    await shown.close();
    expect(told).toEqual([planned]);
    told.length = 0;
    const counted = of(undefined);
    counted.listener(started);
    await counted.close();
    expect(told).toEqual([planned]);
    told.length = 0;
    // What is counted beside a build that has ended is of no use.
    const late = of(undefined);
    late.listener(started);
    late.listener({ type: 'finished' } as BuildEvent);
    await late.close();
    expect(told).toEqual([]);
    expect(world.buyer.sent).toEqual([]);
  });
});

it('what a build is shown against is unknown where a price is', async () => {
  const { graph, ports } = spending();
  const unpriced = { ...ports(), prices: { ...ports().prices, cost: () => undefined } };
  const approved = await makePlan(graph, ['last'], NOT_AGAIN, unpriced);
  const told: BuildEvent[] = [];
  const emit = (event: BuildEvent) => told.push(event);
  const shown = expectation(graph, ['last'], { ...NOT_AGAIN, approved }, { ...unpriced, emit });
  shown.listener({ type: 'node-started', node: 'words' } as BuildEvent);
  const node = { items: 3, dollars: null };
  expect(told).toEqual([{ type: 'planned', calls: 6, dollars: null, nodes: { 'answers/a': node, 'answers/b': node } }]);
});

describe('calls that are only expected', () => {
  it('can wait where their path can, and none where there are none', () => {
    const prices = toyWorld().ports().prices;
    const calls = (count: number, path?: string) =>
      expectedCalls(
        {
          model: TOY_MODEL,
          calls: count,
          inputTokens: 3,
          outputTokens: 2,
          outputTokensAtMost: 5,
          ...(path === undefined ? {} : { path }),
        },
        undefined,
        prices,
        (_, of) => of === '/completions',
      ).batch?.calls;
    expect([calls(4, '/completions'), calls(4, '/other'), calls(4), calls(0, '/completions')]).toEqual([
      4,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are like samples of replies once there are enough of them', () => {
    const samples = new UsageSamples(2);
    const add = (outputTokens: number) =>
      samples.add({ identity: 'i', model: 'm', usage: { inputTokens: 10, cachedInputTokens: 0, outputTokens } }, 40);
    add(4);
    expect(samples.typical('i', 'm')).toBeUndefined();
    add(8);
    expect(samples.typical('i', 'm')).toEqual({
      replies: 2,
      inputTokens: 10,
      inputTokensPerByte: 0.25,
      outputTokens: 6,
      outputLow: 4,
      outputHigh: 8,
    });
    for (let n = 0; n < 97; n++) add(8);
    expect(samples.isFull).toBe(false);
    add(8);
    expect(samples.isFull).toBe(true);
  });
});

describe('rows in memory over rows on disk', () => {
  it('are there until the last of their readers has let go', async () => {
    const store = memoryStore();
    const blobs = new OverlayBlobs(store.blobs);
    const [one, same] = [await blobs.put('{"a":1}\n'), await blobs.put('{"a":1}\n')];
    expect(same).toEqual(one);
    blobs.release({ rows: one });
    expect([...blobs.rows(one)]).toEqual([{ a: 1 }]);
    blobs.release({ rows: one });
    expect(() => [...blobs.rows(one)]).toThrow();
    expect(store.contents.blobs.size).toBe(0);
    const meter = new BlobMeter();
    meter.write('{"a":');
    meter.write('1}\n');
    expect(meter.finish()).toEqual(one);
  });
});
