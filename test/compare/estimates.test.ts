/** The estimates of two builds, and their difference paired by prompt, in numbers for paper. */

import { describe, expect, it } from 'vitest';
import { compareEstimates, compareRankings, reportOf } from '../../src/compare/estimates.ts';
import { PastBuild } from '../../src/compare/past-build.ts';
import type { Action, OutputRef } from '../../src/core/storage.ts';
import { FRESH, QUALITY } from '../../src/datasets/dataset-rows.ts';
import { USUAL_GATES } from '../../src/datasets/gates-file.ts';
import { outputsDigest } from '../../src/engine/keys.ts';
import { ablationSchema } from '../../src/kinds/files/ablation.ts';
import { buildRecord } from '../helpers/build-record.ts';
import { kindsWith } from '../helpers/kinds.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { fakeData } from '../report/fake-data.ts';

const PROMPTS = 36;
const KINDS = kindsWith();

interface Given {
  /** What the judge says of the policy on a prompt. */
  readonly score: (prompt: number) => number;
  readonly scale?: readonly [number, number];
  /** Whose answers the dataset holds; the estimates are of `a` in any case. */
  readonly drawn?: string;
  /** Estimates that the build wrote, by ablation. */
  readonly told: Readonly<Record<string, number>>;
}

/** A build of one dataset without a log, and of the judge's own word under several names. */
async function buildOf(id: string, { score, scale, told, drawn = 'a' }: Given) {
  const store = memoryStore();
  const put = async (kind: string, files: Readonly<Record<string, string>>, parts: object) => {
    const outputs: Record<string, OutputRef> = {};
    for (const [file, text] of Object.entries(files)) outputs[file] = await store.blobs.put(text);
    const key = `${id}/${kind}/${JSON.stringify(parts)}` as Action['key'];
    const whole = { kind, code: '1', params: {}, inputs: {}, sources: {}, ...parts };
    const summary = { items: 1, statuses: {}, calls: [] };
    await store.actions.put({ key, kind, outputs, summary, parts: whole, finishedAt: 0 });
    return { key, outcome: 'run', outputs, bought: 0, cost: 0 } as const;
  };
  const rows = (list: readonly object[]) => list.map((row) => `${JSON.stringify(row)}\n`).join('');
  const fresh = Array.from({ length: PROMPTS }, (_, i) => ({
    policy: drawn,
    prompt_id: `q${i}`,
    draw_index: 0,
    judge_score: score(i),
    judge_variance: 0,
    oracle_label: null,
    response_words: 5,
  }));
  const quality = { scorer: 'judge', logger: null, targets: [drawn], ...(scale === undefined ? {} : { scale }) };
  const files = { 'rows.jsonl': '', [FRESH]: rows(fresh), [QUALITY]: JSON.stringify(quality) };
  const dataset = await put('dataset', files, {});
  const inputs = { dataset: { '': outputsDigest(dataset.outputs) } };
  const nodes: Record<string, typeof dataset> = { dataset };
  for (const [name, estimate] of Object.entries(told)) {
    const row = { scorer: 'judge', ablation: name, policy: 'a', status: 'ok', estimate };
    const cell = { ...row, standardError: 0.1, lower: estimate - 0.2, upper: estimate + 0.2 };
    const params = {
      name,
      scorer: 'judge',
      ablation: ablationSchema.parse({ estimator: 'naive' }),
      gates: USUAL_GATES,
    };
    nodes[`estimates/${name}`] = await put('estimate', { 'rows.jsonl': rows([cell]) }, { params, inputs });
  }
  return new PastBuild(buildRecord(id, { nodes }), { kinds: KINDS, store });
}

