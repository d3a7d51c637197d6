/** What a build does with answers of a till: chunks, the reason why nothing more is bought, and what a lost answer costs. */

import { describe, expect, it } from 'vitest';
import { type CallAnswer, CHUNK, type Chunk } from '../../src/cluster/chunk.ts';
import { TillReplies } from '../../src/cluster/till-replies.ts';
import type { KeyedCall, StoppedCall } from '../../src/core/call.ts';
import { digestText } from '../../src/core/digest.ts';
import type { BuildEvent } from '../../src/core/events.ts';
import type { BudgetLimits } from '../../src/replies/budget.ts';
import { newMeter } from '../../src/replies/source.ts';
import { memoryStore } from '../helpers/memory-store.ts';

const call = (name: string) => ({ key: digestText(name), text: name }) as KeyedCall;
const BILL = { identity: 'lab', model: 'm', bought: 1, cost: 0.5 };
const METER = { bought: 1, failed: 0, cost: 0.5, unknown: 0, doubted: 0, models: [BILL] };
const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };
const reply: CallAnswer = {
  answer: {
    type: 'reply',
    stored: { raw: '{}', usage, model: 'm', identity: 'lab', cost: 0.5, boughtAt: 1, node: 'answers' },
  },
  meter: METER,
};
const stopped = (reason: StoppedCall['reason'], message: string): CallAnswer => ({
  answer: { type: 'unavailable', failure: { class: 'stopped', reason, message } },
  meter: { bought: 0, failed: 0, cost: 0, unknown: 0, doubted: 0, models: [] },
});

/** A till that answers a call by its text. */
function till(
  answer: (text: string) => CallAnswer,
  put?: () => Promise<void>,
  progress: readonly unknown[] = [],
  limits: Partial<BudgetLimits> = {},
) {
  const chunks: Chunk[] = [];
  const stops: StoppedCall[] = [];
  const { calls } = memoryStore();
  const heard: BuildEvent[] = [];
  let tell: (progress: { jobId: string; data: unknown }) => void = () => {};
  const events = {
    on: (_: string, listener: typeof tell) => {
      tell = listener;
    },
  };
  const queue = {
    add: async (_: string, chunk: Chunk) => {
      chunks.push(chunk);
      return {
        id: String(chunks.length),
        waitUntilFinished: async () => {
          const id = String(chunks.length);
          for (const data of progress) tell({ jobId: id, data });
          return chunk.calls.map(({ text }) => answer(text));
        },
        remove: async () => {},
      };
    },
  };
  const replies = new TillReplies(
    {
      redis: undefined as never,
      account: 'lab',
      build: 'b',
      limits: { maxCost: 3, unapprovedCost: 2, maxCalls: 9, ...limits },
      calls: put === undefined ? calls : { ...calls, put },
      emit: (event) => heard.push(event),
      onStop: (reason) => stops.push(reason),
      interrupt: new AbortController().signal,
      kill: new AbortController().signal,
    },
    () => ({ queue, events, close: async () => {} }) as never,
  );
  return { replies, chunks, stops, calls, heard };
}

describe('calls to a till', () => {
  it('travel sixteen at a time, with the limits of the build', async () => {
    const { replies, chunks } = till(() => reply);
    const meter = newMeter();
    const names = Array.from({ length: 2 * CHUNK + 1 }, (_, index) => `call ${index}`);
    const fetched = await Promise.all(names.map((name) => replies.get(call(name), { node: 'answers', meter })));
    expect(chunks.map(({ calls }) => calls.length)).toEqual([CHUNK, CHUNK, 1]);
    expect(chunks[0]!.limits).toEqual({ build: 'b', maxCost: 2, maxCalls: 9 });
    expect(chunks.flatMap(({ calls }) => calls.map(({ text }) => text))).toEqual(names);
    expect(fetched.every(({ type }) => type === 'reply')).toBe(true);
    expect([meter.bought, meter.cost]).toEqual([33, 16.5]);
  });

  it.each<[object, number | undefined]>([
    [{ maxCost: 1 }, 1],
    [{ unapprovedCost: undefined }, 3],
    [{ maxCost: undefined }, 2],
    [{ maxCost: undefined, unapprovedCost: undefined }, undefined],
  ])('are held to the lower of what may be spent and what was asked about: %j', async (limits, maxCost) => {
    const { replies, chunks } = till(() => reply, undefined, [], limits);
    await replies.get(call('a'), { node: 'answers', meter: newMeter() });
    expect(chunks[0]!.limits).toEqual({ build: 'b', maxCost, maxCalls: 9 });
  });

  it('are kept with what was asked, and tell of tries that failed by the node that asked', async () => {
    const failure = { class: 'transient', reason: 'overloaded', message: 'busy' };
    const failed = { type: 'call-retry', call: 0, failure, waitMilliseconds: 50 };
    const { replies, calls, heard } = till(() => reply, undefined, [failed, { ...failed, call: 1 }, 'no notice']);
    await replies.get(call('a'), { node: 'answers', meter: newMeter() });
    expect(calls.get(call('a').key)).toMatchObject({ request: 'a', raw: '{}', cost: 0.5 });
    expect(heard).toEqual([{ type: 'call-retry', node: 'answers', failure, waitMilliseconds: 50 }]);

    const refused = { class: 'permanent', reason: 'refused', message: 'no' } as const;
    const stored = { failure: refused, failedAt: 1, node: 'answers' };
    const other = till(() => ({ answer: { type: 'failure', stored }, meter: METER }));
    expect(await other.replies.get(call('a'), { node: 'answers', meter: newMeter() })).toEqual({
      type: 'failure',
      failure: refused,
    });
    expect(other.calls.failure(call('a').key)).toEqual({ request: 'a', ...stored });
  });

  it('end for the first reason that nothing more is bought; a reason of one call ends no others', async () => {
    const { replies, stops } = till((text) => stopped(text === 'own' ? 'elsewhere' : 'budget', text));
    const ask = async (name: string) => {
      const fetched = await replies.get(call(name), { node: 'answers', meter: newMeter() });
      return fetched.type === 'unavailable' ? fetched.failure.message : fetched.type;
    };
    expect(await ask('own')).toBe('own');
    expect(stops).toEqual([]);
    expect([await ask('first'), await ask('second'), await ask('own')]).toEqual(['first', 'first', 'own']);
    expect(new Set(stops.map(({ message }) => message))).toEqual(new Set(['first']));
  });

  it('whose answer cannot be kept are paid for all the same, and bought nothing', async () => {
    const { replies } = till(
      () => reply,
      async () => {
        throw new Error('the disk is full');
      },
    );
    const meter = newMeter();
    await expect(replies.get(call('a'), { node: 'answers', meter })).rejects.toThrow('the disk is full');
    expect(meter).toMatchObject({ bought: 0, cost: 0.5, models: [{ bought: 0, cost: 0.5 }] });
  });
});
