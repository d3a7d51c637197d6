import { describe, expect, it } from 'vitest';
import { explain, explainItem } from '../../src/engine/explain/why.ts';
import { toyGraph, toyWorld } from '../helpers/toy.ts';

describe('why', () => {
  it('has nothing to say of what is as it was built', async () => {
    const world = toyWorld();
    await world.build();
    const why = await explain(toyGraph(), 'last', {}, world.ports());
    expect(why).toMatchObject({ state: 'fresh', causes: [] });
    expect(why.since?.id).toBe(world.store.contents.builds[0]!.id);
  });

  it('leads from a node down to what was edited, through every input on the way', async () => {
    const world = toyWorld();
    await world.build();
    const why = await explain(toyGraph({ suffix: '?' }), 'last', {}, world.ports());
    expect(why.state).toBe('stale');
    expect(why.causes).toHaveLength(1);
    expect(why.causes[0]).toMatchObject({
      nodes: ['answers/a', 'answers/b'],
      path: ['answers/a', 'count', 'last'],
      cause: { changes: [{ path: ['params', 'suffix'], before: '!', after: '?' }] },
    });
    expect(why.nodes.map(({ node }) => node)).toEqual(['last', 'count', 'answers/a', 'answers/b']);
    expect(why.nodes[1]!.inputs).toEqual([
      { input: 'answers', node: 'answers/a', change: 'unknown' },
      { input: 'answers', node: 'answers/b', change: 'unknown' },
    ]);
  });

  it('tells edits of one stage that are not the same apart', async () => {
    const world = toyWorld();
    await world.build();
    const graph = toyGraph({ suffix: '?' });
    const other = graph.nodes.get('answers/b')!;
    const nodes = new Map(graph.nodes).set('answers/b', { ...other, params: { ...other.params, suffix: '…' } });
    const why = await explain({ ...graph, nodes }, 'last', {}, world.ports());
    expect(why.causes.map(({ nodes: alike, cause }) => [alike, cause.changes.map(({ after }) => after)])).toEqual([
      [['answers/a'], ['?']],
      [['answers/b'], ['…']],
    ]);
  });

  it('names code, and stops at an upstream node that comes out the same', async () => {
    const world = toyWorld();
    await world.build();
    world.code.answers = '2';
    world.code.last = '2';
    const why = await explain(toyGraph(), 'last', {}, world.ports());
    expect(why.causes.map(({ nodes }) => nodes)).toEqual([['last']]);
    expect(why.causes[0]!.cause.changes.map(({ path }) => path)).toEqual([['code']]);
    const answers = await explain(toyGraph(), 'answers/a', {}, world.ports());
    expect(answers.causes[0]!.cause.reason).toContain('every reply is stored');
  });

  it('tells an edit that was taken back from the last build, and compares with an older one on demand', async () => {
    const world = toyWorld();
    await world.build();
    await world.build(toyGraph({ words: ['five', 'six', 'seven'] }));
    const [, first] = world.store.contents.builds;
    const back = await explain(toyGraph(), 'answers/a', {}, world.ports());
    expect(back).toMatchObject({ state: 'fresh' });
    expect(back.causes.map(({ nodes, cause }) => [nodes, cause.changes.length])).toEqual([[['words'], 1]]);
    const since = await explain(toyGraph(), 'answers/a', { since: first! }, world.ports());
    expect(since.causes).toEqual([]);
  });

  it('says that a node was never built', async () => {
    const why = await explain(toyGraph(), 'last', {}, toyWorld().ports());
    expect(why).toMatchObject({ state: 'stale', since: undefined });
    expect(why.causes.every(({ cause }) => cause.since === null)).toBe(true);
  });
});

describe('why of an item', () => {
  it("puts its requests beside the last build's, and says whether the reply is stored", async () => {
    const world = toyWorld();
    await world.build();
    const graph = toyGraph({ words: ['one', 'deux', 'three'] });
    const changed = await explainItem(graph, 'answers/a', 'w1', {}, world.ports());
    expect(changed?.calls).toEqual([
      {
        call: 0,
        before: expect.stringMatching(/^[0-9a-f]{32}$/),
        after: expect.stringMatching(/^[0-9a-f]{32}$/),
        stored: false,
        texts: [{ name: 'prompt', before: 'two!', after: 'deux!' }],
      },
    ]);
    const fresh = await explainItem(toyGraph(), 'answers/a', 'w0', {}, toyWorld().ports());
    expect(fresh).toMatchObject({
      without: 'no earlier build made this node',
      calls: [{ before: null, after: expect.any(String), stored: false }],
    });
    const same = await explainItem(graph, 'answers/a', '0', {}, world.ports());
    expect(same?.calls[0]).toMatchObject({ stored: true, texts: [] });
    expect(same?.calls[0]?.before).toBe(same?.calls[0]?.after);
    expect(await explainItem(graph, 'answers/a', 'nobody', {}, world.ports())).toBeUndefined();
  });

  it('shows settings that the model does not read as text', async () => {
    const world = toyWorld();
    await world.build();
    const graph = toyGraph();
    const node = graph.nodes.get('answers/a')!;
    const other = new Map(graph.nodes).set('answers/a', { ...node, params: { ...node.params, draw: 'c' } });
    const why = await explainItem({ ...graph, nodes: other }, 'answers/a', 'w0', {}, world.ports());
    expect(why?.calls[0]?.texts.map(({ name }) => name)).toEqual(['settings']);
    expect(why?.calls[0]?.texts[0]?.after).toContain('"draw": "c"');
  });
});
