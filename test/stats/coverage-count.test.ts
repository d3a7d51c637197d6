/** What the coverage bench counts: misses on both sides, refusals, and promises. */

import { describe, expect, test } from 'vitest';
import { main } from '../../bench/coverage/main.ts';
import {
  type CoverageRow,
  coverageRows,
  coverageStudy,
  joinTallies,
  keepsPromise,
  type Tally,
  tallyStudy,
} from '../../bench/coverage/study.ts';
import { DEFAULT_WORLD, oracleMean, simulate, trueValue } from '../../bench/coverage/world.ts';
import { OPEN } from './support/hand-made.ts';

const world = (drift: number) => ({ ...DEFAULT_WORLD, prompts: 100, targets: { p: 0.3 }, drift: { p: drift } });

describe('an interval', () => {
  // Judge scores as they are: a judge that adds 0.2 puts every interval above the truth, one that takes 0.2 below it.
  const naive = [{ name: 'naive', settings: { estimator: 'naive', gates: OPEN } as const }];

  test.each([
    ['above the truth', 0.2, { covered: 0, truthBelow: 4, truthAbove: 0 }],
    ['below the truth', -0.25, { covered: 0, truthBelow: 0, truthAbove: 4 }],
  ] as const)('that lies %s misses on that side', (_, drift, counts) => {
    const [tally] = tallyStudy(world(drift), naive, { first: 1, count: 4 });
    expect(tally).toMatchObject(counts);
    expect(tally!.estimates).toHaveLength(4);
    for (const estimate of tally!.estimates) expect(Math.sign(estimate - trueValue(0.3))).toBe(Math.sign(drift));
  });

  test('that holds the truth covers, and every interval is one of the three', () => {
    const direct = [{ name: 'direct', settings: { estimator: 'direct', gates: OPEN } as const }];
    const [tally] = tallyStudy(world(0), direct, { first: 1, count: 10 });
    expect(tally!.covered).toBeGreaterThan(6);
    expect(tally!.covered + tally!.truthBelow + tally!.truthAbove).toBe(10);
  });
});

const tally = (more: Partial<Tally>): Tally => ({
  cell: 'direct',
  policy: 'p',
  estimates: [],
  standardErrors: [],
  widths: [],
  auditErrors: [],
  reasons: {},
  warnings: {},
  covered: 0,
  truthBelow: 0,
  truthAbove: 0,
  ...more,
});

describe('a row of the study', () => {
  const truth = trueValue(0.3);
  const rowOf = (more: Partial<Tally>, runs: number) =>
    coverageRows(world(0), [tally(more)], { first: 1, count: runs })[0]!;

  test('by hand: two given of three', () => {
    const row = rowOf(
      {
        estimates: [truth + 0.03, truth - 0.01],
        standardErrors: [0.02, 0.04],
        widths: [0.1, 0.3],
        auditErrors: [0.01, 0.02, 0.06],
        reasons: { 'too-few-rows': 1 },
        covered: 1,
        truthBelow: 1,
      },
      3,
    );
    expect(row).toMatchObject({ runs: 3, refused: 1, coverage: 0.5, reasons: { 'too-few-rows': 1 } });
    expect([row.missedBelow, row.missedAbove]).toEqual([0.5, 0]);
    expect(row.meanError).toBeCloseTo(0.01, 12);
    // Deviations ±0.02: variance 0.0008, over two runs.
    expect(row.monteCarloError).toBeCloseTo(0.02, 12);
    expect(row.rmse).toBeCloseTo(Math.sqrt((0.0009 + 0.0001) / 2), 12);
    expect(row.meanStandardError).toBeCloseTo(0.03, 12);
    expect(row.meanWidth).toBeCloseTo(0.2, 12);
    expect(row.meanAuditError).toBeCloseTo(0.03, 12);
    expect(row.truth).toBe(truth);
  });

  test('Wilson’s 99.9 % interval: 90 of 100', () => {
    const row = rowOf({ estimates: new Array<number>(100).fill(truth), covered: 90 }, 100);
    // z = 3.290527, z²/n = 0.1082757: centre (0.9 + 0.0541378)/1.1082757 = 0.8609207; half
    // 3.290527/1.1082757 · √(0.0009 + 0.1082757/400) = 2.969051 · 0.0342154 = 0.1015873.
    expect(row.coverageInterval[0]).toBeCloseTo(0.75933, 4);
    expect(row.coverageInterval[1]).toBeCloseTo(0.96251, 4);
    expect(rowOf({}, 5)).toMatchObject({ coverage: 0, coverageInterval: [0, 1], refused: 5, rmse: 0 });
  });

  test('a promise is kept where 93 to 97 % remains possible, on either side', () => {
    const kept = (...coverageInterval: [number, number]) =>
      keepsPromise({ ...rowOf({}, 1), coverageInterval } satisfies CoverageRow);
    expect([kept(0.9, 0.93), kept(0.9, 0.9299), kept(0.97, 1), kept(0.9701, 1), kept(0.94, 0.96)]).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });
});

test('tallies of parts are those of the whole', () => {
  const cells = [
    { name: 'naive', settings: { estimator: 'naive' } as const },
    { name: 'ips', settings: { estimator: 'ips' } as const },
  ];
  const whole = tallyStudy(world(0.05), cells, { first: 1, count: 4 });
  const parts = [
    tallyStudy(world(0.05), cells, { first: 1, count: 1 }),
    tallyStudy(world(0.05), cells, { first: 2, count: 3 }),
  ];
  expect(joinTallies(parts)).toEqual(whole);
  const refusals = joinTallies([[tally({ reasons: { a: 1, b: 2 } })], [tally({ reasons: { a: 3 }, truthAbove: 2 })]]);
  expect(refusals).toEqual([tally({ reasons: { a: 4, b: 2 }, truthAbove: 2 })]);
});

