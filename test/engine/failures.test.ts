import { describe, expect, it } from 'vitest';
import type { PermanentFailure } from '../../src/core/call.ts';
import { failuresOf } from '../../src/engine/explain/failures.ts';
import { nodeStatus } from '../../src/engine/explain/status.ts';
import { History } from '../../src/engine/history.ts';
import { reach } from '../../src/engine/select.ts';
import { survey } from '../../src/engine/survey.ts';
import { nodesWith, type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';

const filtered: PermanentFailure = { class: 'permanent', reason: 'filtered', message: '400 content filter' };
const GRAPH = toyGraph({ tolerate: 0.5 });

const historyOf = (world: ToyWorld) => new History(world.ports().store, GRAPH.profile);

async function failed(world: ToyWorld) {
  const nodes = reach(GRAPH, ['last']);
  return failuresOf(nodes, await survey(nodes, world.ports()), historyOf(world), world.ports());
}

async function statuses(world: ToyWorld, graph = GRAPH) {
  const ports = world.ports();
  const nodes = reach(graph, ['last']);
  const found = await survey(nodes, ports);
  const history = new History(ports.store, graph.profile);
  return new Map(
    await Promise.all(nodes.map(async (node) => [node.name, await nodeStatus(node, found, history, ports)] as const)),
  );
}

describe('a node that stopped before its end', () => {
  it('tells of the items that are settled without a value', async () => {
    const world = toyWorld();
    world.buyer.respond = () => filtered;
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`);
    const strict = toyGraph({ tolerate: 0, words });
    expect((await world.build(strict)).exit).toBe(1);
    const nodes = reach(strict, ['last']);
    const found = await survey(nodes, world.ports());
    expect(found.has('answers/a')).toBe(false);
    const { items, loose } = failuresOf(nodes, found, historyOf(world), world.ports());
    expect(items.length).toBeGreaterThan(0);
    expect(new Set(items.map(({ status }) => status))).toEqual(new Set(['filtered']));
    expect(loose).toEqual([]);
  });
});

describe('permanent failures', () => {
  it('are a ledger by item, are asked again on demand alone, and their end makes dependants stale', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'two!' ? filtered : prompt);
    expect((await world.build(GRAPH)).totals.calls).toMatchObject({ bought: 4, failed: 2 });
    const { items, loose } = await failed(world);
    expect(loose).toEqual([]);
    expect(items).toEqual(
      ['answers/a', 'answers/b'].map((node) => ({
        node,
        item: 'w1',
        status: 'filtered',
        failure: {
          key: expect.any(String),
          reason: 'filtered',
          message: '400 content filter',
          failedAt: expect.any(Number),
        },
        reply: null,
      })),
    );
    expect((await statuses(world)).get('answers/a')).toMatchObject({
      state: 'up to date',
      items: 3,
      complete: 2,
      lacking: { filtered: 1 },
    });

    expect((await world.build(GRAPH)).totals.calls).toEqual({ bought: 0, cached: 0, failed: 0 });
    expect(world.buyer.sent).toHaveLength(0);

    // Still refused: the same rows, so nothing above them moves.
    const vain = await world.build(GRAPH, { retryFailed: true });
    expect(world.buyer.sent).toHaveLength(2);
    expect(nodesWith(vain, 'run')).toEqual(['answers/a', 'answers/b']);

    world.buyer.respond = (prompt) => prompt;
    const mended = await world.build(GRAPH, { retryFailed: true });
    expect(mended.totals.calls).toMatchObject({ bought: 2, failed: 0 });
    expect(nodesWith(mended, 'run')).toEqual(['answers/a', 'answers/b', 'count', 'last']);
    expect(await failed(world)).toEqual({ items: [], loose: [], nodes: [] });
    expect(nodesWith(await world.build(GRAPH), 'cached')).toHaveLength(5);
  });

  it('behind which no finished node stands are told apart', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) => (prompt === 'two!' ? filtered : prompt);
    await world.build(GRAPH);
    world.store.contents.actions.clear();
    const { items, loose } = await failed(world);
    expect(items).toEqual([]);
    expect(loose.map(({ node, message }) => [node, message])).toEqual([
      ['answers/a', '400 content filter'],
      ['answers/b', '400 content filter'],
    ]);
  });

  it('do not make a refused node of another shape run again', async () => {
    const world = toyWorld();
    const graph = toyGraph({ words: [] });
    const first = await world.build(graph);
    expect(nodesWith(first, 'refused')).toEqual(['last']);
    const again = await world.build(graph, { retryFailed: true });
    expect(nodesWith(again, 'run')).toEqual([]);
    expect(again.build).toBeNull();
  });
});

describe('status', () => {
  it('says why a node is stale', async () => {
    const world = toyWorld();
    expect((await statuses(world)).get('words')).toMatchObject({ state: 'stale', note: 'not built yet' });
    await world.build(GRAPH);
    const edited = await statuses(world, toyGraph({ suffix: '?' }));
    expect(edited.get('words')?.state).toBe('up to date');
    expect(edited.get('answers/a')?.note).toBe('suffix changed');
    expect(edited.get('last')?.note).toBe('depends on count');
  });
});
