/** What one build measured beside what another did, row by row. */

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PastBuild } from '../../src/compare/past-build.ts';
import { compareMeasured } from '../../src/compare/scores.ts';
import type { Kind } from '../../src/core/kind.ts';
import type { Action, OutputRef } from '../../src/core/storage.ts';
import { RESPONSES } from '../../src/datasets/row-types.ts';
import { promptItem } from '../../src/datasets/rows.ts';
import { outputsDigest } from '../../src/engine/keys.ts';
import { buildRecord } from '../helpers/build-record.ts';
import { memoryStore } from '../helpers/memory-store.ts';

const SHAPE = {
  shape: 'transform',
  version: 1,
  params: z.strictObject({}),
  run: () => ({ files: {} }),
  expect: () => ({ items: 0, calls: [] }),
} as const;
const KINDS = new Map(
  [
    { ...SHAPE, name: 'responses', inputs: {}, outputs: { 'rows.jsonl': RESPONSES } },
    {
      ...SHAPE,
      name: 'lengths',
      inputs: { responses: { arity: 'one', rows: [RESPONSES] } },
      outputs: { 'rows.jsonl': 'json' },
      measures: [{ column: 'length', label: 'length', compared: true }],
      item: promptItem,
    },
  ].map((kind) => [kind.name, { kind: kind as never as Kind, code: '1' }] as const),
);

/** A build of responses and their lengths; null is a row without a number. */
async function buildOf(
  id: string,
  said: Record<string, string>,
  lengths: Record<string, number | null>,
  recorded: readonly ('responses' | 'lengths')[] = ['responses', 'lengths'],
) {
  const store = memoryStore();
  const put = async (kind: string, rows: readonly object[], inputs: Record<string, Record<string, never>>) => {
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const outputs: Record<string, OutputRef> = { 'rows.jsonl': await store.blobs.put(text) };
    const key = `${kind}/${text}` as Action['key'];
    const summary = { items: rows.length, statuses: {}, calls: [] };
    const made = { kind, code: '1', params: {}, inputs, sources: {} };
    await store.actions.put({ key, kind, outputs, summary, parts: made, finishedAt: 0 });
    return { key, outcome: 'run', outputs, bought: 0, cost: 0 } as const;
  };
  // `a#1` is the second answer to a.
  const parts = (name: string) => {
    const [prompt_id, draw] = name.split('#');
    return { prompt_id, ...(draw === undefined ? {} : { draw_index: Number(draw) }) };
  };
  const named = Object.entries(said).map(([name, response]) => ({ ...parts(name), response, status: 'ok' }));
  const responses = await put('responses', named, {});
  const measured = Object.entries(lengths).map(([name, length]) => ({ ...parts(name), length }));
  const inputs = { responses: { '': outputsDigest(responses.outputs) as never } };
  const all = { responses, lengths: await put('lengths', measured, inputs) };
  const nodes = Object.fromEntries(recorded.map((name) => [name, all[name]]));
  return new PastBuild(buildRecord(id, { nodes }), { kinds: KINDS, store });
}

describe('a measure of two builds', () => {
  const said = { a: 'yes', b: 'no', c: 'maybe' };

  it('is compared where both have it of the same response, and the rest is counted', async () => {
    const before = await buildOf('one', said, { a: 3, b: 2, c: null, d: 7, e: 1 });
    // b answers otherwise; c has a number now; d has none; e is gone; f is new, without one.
    const after = await buildOf('two', { ...said, b: 'nope' }, { a: 5, b: 4, c: 5, d: null, f: null });
    const [lengths, ...more] = compareMeasured(before, after);
    expect(more).toEqual([]);
    expect(lengths).toMatchObject({ rows: 'lengths', label: 'length', unchanged: 0 });
    expect(lengths!.changes).toMatchObject([
      { node: 'lengths', leftOut: 4, agreement: { n: 1, meanBefore: 3, meanAfter: 5, shift: 2, unchanged: 0 } },
    ]);
  });

  it('is told apart by answer, where a prompt has several', async () => {
    const twice = { a: 'yes', 'a#1': 'no', b: 'maybe', 'b#1': 'never' };
    const before = await buildOf('one', twice, { a: 3, 'a#1': 2, b: 5, 'b#1': 5 });
    // One answer of b is another one.
    const after = await buildOf('two', { ...twice, b: 'perhaps' }, { a: 4, 'a#1': 4, b: 7, 'b#1': 8 });
    expect(compareMeasured(before, after)[0]!.changes).toMatchObject([
      { leftOut: 1, agreement: { n: 3, meanBefore: 10 / 3, meanAfter: 16 / 3 } },
    ]);
  });

  it('is left out where nothing tells what was answered', async () => {
    const before = await buildOf('one', said, { a: 3 }, ['lengths']);
    const after = await buildOf('two', { ...said, b: 'nope' }, { a: 5 });
    expect(compareMeasured(before, after)[0]!.changes).toMatchObject([{ leftOut: 1, agreement: { n: 0 } }]);
  });

  it('is unchanged where its rows are the same bytes', async () => {
    const builds = await Promise.all(['one', 'two'].map((id) => buildOf(id, said, { a: 3 })));
    expect(compareMeasured(builds[0]!, builds[1]!)).toMatchObject([{ unchanged: 1, changes: [] }]);
  });
});
