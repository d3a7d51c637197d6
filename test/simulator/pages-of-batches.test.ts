import { expect, it } from 'vitest';
import { pageOf } from '../../src/simulator/batches/http.ts';

const all = ['a', 'b', 'c', 'd'].map((id) => ({ id }));

it.each([
  [2, null, 'ab', true],
  [2, 'b', 'cd', false],
  [2, 'a', 'bc', true],
  [4, null, 'abcd', false],
  [3, 'd', '', false],
  // One that is not there is before the first.
  [1, 'x', 'a', true],
])('a page of %i after %j is %j, and whether there are more is %s', (limit, after, ids, more) => {
  const found = pageOf(all, limit, after);
  expect([found.page.map(({ id }) => id).join(''), found.more]).toEqual([ids, more]);
});
