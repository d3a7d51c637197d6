/** Several judges as one: how they are combined, and how far they agree. */

import { describe, expect, it } from 'vitest';
import { ROWS } from '../../src/core/kind.ts';
import { SCORES } from '../../src/datasets/row-types.ts';
import type { ScoreRow } from '../../src/datasets/rows.ts';
import { panel } from '../../src/kinds/panel.ts';
import { agreementOf, agreementText, krippendorffAlpha, weightedKappa } from '../../src/stats/agreement.ts';
import { inputs, many } from './support.ts';

const score = (prompt_id: string, value: number | null, more: object = {}): ScoreRow => ({
  prompt_id,
  status: value === null ? 'unparseable' : 'ok',
  score: value,
  variance: value === null ? null : 0.02,
  model: 'm',
  ...more,
});

async function combined(params: object, judges: Readonly<Record<string, readonly ScoreRow[]>>) {
  const given = many(Object.fromEntries(Object.entries(judges).map(([name, rows]) => [name, { rows }])));
  const outputs = await panel.run(panel.params.parse(params), inputs({ scores: given }));
  const rows = [...(outputs.files[ROWS] as Iterable<ScoreRow>)];
  for (const row of rows) expect(SCORES.schema().parse(row)).toEqual(row);
  return { rows, notes: outputs.notes ?? [] };
}

const three = {
  a: [score('p', 0.2, { rationale: 'Thin.' }), score('q', 0.4), score('r', null)],
  b: [score('p', 0.4), score('q', 0.4), score('r', null)],
  c: [score('p', 0.9), score('q', null), score('r', null)],
};

/** One thing a prompt. */
const prompts = <T>(things: readonly T[]): ReadonlyMap<string, T> =>
  new Map(things.map((thing, i) => [`p${String(i).padStart(3, '0')}`, thing]));

