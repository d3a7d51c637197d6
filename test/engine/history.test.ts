/** What earlier builds left of a node's inputs. */

import { describe, expect, it } from 'vitest';
import type { GraphNode } from '../../src/core/graph.ts';
import { History, pastUpstream } from '../../src/engine/history.ts';
import { toyGraph, toyWorld } from '../helpers/toy.ts';

describe('the inputs of a node in a build', () => {
  it('are those that it had then: one that a pattern matches only now was none; a single one that is missing leaves nothing', async () => {
    const world = toyWorld();
    await world.build();
    const [record] = [...world.store.builds.list(1)];
    const count = toyGraph().nodes.get('count')!;
    const answers = count.inputs.answers!;
    const later = [...answers.nodes, { label: 'c', node: 'answers/c' }];
    const upstream = (arity: 'one' | 'many') => {
      const node = { ...count, inputs: { answers: { arity, nodes: later } } } as GraphNode;
      return pastUpstream(record!, node, world.store);
    };
    expect([...upstream('many')!.get('answers')!.keys()]).toEqual(['a', 'b']);
    expect(upstream('one')).toBeUndefined();
  });

  it('are none where the bytes of one of them are gone', async () => {
    const world = toyWorld();
    await world.build();
    const [record] = [...world.store.builds.list(1)];
    const count = toyGraph().nodes.get('count')!;
    expect(pastUpstream(record!, count, world.store)).toBeDefined();
    world.store.contents.blobs.delete(record!.nodes['answers/b']!.outputs['rows.jsonl']!.digest);
    expect(pastUpstream(record!, count, world.store)).toBeUndefined();
  });

  it('come from builds of the own profile first, however old', async () => {
    const world = toyWorld();
    await world.build();
    const [own] = [...world.store.builds.list(1)];
    const other = { ...own!, id: `${own!.id}x`, profile: 'other' };
    const store = { ...world.store, builds: { ...world.store.builds, list: () => [other, own!] } };
    expect(new History(store, own!.profile).records.map(({ profile }) => profile)).toEqual([own!.profile, 'other']);
    expect(new History(store, 'other').of('count')?.record).toBe(other);
  });
});
