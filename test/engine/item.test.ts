import { describe, expect, it } from 'vitest';
import { nextItemState } from '../../src/engine/build/item.ts';
import { decodedAnswer } from '../../src/engine/drive.ts';
import { toyRequest } from '../helpers/toy.ts';

describe('an item', () => {
  it('waits once it has asked, and ends settled, exhausted or stopped', () => {
    expect(nextItemState('pending', 'asked')).toBe('waiting');
    expect(nextItemState('waiting', 'asked')).toBe('waiting');
    expect(nextItemState('pending', 'finished')).toBe('settled');
    expect(nextItemState('waiting', 'gave-up')).toBe('exhausted');
    expect(nextItemState('waiting', 'stop')).toBe('stopped');
  });

  it.each(['settled', 'exhausted', 'stopped'] as const)('that is %s stays so', (state) => {
    expect(() => nextItemState(state, 'asked')).toThrow(`an item in state ${state} cannot take asked`);
  });
});

it('an answer is the reply as its request reads it, with the usage that was billed', () => {
  const usage = { inputTokens: 3, cachedInputTokens: 1, outputTokens: 2 };
  const request = toyRequest('word', 'p0');
  expect(decodedAnswer(request, { text: 'yes' }, usage)).toEqual({ ok: true, reply: 'yes', usage });
  expect(decodedAnswer(request, { other: 'yes' }, usage)).toEqual({
    ok: false,
    failure: { class: 'permanent', reason: 'malformed_reply', message: 'no text' },
  });
});
