import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pythonSample } from '../../src/stats/compat/python/random.ts';
import recorded from '../fixtures/python-sample.json' with { type: 'json' };

interface Case {
  readonly n: number;
  readonly k: number;
  readonly seed: number;
  readonly branch: string;
  readonly indices?: readonly number[];
  readonly first?: readonly number[];
  readonly sha256?: string;
}
const cases = recorded.cases as readonly Case[];

test('the recorded cases take both of the ways in which Python draws', () => {
  for (const branch of ['pool', 'set']) {
    expect(cases.filter((each) => each.branch === branch).length).toBeGreaterThan(5);
  }
});

test.each(cases)('random.seed($seed); random.sample(range($n), $k), by $branch', (recorded) => {
  const { n, k, seed } = recorded;
  const indices = pythonSample(n, k, seed);
  expect(indices.length).toBe(k);
  if (recorded.indices !== undefined) {
    expect(indices).toEqual(recorded.indices);
  } else {
    expect(indices.slice(0, 20)).toEqual(recorded.first);
    expect(createHash('sha256').update(indices.join(',')).digest('hex')).toBe(recorded.sha256);
  }
});

test('the sign of a seed does not matter, its high bits do', () => {
  expect(pythonSample(200, 50, -42)).toEqual(pythonSample(200, 50, 42));
  expect(pythonSample(200, 50, 2 ** 32 + 42)).not.toEqual(pythonSample(200, 50, 42));
});

test('any sample holds each index at most once, and a sample of all holds each', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 400 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.maxSafeInteger(),
      (n, share, seed) => {
        const k = Math.round(n * share);
        const indices = pythonSample(n, k, seed);
        expect(new Set(indices).size).toBe(k);
        expect(indices.every((index) => index >= 0 && index < n)).toBe(true);
      },
    ),
  );
});

test('a sample larger than the source is a bug of the caller', () => {
  expect(() => pythonSample(3, 4, 1)).toThrow(/^Internal error/);
});
