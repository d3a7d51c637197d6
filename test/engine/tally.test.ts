import { describe, expect, it } from 'vitest';
import { keyCall } from '../../src/engine/keys.ts';
import { Tally } from '../../src/engine/tally.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { toyRequest } from '../helpers/toy.ts';

const call = (word: string) => keyCall(toyRequest(word, 'a'));
const reply = (inputTokens: number, cachedInputTokens: number, outputTokens: number, model = 'm', identity = 'a') => ({
  type: 'reply' as const,
  stored: {
    request: '',
    raw: '{}',
    usage: { inputTokens, cachedInputTokens, outputTokens },
    model,
    identity,
    cost: null,
    boughtAt: 0,
    node: 'n',
  },
});
const failure = { type: 'failure' as const, failure: { class: 'permanent', reason: 'refused', message: '' } as const };

describe('a tally', () => {
  it('sums the tokens of distinct calls by provider and model, in the order of their names', () => {
    const tally = new Tally();
    tally.call(call('one'), reply(1, 2, 4, 'n'));
    tally.call(call('two'), reply(10, 20, 40));
    tally.call(call('three'), reply(100, 200, 400));
    tally.call(call('two'), reply(10, 20, 40));
    tally.call(call('four'), reply(3, 5, 7, 'm', 'b'));
    expect(tally.summary().calls).toEqual([
      { identity: 'a', model: 'm', calls: 2, inputTokens: 110, cachedInputTokens: 220, outputTokens: 440 },
      { identity: 'a', model: 'n', calls: 1, inputTokens: 1, cachedInputTokens: 2, outputTokens: 4 },
      { identity: 'b', model: 'm', calls: 1, inputTokens: 3, cachedInputTokens: 5, outputTokens: 7 },
    ]);
    expect(tally.calls).toBe(4);
  });

  it('sums apart what came in batches, by provider and model', () => {
    const tally = new Tally();
    const batched = (...of: Parameters<typeof reply>) => {
      const { type, stored } = reply(...of);
      return { type, stored: { ...stored, batch: 'b1' } };
    };
    tally.call(call('one'), reply(1, 1, 1));
    tally.call(call('two'), batched(10, 20, 40));
    tally.call(call('three'), batched(100, 200, 400));
    tally.call(call('two'), batched(10, 20, 40));
    tally.call(call('four'), batched(3, 5, 7, 'n'));
    tally.call(call('five'), batched(2, 4, 8, 'm', 'b'));
    expect(tally.batched).toEqual([
      { identity: 'a', model: 'm', usage: { inputTokens: 110, cachedInputTokens: 220, outputTokens: 440 } },
      { identity: 'a', model: 'n', usage: { inputTokens: 3, cachedInputTokens: 5, outputTokens: 7 } },
      { identity: 'b', model: 'm', usage: { inputTokens: 2, cachedInputTokens: 4, outputTokens: 8 } },
    ]);
  });

  it('counts no failure as a call, and names it last', () => {
    const tally = new Tally();
    tally.call(call('lost'), failure);
    tally.call(call('one'), reply(1, 0, 0));
    expect(tally.calls).toBe(1);
    expect([...tally.keys()]).toEqual([call('one').key, call('lost').key]);
    expect(tally.summary().calls).toHaveLength(1);
  });

  it('counts who answered only where some reply names another model than the one that was asked', () => {
    const counted = (...names: (string | null)[]) => {
      const tally = new Tally(protocolAt);
      for (const [index, name] of names.entries()) {
        tally.call(call(`w${index}`), reply(1, 0, 1), name === null ? {} : { model: name });
      }
      return tally.summary().calls[0];
    };
    expect(counted('m', 'm', null)).toEqual({
      identity: 'a',
      model: 'm',
      calls: 3,
      inputTokens: 3,
      cachedInputTokens: 0,
      outputTokens: 3,
    });
    expect(counted('m', '__proto__', 'm', null)?.served).toEqual([
      { name: 'm', replies: 2 },
      { name: '__proto__', replies: 1 },
    ]);
    const many = counted('m', ...Array.from({ length: 30 }, (_, index) => `n${String(index).padStart(2, '0')}`));
    expect(many?.served).toHaveLength(21);
    expect(many?.served?.at(-1)).toEqual({ name: 'other names', replies: 11 });
    expect(counted('x'.repeat(5000))?.served?.[0]?.name).toHaveLength(201);
  });

  it('counts the name of a model that was refused, once a call', () => {
    const tally = new Tally(protocolAt);
    const refused = {
      type: 'failure' as const,
      failure: { class: 'permanent', reason: 'wrong_model', message: '', answeredBy: 'x' } as const,
    };
    tally.call(call('one'), refused);
    tally.call(call('one'), refused);
    const { model } = call('one').request.body;
    expect(tally.summary().calls).toEqual([
      {
        identity: 'toy',
        model: model ?? '',
        calls: 0,
        inputTokens: 0,
        cachedInputTokens: 0,
        outputTokens: 0,
        served: [{ name: 'x', replies: 1, refused: 1 }],
      },
    ]);
    expect(tally.calls).toBe(0);
  });

  it('counts rows by status, `ok` first', () => {
    const tally = new Tally();
    for (const status of ['refused', 'ok', 'filtered', 'ok', 'refused', 'ok']) tally.row({ status });
    const { items, statuses } = tally.summary();
    expect(items).toBe(6);
    expect(Object.entries(statuses)).toEqual([
      ['ok', 3],
      ['filtered', 1],
      ['refused', 2],
    ]);
  });
});
