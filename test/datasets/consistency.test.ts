import { describe, expect, it } from 'vitest';
import { consistencyGates, consistencyOf, retokenizedGates } from '../../src/datasets/consistency.ts';
import { gatesSchema } from '../../src/datasets/gates-file.ts';
import type { GenerationCheck } from '../../src/datasets/rows.ts';

const gates = gatesSchema.parse({ data: {}, overlap: {} });
const check = (changes: Partial<GenerationCheck> = {}): GenerationCheck => ({
  generated: -10,
  agreement: 'agrees',
  informative: 4,
  gg: 10,
  fg: 10,
  median: 0.001,
  largest: 0.01,
  ...changes,
});
const failed = (rows: readonly GenerationCheck[]) =>
  consistencyGates(consistencyOf(new Map([['p0', rows]])), gates).filter(({ passed }) => !passed);

describe('consistency with generation', () => {
  it('pools the tokens of all rows', () => {
    const rows = [check(), check({ gg: 30, fg: 33, median: 0.003, largest: 0.4 }), check({ median: 0.002 })];
    expect(consistencyOf(new Map([['p0', rows]]))).toEqual([
      {
        policy: 'p0',
        rows: 3,
        informative: 12,
        slope: 53 / 50,
        median: 0.002,
        largest: 0.4,
        agreements: { agrees: 3 },
      },
    ]);
  });

  it('passes what agrees', () => {
    expect(failed([check(), check({ fg: 10.1 })])).toEqual([]);
    expect(failed([check({ informative: 0, gg: 0, fg: 0 })])).toEqual([]);
  });

  it('refuses another slope, another value and rows of another kind, and says which', () => {
    expect(failed([check({ fg: 10.3 })]).map(({ gate }) => gate)).toEqual(['consistency_slope']);
    expect(failed([check({ median: 0.06 })]).map(({ gate }) => gate)).toEqual(['consistency_token']);
    const scaled = failed([check({ fg: 17, median: 1, agreement: 'scaled' })]);
    expect(scaled.map(({ gate }) => gate)).toEqual(['consistency_slope', 'consistency_token', 'consistency_share']);
    expect(scaled.map(({ note }) => note)).toEqual(new Array(3).fill('all values are on another scale or base'));
    const one = [...new Array<GenerationCheck>(9).fill(check()), check({ agreement: 'zeroed' })];
    expect(failed(one)).toMatchObject([{ gate: 'consistency_share', value: 0.9 }]);
    // The most frequent kind is named, wherever it comes.
    const kinds = (...agreements: GenerationCheck['agreement'][]) =>
      failed(agreements.map((agreement) => check({ agreement })));
    expect(kinds('shifted', 'zeroed', 'zeroed')[0]!.note).toBe('tokens are certain that generation found uncertain');
    expect(kinds('zeroed', 'zeroed', 'shifted')[0]!.note).toBe('tokens are certain that generation found uncertain');
  });

  it('is at its bounds still consistent', () => {
    // A slope of 1 ± 0.02, a median of 0.05 nats a token, and 95 of 100 rows.
    const { consistency_slope: slope, consistency_token: token, usable_share: share } = gates.data;
    expect(failed([check({ gg: 1, fg: 1 + slope / 2, median: token })])).toEqual([]);
    expect(failed([check({ gg: 1, fg: 1 - slope / 2 })])).toEqual([]);
    expect(failed([check({ gg: 1, fg: 1 - 2 * slope })])).toMatchObject([{ gate: 'consistency_slope' }]);
    const rows = Math.round(share * 100);
    const mixed = (agreeing: number) =>
      failed(Array.from({ length: 100 }, (_, i) => check(i < agreeing ? {} : { agreement: 'differs' })));
    expect(mixed(rows)).toEqual([]);
    expect(mixed(rows - 1)).toMatchObject([{ gate: 'consistency_share' }]);
  });

  it('gates what was lost to other tokens, where something was', () => {
    const logprobs = (statuses: Readonly<Record<string, number>>) => [
      { policy: 'p0', usable: 90, zeroRate: 0, statuses, tempered: false },
    ];
    expect(retokenizedGates(logprobs({ ok: 100 }), 100, gates)).toEqual([]);
    expect(retokenizedGates(logprobs({ ok: 95, retokenized: 5 }), 100, gates)).toMatchObject([{ passed: true }]);
    expect(retokenizedGates(logprobs({ ok: 90, retokenized: 6, inconsistent: 4 }), 100, gates)).toMatchObject([
      { gate: 'retokenized_share', policy: 'p0', passed: false, value: 0.1 },
    ]);
  });
});
