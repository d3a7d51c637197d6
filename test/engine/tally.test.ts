import { describe, expect, it } from 'vitest';
import { keyCall } from '../../src/engine/keys.ts';
import { Tally } from '../../src/engine/tally.ts';
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

  it('counts no failure as a call, and names it last', () => {
    const tally = new Tally();
    tally.call(call('lost'), failure);
    tally.call(call('one'), reply(1, 0, 0));
    expect(tally.calls).toBe(1);
    expect([...tally.keys()]).toEqual([call('one').key, call('lost').key]);
    expect(tally.summary().calls).toHaveLength(1);
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