describe('the difference of two builds’ estimates', () => {
  const spread = (i: number) => (i % 9) / 16;
  const before: Given = { score: spread, scale: [1, 5], told: { led: 2, other: 2, same: 3 } };
  // Every second prompt gains a quarter.
  const after: Given = {
    score: (i) => spread(i) + (i % 2 === 0 ? 0.25 : 0),
    scale: [1, 5],
    told: { led: 2.5, other: 2.5, same: 3 },
  };
  const compared = async (a: Given, b: Given, all: boolean) =>
    compareEstimates(await buildOf('a', a), await buildOf('b', b), 'led', all);

  it('is after minus before, paired by prompt, on the labels’ scale', async () => {
    const { changes, unchanged } = await compared(before, after, false);
    expect(unchanged).toBe(1);
    expect(changes.map(({ ablation, leading }) => [ablation, leading])).toEqual([
      ['led', true],
      ['other', false],
    ]);
    // A mean of ⅛ and a variance of 1/64 · 36/35 on [0, 1], four times as far apart on [1, 5]; Student's with 35 degrees.
    const standardError = 4 * Math.sqrt(1 / 64 / 35);
    const [led, other] = changes.map(({ paired }) => paired);
    expect(led?.difference).toBeCloseTo(0.5, 12);
    expect(led?.standardError).toBeCloseTo(standardError, 12);
    expect(led?.lower).toBeCloseTo(0.5 - 2.030108 * standardError, 6);
    expect(led?.upper).toBeCloseTo(0.5 + 2.030108 * standardError, 6);
    expect(other).toBeNull();
  });

  it('is paired for all ablations where that is asked for', async () => {
    const { changes } = await compared(before, after, true);
    expect(changes.map(({ paired }) => paired?.difference.toFixed(6))).toEqual(['0.500000', '0.500000']);
  });

  it('has none where either build no longer has what the estimate was made of', async () => {
    const pairs = async (a: Given, b: Given) => (await compared(a, b, true)).changes.map(({ paired }) => paired);
    expect(await pairs({ ...before, drawn: 'b' }, after)).toEqual([null, null]);
    expect(await pairs(before, { ...after, drawn: 'b' })).toEqual([null, null]);
  });

  it('has none of two units', async () => {
    const other = await compared(before, { ...after, scale: [0, 5] }, true);
    expect(other.changes.map(({ type, paired }) => [type, paired])).toEqual(Array(3).fill(['other-units', null]));
    // Where the estimates of one build name no scale and the other's is [0, 1], they are of one.
    const { scale: _, ...plain } = before;
    expect((await compared(plain, { ...after, scale: [0, 1] }, true)).changes.map(({ paired }) => paired)).toEqual([
      null,
      null,
    ]);
  });
});

it('a ranking has changed wherever two policies change places', () => {
  const data = fakeData();
  const [before] = compareRankings(data, data);
  const { scorer, ablation, after } = before!;
  expect(after.length).toBeGreaterThan(2);
  // The last two of the ranking change their estimates.
  const [x, y] = after.slice(-2);
  const rowOf = (policy: string | undefined) =>
    data.estimates.find((row) => row.scorer === scorer && row.ablation === ablation && row.policy === policy)!;
  const swapped = {
    ...data,
    estimates: data.estimates.map((row) => {
      if (row.scorer !== scorer || row.ablation !== ablation || row.status !== 'ok') return row;
      const from = row.policy === x ? rowOf(y) : row.policy === y ? rowOf(x) : row;
      return from.status === 'ok' ? { ...row, estimate: from.estimate } : row;
    }),
  };
  const [change] = compareRankings(data, swapped);
  expect(change).toMatchObject({ changed: true, before: after, after: [...after.slice(0, -2), y, x] });
});

it('a build whose report holds no data has nothing to compare', async () => {
  const store = memoryStore();
  const key = 'report' as Action['key'];
  const outputs = { 'report.md': await store.blobs.put('# a report\n') };
  const parts = { kind: 'report', code: '1', params: {}, inputs: {}, sources: {} };
  await store.actions.put({
    key,
    kind: 'report',
    outputs,
    summary: { items: 1, statuses: {}, calls: [] },
    parts,
    finishedAt: 0,
  });
  const node = { key, outcome: 'run', outputs, bought: 0, cost: 0 } as const;
  const of = (nodes: Parameters<typeof buildRecord>[1]) =>
    new PastBuild(buildRecord('x', nodes), { kinds: KINDS, store });
  expect(reportOf(of({ nodes: { ablations: node } }))).toBeUndefined();
  expect(reportOf(of({}))).toBeUndefined();
});