describe('the world', () => {
  test('the oracle’s mean runs from 0.1 to 0.9 through 0.5', () => {
    // 0.1 + 0.8 (0.35 s + 0.65 s² (3 − 2s)): at ¼ 0.0875 + 0.65 · 0.15625 = 0.1890625.
    expect([0, 0.25, 0.5, 1].map(oracleMean)).toEqual([0.1, 0.25125, 0.5, 0.9].map((v) => expect.closeTo(v, 12)));
  });

  test('a simulated policy averages to its exact value, at the temperature of sampling', () => {
    for (const temperature of [1, 0.5]) {
      const data = simulate(
        { ...DEFAULT_WORLD, prompts: 4000, labelled: 1, base: 0.7, targets: { p: 0.7 }, temperature },
        1,
      );
      const labels = data.logged.oracleLabels;
      const mean = labels.reduce((s, y) => s + y, 0) / labels.length;
      // Labels scatter by about 0.13: four standard errors.
      expect(Math.abs(mean - trueValue(0.7, temperature))).toBeLessThan(0.0085);
    }
    expect(trueValue(0.7, 0.5)).toBeGreaterThan(trueValue(0.7) + 0.03);
  });

  test('its importance weights average to 1, and its labels are as many as asked for', () => {
    const data = simulate({ ...DEFAULT_WORLD, prompts: 2000, targets: { p: 0.4 }, labelled: 0.25, ownLabels: 50 }, 2);
    const { baseLogprobs, targetLogprobs, oracleLabels } = data.logged;
    const weights = targetLogprobs.get('p')!.map((l, i) => Math.exp(l - baseLogprobs[i]!));
    expect(Math.abs(weights.reduce((s, w) => s + w, 0) / 2000 - 1)).toBeLessThan(0.03);
    expect(oracleLabels.filter((y) => !Number.isNaN(y))).toHaveLength(500);
    expect(data.freshDraws.get('p')!.oracleLabels.filter((y) => !Number.isNaN(y))).toHaveLength(50);
  });
});

describe('misses of un-normalised weights fall on both sides alike', () => {
  // Weights without calibration error: only the skewness of w R is left, which the interval corrects.
  const targets = { pi_cot: 0.7 };
  const [row] = coverageStudy(
    { ...DEFAULT_WORLD, targets, labelled: 1, prompts: 100 },
    [{ name: 'ips', settings: { estimator: 'ips', rewardCalibration: 'monotone', gates: OPEN } }],
    200,
  );
  test('ips', () => {
    // Of 200, 5 are to miss on each side: more than 15 have a chance below 1e-4, as has not one miss at all.
    const [below, above] = [200 * row!.missedBelow, 200 * row!.missedAbove];
    expect(below).toBeLessThanOrEqual(15);
    expect(above).toBeLessThanOrEqual(15);
    expect(below + above).toBeGreaterThanOrEqual(1);
  });
});

describe('the bench’s verdict', () => {
  const rowWith = (cell: string, coverageInterval: [number, number], more: Partial<CoverageRow> = {}): CoverageRow => ({
    ...coverageRows(world(0), [tally({ cell })], { first: 1, count: 1 })[0]!,
    coverageInterval,
    ...more,
  });
  async function verdict(args: readonly string[], rows: readonly CoverageRow[]) {
    const lines: string[] = [];
    const { log: write } = console;
    console.log = (line: string) => lines.push(line);
    try {
      return {
        code: await main(args, async () => [...rows], { folder: '', command: '', configs: '' }),
        text: lines.join('\n'),
      };
    } finally {
      console.log = write;
    }
  }
  const kept: [number, number] = [0.9, 0.99];
  const broken: [number, number] = [0.8, 0.9];

  test('one broken promise fails it; naive makes none, nor do other settings', async () => {
    expect((await verdict([], [rowWith('snips', kept)])).code).toBe(0);
    const failed = await verdict([], [rowWith('snips', kept), rowWith('ips', broken)]);
    expect(failed.code).toBe(1);
    expect(failed.text).toContain('OVER: the coverage of ips on p');
    expect(failed.text).not.toContain('coverage of snips');
    expect((await verdict([], [rowWith('naive', broken)])).code).toBe(0);
    for (const free of ['mode=parity', 'gates=open', 'drift=0.1', 'temperature=0.7']) {
      expect((await verdict([free], [rowWith('ips', broken)])).code, free).toBe(0);
    }
  });

  test('under drift, beyond margin + 4 audit errors 95 % are to be refused, and own labels cover', async () => {
    // Bias 0.1 against 0.05 + 4 · 0.01 = 0.09.
    const drifting = (refused: number, own: [number, number], bias = 0.1) => [
      rowWith('open', kept, { meanError: bias }),
      rowWith('direct', kept, { runs: 100, refused, meanAuditError: 0.01 }),
      rowWith('dr-cpo', kept, { runs: 100, refused }),
      rowWith('direct-augmented', own, { runs: 100, refused: 0 }),
    ];
    const code = async (rows: readonly CoverageRow[]) => (await verdict(['drift'], rows)).code;
    expect(await code(drifting(95, kept))).toBe(0);
    expect(await code(drifting(94, kept))).toBe(1);
    expect(await code(drifting(94, kept, -0.1))).toBe(1);
    expect(await code(drifting(0, kept, 0.089))).toBe(0);
    expect(await code(drifting(100, broken))).toBe(1);
  });
});
