/** What is asked for anew although an answer is kept. */

import { describe, expect, it } from 'vitest';
import { answeredSince, asksAnew, NOT_AGAIN, unknownItems } from '../../src/engine/again.ts';
import { TOY_KINDS, type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';

const prompts = ({ buyer }: ToyWorld) => buyer.sent.map(({ body }) => (JSON.parse(body) as { prompt: string }).prompt);

describe('items that are asked again by name', () => {
  it('are, of the node that is named alone, and what comes replaces what was kept', async () => {
    const world = toyWorld();
    await world.build();
    const before = new Map(world.store.contents.calls);
    world.buyer.respond = (prompt) => `${prompt} anew`;
    const outcome = await world.build(toyGraph(), { askAgain: new Map([['answers/a', new Set(['w1'])]]) });
    expect(prompts(world)).toEqual(['two!']);
    expect(outcome.totals.calls).toMatchObject({ bought: 1 });
    const changed = [...world.store.contents.calls].filter(([key, { raw }]) => before.get(key)?.raw !== raw);
    expect(changed.map(([, { node, raw }]) => [node, raw])).toEqual([['answers/a', '{"text":"two! anew"}']]);
  });

  it('are all of a node', async () => {
    const world = toyWorld();
    await world.build();
    await world.build(toyGraph(), { askAgain: new Map([['answers/b', 'all']]) });
    expect(prompts(world).sort()).toEqual(['one!', 'three!', 'two!']);
  });

  it('are told of to nodes that share them, which take the new answers by --force and for nothing', async () => {
    const world = toyWorld();
    const graph = toyGraph();
    const { params } = graph.nodes.get('answers/a')!;
    const nodes = new Map(graph.nodes).set('answers/b', { ...graph.nodes.get('answers/b')!, params });
    const shared = { ...graph, nodes };
    await world.build(shared);
    const notes = () => world.events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
    world.events.length = 0;
    await world.build(shared, { askAgain: new Map([['answers/a', new Set(['w1'])]]) });
    expect(notes()).toEqual([expect.stringMatching(/^answers\/b shares a call .*`--force answers\/b`/)]);
    world.events.length = 0;
    await world.build(shared, { force: new Set(['answers/b']) });
    expect(prompts(world)).toEqual([]);
    await world.build(shared, { askAgain: new Map([['answers/a', new Set<string>()]]) });
    expect(notes()).toEqual([]);
  });

  it('are told of where a finished node holds answers of a model that is listed no more', async () => {
    const world = toyWorld();
    const graph = toyGraph();
    const action = (await world.build(graph)).results.get('answers/a')?.action;
    const notes = () => world.events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
    const key = action!.key;
    const [tally] = action!.summary.calls;
    const servedBy = (name: string, refused: number) => {
      const calls = [{ ...tally!, served: [{ name, replies: 3, ...(refused === 0 ? {} : { refused }) }] }];
      world.store.contents.actions.set(key, { ...action!, summary: { ...action!.summary, calls } });
      world.events.length = 0;
    };
    servedBy('other-model', 1);
    await world.build(graph);
    expect(notes()).toEqual([
      `answers/a keeps 2 answers of other-model, which no \`answers_as:\` lists for ${tally!.model} now; \`--ask-again answers/a\` asks the model anew`,
    ]);
    for (const [name, refused] of [
      ['other-model', 3],
      [tally!.model, 0],
      ['other names', 0],
    ] as const) {
      servedBy(name, refused);
      await world.build(graph);
      expect(notes(), name).toEqual([]);
    }
    const rule = {
      identity: tally!.identity,
      model: tally!.model,
      answersAs: ['other-model'],
      mismatch: 'refuse' as const,
    };
    servedBy('other-model', 0);
    const listed = { ...graph.nodes.get('answers/a')!, served: [{ ...rule, oneSnapshot: false }] };
    await world.build({ ...graph, nodes: new Map(graph.nodes).set('answers/a', listed) });
    expect(notes()).toEqual([]);
  });

  it('are refused where the node has none of that name', async () => {
    const world = toyWorld();
    await world.build();
    const outcome = await world.build(toyGraph(), { askAgain: new Map([['answers/a', new Set(['two', 'seven'])]]) });
    expect(outcome.results.get('answers/a')).toMatchObject({ outcome: 'failed' });
    expect(prompts(world)).toEqual([]);
    const kind = TOY_KINDS.find(({ name }) => name === 'answers')!;
    const words = ['one', 'two'].map((word) => ({ prompt_id: word, word }));
    const chosen = { ...NOT_AGAIN, askAgain: new Map([['answers/a', new Set(['two', 'seven'])]]) };
    expect(unknownItems(chosen, 'answers/a', kind, words)).toEqual(['seven']);
  });

  it('make a node ask anew, and no other', () => {
    const chosen = { ...NOT_AGAIN, askAgain: new Map([['answers/a', 'all' as const]]) };
    expect(['answers/a', 'answers/b'].map((node) => asksAnew(chosen, node))).toEqual([true, false]);
    expect(asksAnew(NOT_AGAIN, 'answers/a')).toBe(false);
    expect(asksAnew({ ...NOT_AGAIN, retryFailed: true }, 'answers/b')).toBe(true);
  });
});

it('calls are answered since where an answer or a failure took the place of another after the node was finished', () => {
  const keys = ['replied', 'failed', 'first', 'early'];
  const times: Record<string, number> = { replied: 9, failed: 9, first: 9, early: 5 };
  const store = {
    blobs: { locate: () => ({}), read: () => Buffer.from(`${keys.join('\n')}\n`) },
    calls: {
      get: (key: string) => (key === 'failed' ? undefined : { boughtAt: times[key] }),
      failure: (key: string) => (key === 'failed' ? { failedAt: times[key] } : undefined),
      superseded: (key: string) => (key === 'first' ? [] : ['before']),
    },
  } as never;
  const action = { calls: { digest: 'd', size: 1 }, finishedAt: 5 } as never;
  expect(answeredSince(action, store)).toBe(2);
});
