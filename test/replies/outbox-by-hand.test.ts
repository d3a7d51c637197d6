/** When calls that were refused because too much waits may be sent again: each wait, and the end of patience. */

import { expect, it } from 'vitest';
import { Outbox } from '../../src/replies/batch-outbox.ts';
import { SUBMISSION, ToyBatches } from './toy-batches.ts';

/** Looked at after ten seconds first; patience lasts a hundred. */
function outbox() {
  const state = { now: 0, tokensOut: 0 };
  const api = new ToyBatches();
  api.settings = { ...api.settings, pollSeconds: 10, patienceSeconds: 100 };
  const never = () => {
    throw new Error('nothing is sent here');
  };
  const out = new Outbox({
    store: {} as never,
    spend: {} as never,
    books: {} as never,
    now: () => state.now,
    interrupt: new AbortController().signal,
    tokensOut: () => state.tokensOut,
    memory: undefined,
    onOut: never,
    onUnsent: never,
  });
  const of = (count: number) => ({ ...SUBMISSION, count, tokens: 10 * count });
  return {
    state,
    out,
    /** Whether calls of such a batch are put back, and when they are sent again. */
    rest: (count: number, now = state.now) => {
      state.now = now;
      return [out.rest(of(count), api), ...out.rests];
    },
    took: () => out.took(of(1)),
  };
}

it('a single call waits ever longer, up to five minutes, until patience ends', () => {
  const { rest } = outbox();
  expect(rest(1)).toEqual([true, 10_000]);
  expect(rest(1, 10_000)).toEqual([true, 25_000]);
  expect(rest(1, 25_000)).toEqual([true, 47_500]);
  expect(rest(1, 99_999)).toEqual([true, 99_999 + 33_750]);
  expect(rest(1, 100_000)).toEqual([false, 99_999 + 33_750]);
});

it('waits no longer than five minutes', () => {
  const { rest, state } = outbox();
  // Something else is out, so that nothing is learnt of its size and nobody loses patience.
  state.tokensOut = 5;
  let [, until] = rest(3);
  const waits: number[] = [];
  for (let times = 0; times < 12; times++) {
    const now = until as number;
    [, until] = rest(3, now);
    waits.push((until as number) - now);
  }
  expect(waits.slice(0, 2)).toEqual([15_000, 22_500]);
  expect(waits.at(-1)).toBe(300_000);
});

it('several calls with nothing else out are sent in parts at once', () => {
  const { rest } = outbox();
  expect(rest(4)).toEqual([true]);
});

it('begins anew once a batch of the model was taken', () => {
  const { rest, took } = outbox();
  rest(1);
  rest(1, 60_000);
  took();
  expect(rest(1, 110_000)).toEqual([true, 120_000]);
  expect(rest(1, 209_999)[0]).toBe(true);
  expect(rest(1, 210_000)[0]).toBe(false);
});

it('is over at the very millisecond in which the wait ends', () => {
  const { rest, out, state } = outbox();
  rest(1);
  state.now = 9_999;
  out.wake();
  expect(out.rests).toEqual([10_000]);
  state.now = 10_000;
  out.wake();
  expect(out.rests).toEqual([]);
});
