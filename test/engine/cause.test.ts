/** Each cause in words, as `plan`, `why`, `status` and the event stream print it. */

import { describe, expect, it } from 'vitest';
import { type Cause, causeText, reasonText, requestsText } from '../../src/engine/cause.ts';

const temperature = { path: ['params', 'policy', 'temperature'], before: 0, after: 1 };
const code = { path: ['code'], before: 'a', after: 'b' };

const WORDS: readonly (readonly [cause: Cause, text: string])[] = [
  [{ type: 'up-to-date' }, 'up to date'],
  [{ type: 'forced' }, 'forced'],
  [{ type: 'new' }, 'not built yet'],
  [{ type: 'no-result' }, 'not built before with these settings and inputs'],
  [{ type: 'retry-failed' }, 'asks again for what failed'],
  [{ type: 'output-missing' }, 'an output is missing from the cache'],
  [
    { type: 'incomplete', lacking: { refused: 2, unparseable: 1 }, items: 40, tolerate: 0.05 },
    '2 refused, 1 unparseable of 40 items; the stage tolerates 5.0 %',
  ],
  [{ type: 'changed', changes: [temperature] }, 'policy temperature changed'],
  [{ type: 'changed', changes: [temperature, code] }, 'policy temperature, code of kind `scores` changed'],
  [{ type: 'waits', on: ['a/b'], changes: [] }, 'depends on a/b'],
  [{ type: 'waits', on: ['a/b', 'a/c', 'd'], changes: [] }, 'depends on a/b and 2 more'],
  [{ type: 'waits', on: ['a/b'], changes: [code] }, 'code of kind `scores` changed, depends on a/b'],
];

describe('a cause', () => {
  it.each(WORDS)('%j', (cause, text) => {
    expect(causeText(cause, 'scores')).toBe(text);
  });

  it('says how many requests are to buy, or differ from those of an earlier build', () => {
    const requests = { items: 5_000, unsettled: 1_200, edited: false };
    expect(requestsText(requests, { type: 'new' })).toBe(': 1,200 of 5,000 requests to buy');
    expect(requestsText({ ...requests, edited: true }, { type: 'forced' })).toBe(': 1,200 of 5,000 requests differ');
    expect(requestsText({ ...requests, unsettled: 0 }, { type: 'new' })).toBe(': every reply is stored');
  });

  it('that waits says nothing of requests while none is known, or all known ones are stored', () => {
    const waits: Cause = { type: 'waits', on: ['a'], changes: [] };
    expect(requestsText({ items: 0, unsettled: 0, edited: true }, waits)).toBe('');
    expect(requestsText({ items: 9, unsettled: 0, edited: true }, waits)).toBe('');
    expect(requestsText({ items: 9, unsettled: 3, edited: true }, waits)).toBe(': 3 of 9 requests differ');
  });

  it('is followed by what is to be bought for it', () => {
    expect(reasonText({ type: 'forced' }, { items: 2, unsettled: 1, edited: true }, 'scores')).toBe(
      'forced: 1 of 2 requests differ',
    );
    expect(reasonText({ type: 'up-to-date' }, undefined, 'scores')).toBe('up to date');
  });
});
