/** What was edited between two builds of a few nodes, and which model answered in either. */

import { describe, expect, it } from 'vitest';
import { editsBetween } from '../../src/compare/edits.ts';
import { openPast } from '../../src/compare/past-build.ts';
import { compareServed } from '../../src/compare/served.ts';
import { SUMMARY } from '../../src/core/kind.ts';
import type { Action, OutputRef } from '../../src/core/storage.ts';
import { buildRecord } from '../helpers/build-record.ts';
import { kindsWith } from '../helpers/kinds.ts';
import { memoryStore } from '../helpers/memory-store.ts';

const KINDS = kindsWith();

interface Given {
  readonly rows: string;
  readonly params?: object;
  readonly served?: readonly object[];
  readonly kind?: string;
}

async function buildOf(given: Readonly<Record<string, Given>>) {
  const store = memoryStore();
  const nodes: Record<string, object> = {};
  for (const [name, { rows, params = {}, served, kind = 'scores' }] of Object.entries(given)) {
    const tally = { identity: 'here', model: 'mini', calls: 4, inputTokens: 4, cachedInputTokens: 0, outputTokens: 4 };
    const summary = { items: 4, statuses: { ok: 4 }, calls: [served === undefined ? tally : { ...tally, served }] };
    const outputs: Record<string, OutputRef> = {
      'rows.jsonl': await store.blobs.put(rows),
      [SUMMARY]: await store.blobs.put(JSON.stringify(summary)),
    };
    const key = `${name}/${JSON.stringify(params)}` as Action['key'];
    const parts = { kind, code: '1', params, inputs: {}, sources: {} };
    await store.actions.put({ key, kind, outputs, summary, parts, finishedAt: 0 } as Action);
    nodes[name] = { key, outcome: 'run', outputs, bought: 0, cost: 0 };
  }
  return openPast(buildRecord('the-build', { nodes } as object), { kinds: KINDS, store });
}

it('nodes of both builds are counted by their bytes, and alike edits stand together', async () => {
  const a = await buildOf({
    gone: { rows: '1' },
    kept: { rows: '2' },
    kept2: { rows: '3' },
    x: { rows: '4', params: { scale: 1 } },
    y: { rows: '5', params: { scale: 1 } },
    z: { rows: '6' },
  });
  const b = await buildOf({
    kept: { rows: '2' },
    kept2: { rows: '3' },
    x: { rows: '4', params: { scale: 2 } },
    y: { rows: '55', params: { scale: 2 } },
    z: { rows: '6' },
    more: { rows: '7' },
  });
  const { edits, ...rest } = editsBetween(a, b);
  expect(rest).toEqual({ added: ['more'], removed: ['gone'], same: 4, different: 1 });
  expect(edits.map(({ nodes, kind }) => ({ nodes, kind }))).toEqual([{ nodes: ['x', 'y'], kind: 'scores' }]);
});

describe('who answered', () => {
  const other = [{ name: 'mini-q4', replies: 3 }];
  const said = '3 of 4 replies say mini-q4, asked mini';

  it('is told of nodes whose replies came under other names than before, and of no other', async () => {
    const a = await buildOf({
      alike: { rows: '1', served: other },
      asAsked: { rows: '2' },
      better: { rows: '3', served: other },
      worse: { rows: '4' },
    });
    const b = await buildOf({
      alike: { rows: '1', served: other },
      asAsked: { rows: '2' },
      better: { rows: '3' },
      worse: { rows: '4', served: other },
      added: { rows: '5', served: other },
    });
    expect(compareServed(a, b)).toEqual([
      { node: 'better', before: said, after: '' },
      { node: 'worse', before: '', after: said },
    ]);
  });
});

it('a build of which no node can be read is refused', async () => {
  await expect(buildOf({})).rejects.toMatchObject({ problems: [{ id: 'CJE-OUTPUTS-GONE' }] });
});
