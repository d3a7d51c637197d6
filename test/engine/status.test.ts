import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/core/graph.ts';
import { type NodeStatus, nodeStatus } from '../../src/engine/explain/status.ts';
import { History } from '../../src/engine/history.ts';
import { isItem } from '../../src/engine/items.ts';
import { survey } from '../../src/engine/survey.ts';
import { TOY_KINDS, type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';

async function statusOf(world: ToyWorld, graph: Graph): Promise<Record<string, Omit<NodeStatus, 'node' | 'kind'>>> {
  const nodes = [...graph.nodes.values()];
  const ports = world.ports();
  const found = await survey(nodes, ports);
  const history = new History(ports.store, graph.profile);
  const rows = await Promise.all(nodes.map((node) => nodeStatus(node, found, history, ports)));
  return Object.fromEntries(rows.map(({ node, kind: _, ...rest }) => [node, rest]));
}

const stale = (note: string) => ({ state: 'stale', items: null, complete: null, lacking: {}, note });
const current = (items: number) => ({ state: 'up to date', items, complete: items, lacking: {}, note: '' });

describe('the status of a node', () => {
  it('is stale before anything is built, and up to date afterwards', async () => {
    const world = toyWorld();
    expect(await statusOf(world, toyGraph())).toMatchObject({
      words: stale('not built yet'),
      last: stale('not built yet'),
    });
    await world.build();
    const rows = await statusOf(world, toyGraph());
    expect(rows).toMatchObject({ words: current(3), 'answers/a': current(3), count: current(1) });
  });

  it('says what changed, and of what is below it what it waits for', async () => {
    const world = toyWorld();
    await world.build();
    const rows = await statusOf(world, toyGraph({ suffix: '?' }));
    expect(rows.words).toEqual(current(3));
    expect(rows['answers/a']).toEqual(stale('suffix changed'));
    expect(rows.count).toEqual(stale('depends on answers/a'));
    expect(rows.last).toEqual(stale('depends on count'));
    world.code.answers = '2';
    const both = await statusOf(world, toyGraph({ suffix: '?' }));
    expect(both['answers/b']!.note).toMatch(/code.*suffix|suffix.*code/);
    world.code.count = '2';
    expect((await statusOf(world, toyGraph({ suffix: '?' }))).count!.note).toMatch(/code/);
  });

  it('says that an output is missing where nothing changed', async () => {
    const world = toyWorld();
    await world.build();
    const { contents } = world.store;
    for (const action of contents.actions.values()) {
      if (action.kind === 'last') contents.blobs.delete(action.outputs['total.txt']!.digest);
    }
    const rows = await statusOf(world, toyGraph());
    expect(rows.count).toMatchObject({ state: 'up to date' });
    expect(rows.last).toMatchObject({ state: 'stale', note: expect.stringMatching(/missing|gone/) });
  });

  it('counts what was cut short as complete, and says how much of it there is', async () => {
    const world = toyWorld();
    const { action } = (await world.build()).results.get('answers/a')!;
    const { summary } = action!;
    world.store.contents.actions.set(action!.key, {
      ...action!,
      summary: { ...summary, statuses: { ok: 1, truncated: 2 } },
    });
    const rows = await statusOf(world, toyGraph());
    expect(rows['answers/a']).toEqual({ ...current(3), truncated: 2 });
    expect(rows['answers/b']).toEqual(current(3));
  });

  it('counts what lacks, and tells what is tolerated from what is not', async () => {
    const world = toyWorld();
    world.buyer.respond = (prompt) =>
      prompt === 'two!' ? { class: 'permanent', reason: 'refused', message: 'no' } : prompt;
    await world.build(toyGraph({ tolerate: 0.5 }));
    const lacking = { items: 3, complete: 2, lacking: { refused: 1 } };
    expect((await statusOf(world, toyGraph({ tolerate: 0.5 })))['answers/a']).toEqual({
      state: 'up to date',
      ...lacking,
      note: '',
    });
    expect((await statusOf(world, toyGraph({ tolerate: 0.1 })))['answers/a']).toEqual({
      state: 'incomplete',
      ...lacking,
      note: '1 refused of 3 items; the stage tolerates 10.0 %',
    });
  });

  it('says why the last build failed a node, until one does not', async () => {
    const world = toyWorld();
    world.buyer.respond = () => ({ class: 'transient', reason: 'batch_refused', message: 'batch b was refused' });
    await world.build();
    const rows = await statusOf(world, toyGraph());
    expect(rows['answers/a']).toEqual(stale('not built yet; last build: batch b was refused'));
    expect(rows.last).toEqual(stale('not built yet'));
    world.buyer.respond = (prompt) => prompt;
    await world.build();
    expect((await statusOf(world, toyGraph({ suffix: '?' })))['answers/a']).toEqual(stale('suffix changed'));
  });

  it('is refused where its output says so', async () => {
    const world = toyWorld();
    await world.build(toyGraph({ words: [] }));
    expect((await statusOf(world, toyGraph({ words: [] }))).last).toMatchObject({
      state: 'refused',
      note: 'nothing was answered',
    });
  });
});

describe('the name of an item', () => {
  const answers = TOY_KINDS.find(({ name }) => name === 'answers')!;
  const row = { prompt_id: 'w7' };

  it.each([
    ['w7', true],
    ['2', true],
    ['#2', true],
    ['w2', false],
    ['3', false],
    ['#3', false],
    ['', false],
  ])('%s: %s', (wanted, is) => expect(isItem(answers, row, 2, wanted)).toBe(is));

  it('is its policy and id, its policy alone where it has no id, or its number', () => {
    const named = { ...answers, item: ({ id, policy }: { id?: string; policy?: string }) => ({ id, policy }) } as never;
    expect(isItem(named, { id: 'i', policy: 'p' }, 0, 'p/i')).toBe(true);
    expect(isItem(named, { id: 'i', policy: 'p' }, 0, 'p')).toBe(false);
    expect(isItem(named, { policy: 'p' }, 0, 'p')).toBe(true);
    expect(isItem(undefined, { id: 'i' }, 0, 'i')).toBe(false);
    expect(isItem(undefined, { id: 'i' }, 0, '#0')).toBe(true);
  });
});
