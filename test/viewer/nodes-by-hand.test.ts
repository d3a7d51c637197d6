/** The nodes of a toy experiment as the viewer has them: what they depend on, how far they are, and the calls behind a row. */

import { describe, expect, it } from 'vitest';
import type { Graph, GraphNode } from '../../src/core/graph.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { build } from '../../src/engine/build/build.ts';
import { keyCall } from '../../src/engine/keys.ts';
import type { Ports } from '../../src/engine/ports.ts';
import { nodesNow, nodesOf } from '../../src/viewer/model/build-nodes.ts';
import { itemCalls, progressOf } from '../../src/viewer/model/item-calls.ts';
import type { OpenNode } from '../../src/viewer/model/open-node.ts';
import { RowTables } from '../../src/viewer/model/row-tables.ts';
import { toyGraph, toyOptions, toyRequest, toyWorld } from '../helpers/toy.ts';
import { workshop } from '../store/support.ts';

const { folder, open } = workshop();

const PERMANENT = { class: 'permanent', reason: 'rejected', message: '400 no' } as const;

/** Each count reads one policy's answers, and all of them come to the same bytes. */
function twins(): Graph {
  const graph = toyGraph();
  const of = (name: string, like: string, inputs: GraphNode['inputs']): [string, GraphNode] => [
    name,
    { ...graph.nodes.get(like)!, name, stage: name.split('/')[0]!, inputs },
  ];
  const pairs = ['a', 'b'].flatMap((label) => [
    of(`count/${label}`, 'count', { answers: { arity: 'many', nodes: [{ label, node: `answers/${label}` }] } }),
    of(`last/${label}`, 'last', { count: { arity: 'one', nodes: [{ label: '', node: `count/${label}` }] } }),
  ]);
  const kept = ['words', 'answers/a', 'answers/b'].map((name): [string, GraphNode] => [name, graph.nodes.get(name)!]);
  return { ...graph, nodes: new Map([...kept, ...pairs]), defaultTargets: ['last/a', 'last/b'] };
}

const named = (nodes: readonly OpenNode[], name: string): OpenNode => nodes.find((node) => node.name === name)!;

describe('a recorded node', () => {
  it('depends on the node that is named like it, where several made the same bytes', async () => {
    const world = toyWorld();
    const graph = twins();
    await world.build(graph, {}, ['last/a', 'last/b']);
    const [record] = [...world.store.builds.list()];
    const nodes = nodesOf(record!, graph, world.ports());
    const upstream = (name: string) => named(nodes, name).inputs.map(({ node }) => node);
    expect(['count/a', 'count/b', 'last/a', 'last/b'].map(upstream)).toEqual([
      ['answers/a'],
      ['answers/b'],
      ['count/a'],
      ['count/b'],
    ]);
    expect(named(nodes, 'count/b').upstream()?.get('answers')?.get('b')?.summary.items).toBe(3);
  });

  it('costs to make again what all of its calls cost, and nothing is known without a price', async () => {
    const world = toyWorld();
    await world.build();
    const [record] = [...world.store.builds.list()];
    const cost = (ports: Ports) => nodesOf(record!, toyGraph(), ports).map(({ name, reproduce }) => [name, reproduce]);
    // Three calls of 3 tokens at a cent and 2 at ten cents.
    expect(cost(world.ports())).toEqual([
      ['words', 0],
      ['answers/a', expect.closeTo(0.69)],
      ['answers/b', expect.closeTo(0.69)],
      ['count', 0],
      ['last', 0],
    ]);
    const ports = world.ports();
    expect(cost({ ...ports, prices: { ...ports.prices, cost: () => undefined } })[1]).toEqual(['answers/a', null]);
  });

  it('has the summary that its build had, whatever was asked again since', async () => {
    const world = toyWorld();
    const graph = toyGraph({ tolerate: 1 });
    world.buyer.respond = (prompt) => (prompt === 'two!' ? PERMANENT : prompt);
    await world.build(graph);
    world.buyer.respond = (prompt) => prompt;
    await world.build(graph, { retryFailed: true });
    const [after, before] = [...world.store.builds.list()];
    const statuses = (record: typeof after) =>
      named(nodesOf(record!, graph, world.ports()), 'answers/a').summary?.statuses;
    expect([before, after].map(statuses)).toEqual([{ ok: 2, rejected: 1 }, { ok: 3 }]);
  });

  it('is stale once its output is gone, refused where it says so, and lacks no reason to be failed', async () => {
    const world = toyWorld();
    world.buyer.respond = () => '';
    await world.build();
    const [record] = [...world.store.builds.list()];
    const told = () =>
      Object.fromEntries(
        nodesOf(record!, toyGraph(), world.ports()).map(({ name, state, note }) => [name, [state, note]]),
      );
    expect(told()).toMatchObject({ words: ['done', ''], last: ['refused', 'nothing was answered'] });
    const lost = named(nodesOf(record!, toyGraph(), world.ports()), 'last').outputs['total.txt']!;
    world.store.contents.blobs.delete(lost.digest);
    expect(told()).toMatchObject({ words: ['done', ''], last: ['stale', 'no longer in the cache'] });
  });

  it('that was not finished depends on those of the graph that its build had', async () => {
    const world = toyWorld();
    world.buyer.respond = (_, { body }) => (body.includes('one') ? PERMANENT : 'x');
    await world.build();
    const [record] = [...world.store.builds.list()];
    const { words: _, ...rest } = record!.nodes;
    const nodes = nodesOf({ ...record!, nodes: rest }, toyGraph(), world.ports());
    expect(named(nodes, 'count')).toMatchObject({ state: 'skipped', action: undefined });
    expect(named(nodes, 'count').inputs.map(({ label, node }) => [label, node])).toEqual([
      ['a', 'answers/a'],
      ['b', 'answers/b'],
    ]);
    expect(named(nodes, 'answers/a').inputs).toEqual([]);
    expect(named(nodes, 'answers/a').upstream()).toBeUndefined();
  });
});

