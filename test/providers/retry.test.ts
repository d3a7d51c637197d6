import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderReader } from '../../src/core/protocol.ts';
import { readRateReport } from '../../src/protocols/openai/rate-headers.ts';
import * as waits from '../../src/protocols/shared/waits.ts';
import { afterRefusal, nextTry, waitedEnough, whileGone } from '../../src/providers/retry.ts';

const NOW = Date.parse('2026-05-04T10:00:00Z');
const headers = (values: Record<string, string>) => (name: string) => values[name] ?? null;

const askedWait = (header: HeaderReader, now: number) => waits.askedWait(header, now, readRateReport(header));

describe('durations', () => {
  it.each([
    ['12ms', 12],
    ['6m0s', 360_000],
    ['1h2m3.5s', 3_723_500],
    ['1s', 1000],
    ['0s', 0],
    ['2', 2000],
    ['0.25', 250],
    ['1d', 86_400_000],
  ])('%s', (text, expected) => expect(waits.durationMilliseconds(text)).toBeCloseTo(expected, 6));

  it.each(['', 'soon', '-1', '5x', 'ms', '1h5', null, undefined])('%s is none', (text) =>
    expect(waits.durationMilliseconds(text)).toBeUndefined(),
  );
});

describe('what the server asks for', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['nothing', {}, undefined],
    ['milliseconds', { 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
    ['seconds', { 'retry-after': '20' }, 20_000],
    ['a date', { 'retry-after': 'Mon, 04 May 2026 10:00:30 GMT' }, 30_000],
    ['a date that is past', { 'retry-after': 'Mon, 04 May 2026 09:00:00 GMT' }, 0],
    ['nonsense', { 'retry-after': 'later' }, undefined],
    [
      'the reset of the limit that is used up',
      {
        'x-ratelimit-limit-requests': '500',
        'x-ratelimit-remaining-requests': '12',
        'x-ratelimit-reset-requests': '6m0s',
        'x-ratelimit-limit-tokens': '30000',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '120ms',
      },
      120,
    ],
    [
      'no reset of a limit that is no limit',
      { 'x-ratelimit-limit-requests': '-1', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '9s' },
      undefined,
    ],
  ])('%s', (_, values, expected) => expect(askedWait(headers(values), NOW)).toBe(expected));

  it('reads limits, and nothing out of -1 and 0', () => {
    expect(
      readRateReport(
        headers({
          'x-ratelimit-limit-requests': '0',
          'x-ratelimit-remaining-requests': '-1',
          'x-ratelimit-limit-tokens': '200000',
          'x-ratelimit-remaining-tokens': '199000',
          'x-ratelimit-over-limit': 'yes',
        }),
      ),
    ).toEqual({ requests: {}, tokens: { limit: 200_000, remaining: 199_000 }, overLimit: true });
  });
});

describe('the next try', () => {
  it('backs off exponentially up to 30 s, with jitter over the whole range', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tried) => nextTry(tried, 99, undefined, () => 0.999999));
    expect(longest.map((next) => next.again && next.waitMilliseconds)).toEqual([
      500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect(nextTry(5, 99, undefined, () => 0)).toEqual({ again: true, waitMilliseconds: 0 });
  });

  it('comes later where the server has too much to do: six take half a minute on average', () => {
    const waits = [1, 2, 3, 4, 5].map((tried) => nextTry(tried, 6, undefined, () => 0.5, true));
    expect(waits.map((next) => next.again && next.waitMilliseconds)).toEqual([1000, 2000, 4000, 8000, 15_000]);
    expect(nextTry(1, 6, undefined, () => 0.5, false)).toEqual({ again: true, waitMilliseconds: 250 });
  });

  it('never comes back before it is asked to, and little later', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 600_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (tried, asked, random) => {
          const next = nextTry(tried, 9, asked, () => random);
          if (!next.again) throw new Error('should try again');
          expect(next.waitMilliseconds).toBeGreaterThanOrEqual(asked);
          expect(next.waitMilliseconds).toBeLessThanOrEqual(asked + 250);
        },
      ),
    );
  });

  it('ends with the attempts, and with a wait that nobody sits through', () => {
    expect(nextTry(4, 4, undefined, () => 0.5)).toEqual({ again: false, why: 'attempts' });
    expect(nextTry(1, 4, 3_600_000, () => 0.5)).toEqual({ again: false, why: 'asked wait too long' });
  });
});