describe('a panel', () => {
  it('is the mean, the median, or a weighted mean of those who scored', async () => {
    const scoresOf = async (params: object) => (await combined(params, three)).rows.map((row) => row.score);
    expect(await scoresOf({})).toEqual([expect.closeTo(0.5, 12), expect.closeTo(0.4, 12), null]);
    expect(await scoresOf({ combine: 'median' })).toEqual([0.4, expect.closeTo(0.4, 12), null]);
    // (2 · 0.2 + 0.4 + 0.9) / 4, (2 · 0.4 + 0.4) / 3
    expect(await scoresOf({ weights: { a: 2, b: 1, c: 1 } })).toEqual([
      expect.closeTo(0.425, 12),
      expect.closeTo(0.4, 12),
      null,
    ]);
  });

  it('is as sure as its judges, and as far as they agree', async () => {
    const { rows, notes } = await combined({}, three);
    // 3 · (1/3)² · 0.02, and the sample variance 0.13 of three over three.
    expect(rows[0]!.variance).toBeCloseTo(0.02 / 3 + 0.13 / 3, 12);
    expect(rows[1]!.variance).toBeCloseTo(0.01, 12);
    expect(rows[0]).toMatchObject({ criteria: { a: 0.2, b: 0.4, c: 0.9 }, rationale: 'a: Thin.' });
    expect(rows[2]).toMatchObject({ status: 'unparseable', variance: null });
    expect(notes[0]).toMatch(/^3 judges on 1 responses: Krippendorff's α .*; weighted κ of a and b .*, b and c /);
  });

  it('of one judge, or with weights of others, is a mistake', () => {
    const wired = (labels: readonly string[]) => () =>
      labels.map((label) => ({ name: `scores/${label}`, label, kind: panel, params: {}, inputs: () => [] }));
    const faults = (params: object, labels: readonly string[]) =>
      panel.check!(panel.params.parse(params), wired(labels)).map(({ message }) => message);
    expect(faults({}, ['a', 'b'])).toEqual([]);
    expect(faults({}, ['a'])).toEqual(['a panel is of two judges or more']);
    expect(faults({ weights: { a: 1, x: 1 } }, ['a', 'b'])).toEqual([
      "no judge is called 'x'",
      "there is no weight of 'b'",
    ]);
    expect(panel.params.safeParse({ combine: 'median', weights: { a: 1 } }).success).toBe(false);
  });
});

describe('agreement', () => {
  it('is 1 for raters of one mind, about 0 for chance, and below for opposites', () => {
    expect(
      krippendorffAlpha([
        [1, 1],
        [2, 2],
        [3, 3],
      ]),
    ).toBe(1);
    expect(
      krippendorffAlpha([
        [1, 1],
        [1, 1],
      ]),
    ).toBeNull();
    expect(krippendorffAlpha([[1], [2]])).toBeNull();
    // D_o = 1; D_e = 8/12 · 1 over ordered pairs of 0, 1, 1, 0.
    expect(
      krippendorffAlpha([
        [0, 1],
        [1, 0],
      ]),
    ).toBeCloseTo(1 - 1 / (8 / 12), 12);
  });

  it('has an interval of 95 %: 4 to 12 heads of 16 throws', () => {
    // Of a fair coin P(≤ 3) = 0.0106 and P(≤ 4) = 0.0384: 2.5 % lie below 4, and 5 % below 5.
    const throws = Array.from({ length: 16 }, (_, i) => i % 2);
    const heads = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0);
    expect(agreementOf(prompts(throws), heads)).toEqual({ value: 8, interval: [4, 12] });
  });

  it('has an interval over what is rated, and none over a few', () => {
    const units = Array.from({ length: 60 }, (_, i) => [i % 5, (i % 5) + (i % 3 === 0 ? 1 : 0)]);
    const { value, interval } = agreementOf(prompts(units), krippendorffAlpha);
    const [low, high] = interval!;
    expect(low).toBeLessThan(value!);
    expect(high).toBeGreaterThan(value!);
    // Four times as many things of the same sort: half as wide.
    const more = agreementOf(prompts([...units, ...units, ...units, ...units]), krippendorffAlpha).interval!;
    expect((more[1] - more[0]) / (high - low)).toBeCloseTo(0.5, 1);
    expect(agreementText({ value: 0.625, interval: [0.5, 0.75] }, '')).toBe('0.63 [0.50, 0.75]');
    expect(agreementText(agreementOf(prompts(units.slice(0, 5)), krippendorffAlpha), '')).toMatch(/^0\.\d\d$/);
    expect(agreementText(agreementOf(prompts([[1, 1]]), krippendorffAlpha), 'all the same')).toBe('all the same');
  });

  it('of two raters is κ with quadratic weights', () => {
    expect(weightedKappa([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(weightedKappa([0, 1], [1, 0])).toBe(-1);
    expect(weightedKappa([1, 1], [1, 1])).toBeNull();
    // A shift of 1: 1 − 1 / (2/3 + 2/3 + 1).
    expect(weightedKappa([1, 2, 3], [2, 3, 4])).toBeCloseTo(1 - 1 / (4 / 3 + 1), 12);
  });
});

describe('an interval of agreement', () => {
  it.each([
    [10, 1_000],
    [4_000, 500],
    [20_000, 200],
  ])('of %d prompts is of %d samples of as many', (things, samples) => {
    const sizes: number[] = [];
    agreementOf(prompts(Array.from({ length: things }, (_, i) => i)), (drawn) => sizes.push(drawn.length));
    expect(sizes).toEqual(new Array(samples + 1).fill(things));
  });

  it('is the 2.5 % and the 97.5 % quantile of what is defined, and none where less than half is', () => {
    const ten = prompts(Array.from({ length: 10 }, (_, i) => i));
    const of = (defined: (call: number) => boolean) => {
      let call = -1;
      return agreementOf(ten, () => (call++ < 0 || defined(call) ? call : null)).interval;
    };
    // Samples say 1, 2, …, 1,000.
    const ends = (count: number) => [0.025, 0.975].map((q) => expect.closeTo(1 + q * (count - 1), 9));
    expect(of(() => true)).toEqual(ends(1_000));
    expect(of((call) => call <= 500)).toEqual(ends(500));
    expect(of((call) => call <= 499)).toBeNull();
  });
});

it('a panel is expected to score what the judge with the most scores has', () => {
  const sizes = {
    many: () =>
      new Map([
        ['a', 3],
        ['b', 7],
        ['c', 5],
      ]),
    one: () => 0,
  };
  expect(panel.expect(panel.params.parse({}), sizes)).toEqual({ items: 7, calls: [] });
});