describe('an unfinished node', () => {
  /** The words are there, and of the answers those to the words that are named. */
  async function progressWith(count: number, isAnswered: (index: number) => boolean) {
    const world = toyWorld();
    const list = Array.from({ length: count }, (_, index) => `word ${index}`);
    const graph = toyGraph({ words: list });
    await world.build(graph, {}, ['words']);
    const usage = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2 };
    for (const word of list.filter((_, index) => isAnswered(index))) {
      const { key, text: request } = keyCall(toyRequest(`${word}!`, 'a'));
      const kept = { request, raw: '{"text":"x"}', usage, model: 'parrot', identity: 'toy', cost: 0, boughtAt: 1 };
      await world.store.calls.put(key, { ...kept, node: 'answers/a' });
    }
    return progressOf(named(await nodesNow(graph, world.ports()), 'answers/a'), world.ports());
  }

  it('is looked at item by item, up to a thousand', async () => {
    expect(await progressWith(3, (index) => index > 0)).toEqual({ done: 2, items: 3, estimated: false });
    expect(await progressWith(1000, (index) => index % 2 === 0)).toEqual({ done: 500, items: 1000, estimated: false });
  });

  it('of more items is judged by every second one from the first, in proportion', async () => {
    // 501 of 1,001 are looked at: those of even numbers.
    expect(await progressWith(1001, (index) => index % 2 === 0)).toEqual({ done: 1001, items: 1001, estimated: true });
    expect(await progressWith(1001, (index) => index % 4 === 0)).toEqual({ done: 501, items: 1001, estimated: true });
    expect(await progressWith(1001, (index) => index % 2 === 1)).toEqual({ done: 0, items: 1001, estimated: true });
  });

  it('says nothing where it is finished, asks nothing, or has not what it depends on', async () => {
    const world = toyWorld();
    const of = async (name: string) =>
      progressOf(named(await nodesNow(toyGraph(), world.ports()), name), world.ports());
    expect(await of('answers/a')).toBeUndefined();
    await world.build();
    expect([await of('answers/a'), await of('count')]).toEqual([undefined, undefined]);
  });
});

describe('the calls behind a row', () => {
  async function built({ twice = false, ofPrompts = true } = {}) {
    const world = toyWorld();
    const store = open(folder());
    // Rows that are of prompts are looked for among those of their prompt alone.
    const kinds = new Map(world.ports().kinds);
    for (const [name, { kind, code }] of kinds) {
      const item = ({ prompt_id: id }: JsonObject) => ({ id: String(id), prompt: String(id) });
      if (ofPrompts) kinds.set(name, { kind: { ...kind, item }, code });
    }
    const ports: Ports = { ...world.ports(), store, kinds };
    const graph = toyGraph({ twice });
    await build(graph, ['last'], toyOptions(), ports);
    const nodes = await nodesNow(graph, ports);
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const node = byName.get('answers/a')!;
    const calls = (item: string, changed: Partial<OpenNode> = {}) =>
      itemCalls({ ...node, ...changed }, item, byName, new RowTables(store.blobs), ports);
    return { store, byName, ports, calls };
  }

  it.each([true, false])('are all of them, where rows are of prompts (%s)', async (ofPrompts) => {
    const { calls } = await built({ twice: true, ofPrompts });
    const found = calls('w1')!;
    expect(found).toMatchObject({ item: 'w1', row: { prompt_id: 'w1', answer: 'two! two!' } });
    expect(found.calls).toHaveLength(2);
    expect([calls('w3'), calls('#2')?.item]).toEqual([undefined, 'w2']);
  });

  it('stand beside the row as it was built, also where a reply is another by now', async () => {
    const { store, calls } = await built();
    const { key } = keyCall(toyRequest('two!', 'a'));
    await store.calls.put(key, { ...store.calls.get(key)!, raw: '{"text":"changed"}' });
    expect(calls('w1')?.row).toMatchObject({ answer: 'two!' });
    expect(JSON.stringify(calls('w1')?.calls)).toContain('changed');
  });

  it('are none where its parameters cannot be read any more, and other mistakes are not hidden', async () => {
    const { calls } = await built();
    const unreadable = { params: null as never };
    expect(calls('w1', unreadable)).toMatchObject({ item: 'w1', row: { answer: 'two!' }, calls: [] });
    const broken = () => {
      throw new RangeError('no');
    };
    expect(() => calls('w1', { upstream: broken })).toThrow('no');
    expect(calls('w1', { upstream: () => undefined })).toMatchObject({ row: { answer: 'two!' }, calls: [] });
    expect(calls('w9', { upstream: () => undefined })).toBeUndefined();
  });
});