describe('the next try, at its boundaries', () => {
  it('waits ten minutes where a server asks for them, and no millisecond more', () => {
    expect(nextTry(1, 2, 600_000, () => 0)).toEqual({ again: true, waitMilliseconds: 600_000 });
    expect(nextTry(1, 2, 600_001, () => 0)).toEqual({ again: false, why: 'asked wait too long' });
    expect(nextTry(2, 2, 600_001, () => 0)).toEqual({ again: false, why: 'attempts' });
  });

  it('spreads what it was asked for over a quarter of a second', () => {
    expect(nextTry(1, 2, 1000, () => 0.5)).toEqual({ again: true, waitMilliseconds: 1125 });
    expect(nextTry(1, 2, 0, () => 0.5)).toEqual({ again: true, waitMilliseconds: 250 });
    expect(nextTry(3, 9, undefined, () => 0.5)).toEqual({ again: true, waitMilliseconds: 1000 });
  });

  it('comes back at once where a server says so', () => {
    const header = (values: Record<string, string>) => (name: string) => values[name];
    expect(askedWait(header({ 'retry-after-ms': '0', 'retry-after': '9' }), 0)).toBe(0);
    expect(askedWait(header({ 'retry-after-ms': '-1', 'retry-after': '9' }), 0)).toBe(9000);
    expect(askedWait(header({ 'retry-after': '-5' }), 0)).toBe(0);
    const both = {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '2s',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '7s',
    };
    expect(askedWait(header(both), 0)).toBe(7000);
    expect(askedWait(header({ ...both, 'x-ratelimit-remaining-tokens': '1' }), 0)).toBe(2000);
  });
});

describe('after a refusal', () => {
  it('leaves the time to the rate, where the server names none', () => {
    expect(afterRefusal(undefined, 0, () => 0.9)).toEqual({ again: true, waitMilliseconds: 0 });
    expect(afterRefusal(2000, 0, () => 0.5)).toEqual({ again: true, waitMilliseconds: 2125 });
  });

  it('ends after ten minutes of nothing else, and before a wait that would go beyond them', () => {
    expect(afterRefusal(undefined, 600_000, () => 0)).toMatchObject({ again: true });
    expect(afterRefusal(undefined, 600_001, () => 0)).toEqual({ again: false, why: 'refused too long' });
    expect(afterRefusal(300_000, 300_001, () => 0)).toEqual({ again: false, why: 'refused too long' });
    expect(afterRefusal(600_001, 0, () => 0)).toEqual({ again: false, why: 'asked wait too long' });
    expect(afterRefusal(10_000, 20_000, () => 0, 30_000)).toMatchObject({ again: true });
    expect(afterRefusal(10_000, 20_001, () => 0, 30_000)).toEqual({ again: false, why: 'refused too long' });
    expect(nextTry(1, 3, 30_001, () => 0, true, 30_000)).toEqual({ again: false, why: 'asked wait too long' });
  });

  it.each([
    [1e12, 'asks to wait 31 years; build again then'],
    [86_400_000, 'asks to wait 1 day; build again then'],
    [7_200_000, 'asks to wait 2 hours; build again then'],
    [660_000, 'asks to wait 11 minutes; build again then'],
  ])('says how long %d ms are', (asked, text) => expect(waitedEnough('asked wait too long', asked)).toBe(text));

  it('says what it waited for', () => {
    expect(waitedEnough('refused too long', undefined)).toMatch(/refused every call for 10 minutes; build again later/);
  });
});

describe('somebody who is gone', () => {
  const waits = (tried: number, goneFor: number, random: number) => whileGone(tried, goneFor, () => random);

  it.each([
    [1, 500],
    [2, 1_000],
    [5, 8_000],
    [6, 10_000],
    [60, 10_000],
  ])('is looked for the %ith time within %i ms', (tried, milliseconds) => {
    expect(waits(tried, 0, 1)).toEqual({ again: true, waitMilliseconds: milliseconds });
    expect(waits(tried, 0, 0.5)).toEqual({ again: true, waitMilliseconds: milliseconds / 2 });
  });

  it('is looked for over ten minutes', () => {
    expect(waits(9, 600_000, 1)).toMatchObject({ again: true });
    expect(waits(9, 600_001, 1)).toEqual({ again: false, why: 'gone too long' });
    expect(waitedEnough('gone too long', undefined)).toBe('has not been reachable for 10 minutes; build again later');
  });
});
