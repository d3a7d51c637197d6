import { expect, it } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import { CollectedCalls, tokensOf } from '../../src/replies/collected-calls.ts';

const permit = { dollars: 1, settle: () => ({ dollars: 0, certain: true }) };
const body = 'x'.repeat(40);

function holding(count: number): CollectedCalls {
  const collected = new CollectedCalls();
  for (let index = 0; index < count; index++) {
    collected.add({ key: digestText(`${index}`), node: 'n', request: '', body, permit });
  }
  return collected;
}

it('fills up to each of its bounds, and takes one call whatever they are', () => {
  const open = { rows: 9, bytes: 9_999 };
  expect(holding(0).fits(body, { rows: 0, bytes: 0 })).toBe(true);
  expect([1, 2, 3].map((count) => holding(count).fits(body, { ...open, rows: 2 }))).toEqual([true, false, false]);
  // A line is the body and 160 bytes around it: two are 400.
  expect([399, 400].map((bytes) => holding(1).fits(body, { ...open, bytes }))).toEqual([false, true]);
});

it('is empty once its calls are taken', () => {
  const collected = holding(2);
  expect(tokensOf(body)).toBe(10);
  expect([collected.size, collected.tokens]).toEqual([2, 20]);
  expect(collected.take()).toHaveLength(2);
  expect([collected.size, collected.tokens, collected.take().length]).toEqual([0, 0, 0]);
});
