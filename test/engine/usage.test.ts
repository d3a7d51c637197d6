import { describe, expect, it } from 'vitest';
import { type Digest, digestText } from '../../src/core/digest.ts';
import type { Action, BuildRecord } from '../../src/core/storage.ts';
import type { CallTally } from '../../src/core/summary.ts';
import { History } from '../../src/engine/history.ts';
import { RecordedUsage } from '../../src/engine/plan/usage.ts';
import { memoryStore } from '../helpers/memory-store.ts';

/** A build that left these nodes. */
function recordOf(nodes: Readonly<Record<string, Digest>>, id: string): BuildRecord {
  const built = Object.entries(nodes).map(
    ([node, key]) => [node, { key, outcome: 'run' as const, outputs: {}, bought: 0, cost: 0 }] as const,
  );
  return {
    id,
    startedAt: 0,
    finishedAt: 0,
    experiment: 'x',
    profile: 'p',
    targets: [],
    exit: 0,
    totals: {
      nodes: { run: 0, cached: 0, failed: 0, refused: 0, skipped: 0 },
      calls: { bought: 0, cached: 0, failed: 0 },
      cost: { billed: 0, saved: 0, reproduce: 0 },
    },
    nodes: Object.fromEntries(built),
  };
}

interface Past {
  readonly kind?: string;
  readonly tallies?: readonly CallTally[];
  /** Replies as input tokens, output tokens and bytes of the request. */
  readonly replies?: readonly (readonly [input: number, output: number, bytes: number, model?: string])[];
}

/** A store in which one build left these nodes. */
async function usageOf(nodes: Readonly<Record<string, Past>>) {
  const store = memoryStore();
  const built: Record<string, Digest> = {};
  for (const [node, { kind = 'answers', tallies = [], replies }] of Object.entries(nodes)) {
    const key = digestText(node);
    built[node] = key;
    const keys = (replies ?? []).map(([inputTokens, outputTokens, bytes, model = 'm'], index) => {
      const call = digestText(`${node} ${index}`);
      store.contents.calls.set(call, {
        request: 'x'.repeat(bytes),
        raw: '{}',
        usage: { inputTokens, cachedInputTokens: 0, outputTokens },
        model,
        identity: 'lab',
        cost: null,
        boughtAt: 0,
        node,
      });
      return call;
    });
    const calls = replies && (await store.blobs.put(keys.map((each) => `${each}\n`).join('')));
    const summary = { items: 1, statuses: {}, calls: tallies };
    const action: Action = { key, kind, outputs: {}, summary, parts: {}, finishedAt: 0, ...(calls && { calls }) };
    store.contents.actions.set(key, action);
  }
  store.contents.builds.push(recordOf(built, 'only'));
  return new RecordedUsage(new History(store, 'p'), store);
}

const tally = (calls: number, inputTokens: number, outputTokens: number, model = 'm'): CallTally => ({
  identity: 'lab',
  model,
  calls,
  inputTokens,
  cachedInputTokens: 0,
  outputTokens,
});

describe('the like of a call', () => {
  it('is the mean over the replies of its own node, with the tenth and ninetieth percentile of the answers', async () => {
    const outputs = [50, 10, 30, 20, 40, 60, 70, 80, 100, 90, 110];
    const usage = await usageOf({
      n: { replies: [...outputs.map((output) => [6, output, 24] as const), [999, 999, 999, 'other'] as const] },
    });
    // Eleven answers from 10 to 110: the second smallest and the second largest.
    expect(usage.typical('n', 'answers', { identity: 'lab', model: 'm' })).toEqual({
      replies: 11,
      inputTokens: 6,
      inputTokensPerByte: 0.25,
      outputTokens: 60,
      outputLow: 20,
      outputHigh: 100,
    });
  });

  it('of one reply is that reply', async () => {
    const usage = await usageOf({ n: { replies: [[8, 3, 16]] } });
    const own = { replies: 1, inputTokens: 8, inputTokensPerByte: 0.5, outputTokens: 3, outputLow: 3, outputHigh: 3 };
    expect(usage.typical('n', 'answers', { identity: 'lab', model: 'm' })).toEqual(own);
  });

  it('says nothing by replies whose tokens nobody counted', async () => {
    const own = await usageOf({
      n: {
        replies: [
          [8, 3, 16],
          [0, 0, 16],
        ],
      },
    });
    expect(own.typical('n', 'answers', { identity: 'lab', model: 'm' })).toMatchObject({ replies: 1, inputTokens: 8 });
    // Of ten calls four are not counted, and of the three of another node none is.
    const tallies = [
      { ...tally(10, 120, 30), uncounted: 4 },
      { ...tally(3, 0, 0), uncounted: 3 },
    ];
    const others = await usageOf({ a: { tallies: tallies.slice(0, 1) }, b: { tallies: tallies.slice(1) } });
    expect(others.typical('new', 'answers', { identity: 'lab', model: 'm' })).toMatchObject({
      replies: 6,
      inputTokens: 20,
      outputTokens: 5,
      outputLow: 5,
      outputHigh: 5,
    });
  });

  it('is read from a hundred replies at most', async () => {
    const replies = Array.from({ length: 130 }, (_, index) => [1, index < 100 ? 5 : 99, 4] as const);
    const usage = await usageOf({ n: { replies } });
    expect(usage.typical('n', 'answers', { identity: 'lab', model: 'm' })).toMatchObject({
      replies: 100,
      outputTokens: 5,
      outputHigh: 5,
    });
  });

  it('is the mean over nodes of its kind where its own node has none; the range is that of their means', async () => {
    const usage = await usageOf({
      a: { tallies: [tally(10, 100, 30), tally(5, 5, 5, 'other')] },
      b: { tallies: [tally(30, 700, 10)] },
      c: { kind: 'others', tallies: [tally(1, 1, 1000)] },
    });
    // 800 tokens of 40 calls; answers of 3 and of a third of a token.
    expect(usage.typical('new', 'answers', { identity: 'lab', model: 'm' })).toEqual({
      replies: 40,
      inputTokens: 20,
      inputTokensPerByte: null,
      outputTokens: 1,
      outputLow: 10 / 30,
      outputHigh: 3,
    });
    expect(usage.typical('new', 'answers', { identity: 'elsewhere', model: 'm' })).toBeUndefined();
    expect(usage.typical('new', 'unheard-of', { identity: 'lab', model: 'm' })).toBeUndefined();
  });

  it('counts a result that several builds share once', async () => {
    const store = memoryStore();
    const key = digestText('a');
    const summary = { items: 1, statuses: {}, calls: [tally(10, 100, 30)] };
    store.contents.actions.set(key, { key, kind: 'answers', outputs: {}, summary, parts: {}, finishedAt: 0 });
    store.contents.builds.push(recordOf({ a: key }, 'later'), recordOf({ a: key }, 'earlier'));
    const usage = new RecordedUsage(new History(store, 'p'), store);
    expect(usage.typical('new', 'answers', { identity: 'lab', model: 'm' })).toMatchObject({
      replies: 10,
      inputTokens: 10,
    });
  });
});
