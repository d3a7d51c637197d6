import { describe, expect, it } from 'vitest';
import type { BuildRecord, StoredCall } from '../../src/core/storage.ts';
import { unrecordedPurchases } from '../../src/core/unrecorded.ts';
import { ledgerOf } from '../../src/engine/explain/ledger.ts';
import { checkTag, tagBuild } from '../../src/engine/tags.ts';
import { memoryStore } from '../helpers/memory-store.ts';

function record(id: string, from: number, to: number, cost: number): BuildRecord {
  const models = [{ identity: 'sim', model: 'parrot', bought: 2, cost }];
  return {
    id,
    startedAt: from,
    finishedAt: to,
    experiment: 'x',
    profile: 'sim',
    targets: ['a'],
    exit: 0,
    totals: {
      nodes: { run: 1, cached: 0, failed: 0, refused: 0, skipped: 0 },
      calls: { bought: 2, cached: 1, failed: 0 },
      cost: { billed: cost, saved: 1, reproduce: 5 },
    },
    nodes: {
      a: { key: null, outcome: 'run', outputs: {}, bought: 2, cost, models },
      b: { key: null, outcome: 'cached', outputs: {}, bought: 0, cost: 0 },
    },
  };
}

const call = (boughtAt: number, cost: number | null) => ({ key: 'k', value: { boughtAt, cost } as StoredCall });

const NONE = { replies: [], failures: [], superseded: [], unresolved: [] };

describe('the ledger', () => {
  const records = [record('b2', 200, 300, 3), record('b1', 100, 150, 2)];

  it('adds up what was billed by build, node and model, and what the cache saved', () => {
    expect(ledgerOf(records, { bought: 1, cost: 0.5, unknown: 0 })).toEqual({
      builds: [
        { id: 'b2', tags: [], bought: 2, cost: 3, unknown: 0, saved: 1, discount: 0 },
        { id: 'b1', tags: [], bought: 2, cost: 2, unknown: 0, saved: 1, discount: 0 },
      ],
      nodes: [{ node: 'a', bought: 4, cost: 5, unknown: 0 }],
      models: [{ identity: 'sim', model: 'parrot', bought: 4, cost: 5, unknown: 0 }],
      unrecorded: { bought: 1, cost: 0.5, unknown: 0 },
      billed: 5.5,
      unknown: 0,
      saved: 2,
      discount: 0,
      reproduce: 5,
    });
    expect(ledgerOf([], { bought: 0, cost: 0, unknown: 0 })).toMatchObject({ billed: 0, reproduce: null });
  });

  it('adds up what may have been billed by build, node and model, and what no build tells of', () => {
    const doubtful = (id: string, unknown: number): BuildRecord => {
      const { nodes, totals, ...rest } = record(id, 1, 2, 0);
      const models = [{ identity: 'sim', model: 'parrot', bought: 0, cost: 0, unknown }];
      const cost = { ...totals.cost, unknown, discount: unknown / 2 };
      return {
        ...rest,
        totals: { ...totals, cost },
        nodes: { a: { ...nodes.a!, bought: 0, cost: 0, unknown, models } },
      };
    };
    expect(ledgerOf([doubtful('b2', 4), doubtful('b1', 2)], { bought: 0, cost: 0, unknown: 1 })).toMatchObject({
      builds: [
        { id: 'b2', unknown: 4, discount: 2 },
        { id: 'b1', unknown: 2, discount: 1 },
      ],
      nodes: [{ node: 'a', unknown: 6 }],
      models: [{ model: 'parrot', unknown: 6 }],
      unknown: 7,
      discount: 3,
    });
  });

  it('names a node that paid for replies it never had, and one that had its replies for nothing', () => {
    const [{ nodes, ...rest }] = [record('b1', 100, 150, 3)];
    const lost = { ...nodes.a!, bought: 0, models: [{ identity: 'sim', model: 'parrot', bought: 0, cost: 3 }] };
    const free = { ...nodes.a!, bought: 2, cost: 0, models: [{ identity: 'sim', model: 'free', bought: 2, cost: 0 }] };
    expect(ledgerOf([{ ...rest, nodes: { lost, free } }], { bought: 0, cost: 0, unknown: 0 })).toMatchObject({
      nodes: [
        { node: 'lost', bought: 0, cost: 3 },
        { node: 'free', bought: 2, cost: 0 },
      ],
      models: [
        { model: 'parrot', bought: 0, cost: 3 },
        { model: 'free', bought: 2, cost: 0 },
      ],
    });
  });

  it('finds kept replies that no recorded build bought', () => {
    const calls = [
      call(99, 1),
      call(100, 1),
      call(150, 1),
      call(175, 0.25),
      call(300, 1),
      call(301, null),
      { key: 'k', value: undefined },
    ];
    expect(unrecordedPurchases(records, { ...NONE, replies: calls }).bill).toEqual({
      bought: 3,
      cost: 1.25,
      unknown: 0,
    });
    // What a reply may have cost, where nobody knows it, is unknown here as well.
    const doubted = { key: 'k', value: { ...call(300.5, null).value, reserved: 3 } };
    expect(unrecordedPurchases(records, { ...NONE, replies: [doubted] }).bill).toEqual({
      bought: 1,
      cost: 0,
      unknown: 3,
    });
    expect(unrecordedPurchases([], { ...NONE, replies: [call(5, 2)] }).bill).toEqual({
      bought: 1,
      cost: 2,
      unknown: 0,
    });
  });

  it('finds what was paid for replies that are no answers, for superseded ones, and what was left behind', () => {
    const failure = { class: 'permanent', reason: 'empty_response', message: 'no' } as const;
    const failed = (failedAt: number) => ({
      key: 'k',
      value: { request: '', failure, failedAt, node: 'a', cost: 0.5 },
    });
    const earlier = call(99, 4).value;
    const superseded = [
      { key: 'k/0', value: { type: 'reply' as const, ...earlier } },
      { key: 'k/1', value: { type: 'failure' as const, ...failed(98).value } },
    ];
    const intent = { call: earlier.request as never, identity: 'lab', model: 'm', node: 'a', dollars: 8, at: 1 };
    const found = { ...NONE, failures: [failed(99), failed(120)], superseded, unresolved: [{ id: 'x', intent }] };
    expect(unrecordedPurchases(records, found).bill).toEqual({ bought: 1, cost: 5, unknown: 8 });
  });
});

describe('tags', () => {
  it('are on one build, move when given again, and name the newest where nothing was built', async () => {
    const { builds, contents } = memoryStore();
    contents.builds.push(record('b2', 200, 300, 3), record('b1', 100, 150, 2));
    // As the real log does: a record with the id of another takes its place.
    const log = {
      ...builds,
      put: async (changed: BuildRecord) => {
        contents.builds[contents.builds.findIndex(({ id }) => id === changed.id)] = changed;
      },
    };
    await tagBuild(log, 'v1', 'b1');
    expect(contents.builds.map(({ tags }) => tags)).toEqual([undefined, ['v1']]);
    await tagBuild(log, 'v1', null);
    await tagBuild(log, 'best', null);
    expect(contents.builds.map(({ tags }) => tags)).toEqual([['v1', 'best'], []]);
  });

  it('cannot be taken for something else', () => {
    for (const tag of ['last', 'last~1', '2026', '', 'a b', '-x'])
      expect(() => checkTag(tag)).toThrow('cannot be the name');
    for (const tag of ['v1', 'before-edit', 'A.b_c']) checkTag(tag);
  });
});
