/** How much may wait at a provider, as batches that are taken and refused teach it. */

import { expect, it } from 'vitest';
import { type LearntTokens, learntTokensIn, TokenLimits } from '../../src/replies/token-limits.ts';

const MODEL = { identity: 'i', model: 'm' };

function memory() {
  const kept = new Map<string, LearntTokens>();
  return {
    recall: (identity: string, name: string) => kept.get(`${identity} ${name}`),
    keep: (identity: string, name: string, value: LearntTokens) => void kept.set(`${identity} ${name}`, value),
  };
}

/** Sends as much as is thought right, so many times, to a provider that takes so much. */
function sent(
  limits: TokenLimits,
  limit: () => number,
  times: number,
  whole = 1_000_000,
): { refused: number; last: number } {
  let refused = 0;
  let last = 0;
  for (let time = 0; time < times; time++) {
    const tokens = Math.min(whole, limits.most(MODEL));
    if (tokens > limit()) {
      refused++;
      limits.refuse(MODEL, tokens);
    } else {
      last = tokens;
      limits.take(MODEL, tokens);
    }
  }
  return { refused, last };
}

it('nothing is learnt of a model that refuses nothing', () => {
  const limits = new TokenLimits(undefined);
  limits.take(MODEL, 7);
  expect(limits.most(MODEL)).toBe(Number.POSITIVE_INFINITY);
});

it.each([1_000, 37_000, 400_000, 999_999])('a limit of %i is found, and is refused seldom from then on', (limit) => {
  const limits = new TokenLimits(undefined);
  sent(limits, () => limit, 20);
  const { refused, last } = sent(limits, () => limit, 100);
  expect(refused).toBeLessThanOrEqual(30);
  expect(last).toBeGreaterThan(0.6 * limit);
});

it('one that grows is found to have grown, and one that shrinks to have shrunk', () => {
  const limits = new TokenLimits(undefined);
  let limit = 50_000;
  sent(limits, () => limit, 30);
  limit = 400_000;
  expect(sent(limits, () => limit, 60).last).toBeGreaterThan(200_000);
  limit = 10_000;
  expect(sent(limits, () => limit, 30).last).toBeGreaterThan(5_000);
});

it('is remembered by whoever comes after, who sends as much at once', () => {
  const kept = memory();
  const first = new TokenLimits(kept);
  sent(first, () => 40_000, 20);
  const next = new TokenLimits(kept);
  expect(next.most(MODEL)).toBeCloseTo(first.most(MODEL));
  expect(next.most({ ...MODEL, model: 'other' })).toBe(Number.POSITIVE_INFINITY);
  // Each build of these sends one batch: the limit is tried for growth all the same.
  let limit = 40_000;
  let refused = 0;
  for (let build = 0; build < 40; build++) {
    if (build === 10) limit = 200_000;
    refused += sent(new TokenLimits(kept), () => limit, 1).refused;
  }
  expect(refused).toBeLessThan(12);
  expect(new TokenLimits(kept).most(MODEL)).toBeGreaterThan(100_000);
});

it('is looked for in the middle until what was taken is four fifths of what was refused', () => {
  const limits = new TokenLimits(undefined);
  limits.refuse(MODEL, 100);
  expect(limits.most(MODEL)).toBe(50);
  limits.take(MODEL, 79);
  expect(limits.most(MODEL)).toBe(89.5);
  limits.take(MODEL, 80);
  expect(limits.most(MODEL)).toBe(80);
  // Less than what was taken before: it has shrunk, and nothing is known to be taken.
  limits.refuse(MODEL, 80);
  expect(limits.most(MODEL)).toBe(40);
});

it('is tried for growth after ten batches in a row, or once as much was taken as was refused before', () => {
  const limits = new TokenLimits(undefined);
  const most = (times: number, tokens: number) => {
    for (let time = 0; time < times; time++) limits.take(MODEL, tokens);
    return limits.most(MODEL);
  };
  limits.refuse(MODEL, 100);
  expect(most(9, 90)).toBe(90);
  // Three times as much is taken for what is refused now.
  expect(most(1, 90)).toBe((90 + 270) / 2);
  limits.refuse(MODEL, 180);
  expect(most(8, 90)).toBe((90 + 180) / 2);
  expect(most(1, 180)).toBe((180 + 540) / 2);
});

it('what is written down of it is read, and nothing else is', () => {
  const learnt = { taken: 0, refused: 7, row: 2 };
  expect(learntTokensIn(learnt)).toEqual(learnt);
  for (const other of [
    7,
    '7',
    null,
    {},
    { ...learnt, refused: 0 },
    { ...learnt, taken: -1 },
    { ...learnt, row: '2' },
  ]) {
    expect(learntTokensIn(other)).toBeUndefined();
  }
});
