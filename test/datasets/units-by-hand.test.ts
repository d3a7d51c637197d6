/** What is worked with on [0, 1], told on a scale from 1 to 5: levels moved and stretched, differences stretched, variances twice. */

import { describe, expect, it } from 'vitest';
import { pilotInUnits } from '../../src/datasets/planning/pilot.ts';
import type { EstimatedRow, Truth } from '../../src/datasets/results.ts';
import { commonScale, scaleField, scaleText, sharedScale } from '../../src/datasets/scale.ts';
import {
  calibrationInUnits,
  comparisonsInUnits,
  estimateInUnits,
  scoresInUnits,
  transportInUnits,
  truthInUnits,
  unitsOf,
} from '../../src/datasets/units.ts';

const units = unitsOf([1, 5]);

describe('on a scale from 1 to 5', () => {
  it('a half is 3, a difference of a half 2, and a variance of a half 8', () => {
    expect([units.level(0.5), units.difference(0.5), units.variance(0.5), units.unitDifference(2)]).toEqual([
      3, 2, 8, 0.5,
    ]);
    const plain = unitsOf();
    expect([plain.level(0.5), plain.difference(0.5), plain.variance(0.5), plain.unitDifference(2)]).toEqual([
      0.5, 0.5, 0.5, 2,
    ]);
  });

  it('an estimate has its level and interval moved, and its errors stretched', () => {
    const row = {
      status: 'ok',
      estimate: 0.5,
      lower: 0.25,
      upper: 0.75,
      standardError: 0.125,
      samplingStandardError: 0.25,
      oracleStandardError: 0.375,
      sharedVariance: 0.0625,
      extrapolationStandardError: 0.5,
      stabilisationStandardError: 0.75,
      judgeStandardError: 0.625,
      n: 7,
    } as EstimatedRow;
    expect(estimateInUnits(row, units)).toEqual({
      status: 'ok',
      estimate: 3,
      lower: 2,
      upper: 4,
      standardError: 0.5,
      samplingStandardError: 1,
      oracleStandardError: 1.5,
      sharedVariance: 1,
      extrapolationStandardError: 2,
      stabilisationStandardError: 3,
      judgeStandardError: 2.5,
      n: 7,
    });
  });

  it('a comparison has all its numbers stretched but the p-values', () => {
    const pair = {
      a: 'a',
      b: 'b',
      difference: 0.125,
      standardError: 0.25,
      lower: -0.125,
      upper: 0.375,
      simultaneousLower: -0.25,
      simultaneousUpper: 0.5,
      pValue: 0.1,
      discoveryP: 0.2,
      familyP: 0.3,
    };
    const told = comparisonsInUnits({ scorer: 's', ablation: 'd', confidence: 0.95, pairs: [pair], ranks: [] }, units);
    expect(told.pairs).toEqual([
      {
        ...pair,
        difference: 0.5,
        standardError: 1,
        lower: -0.5,
        upper: 1.5,
        simultaneousLower: -1,
        simultaneousUpper: 2,
      },
    ]);
  });

  it('an audit, a calibration, scores and the truth', () => {
    const audit = {
      policy: 'p',
      state: 'fail',
      labels: 9,
      bias: 0.125,
      lower: 0.0625,
      upper: null,
      margin: 0.05,
      detectableBias: 0.25,
      labelsToPass: 7,
    } as const;
    expect(transportInUnits(audit, units)).toEqual({
      ...audit,
      bias: 0.5,
      lower: 0.25,
      margin: 0.2,
      detectableBias: 1,
    });
    const calibration = { mode: 'monotone', curve: [[0.5, 0.25]], points: [[0.25, 0.75]], rmse: 0.125 } as const;
    expect(calibrationInUnits(calibration, units)).toEqual({
      mode: 'monotone',
      curve: [[0.5, 2]],
      points: [[0.25, 4]],
      rmse: 0.5,
    });
    const scores = [{ policy: 'p', n: 3, mean: 0.5, standardDeviation: 0.25, unparseable: 0, histogram: [] }];
    expect(scoresInUnits({ scores, scale: [1, 5] })).toMatchObject([{ mean: 3, standardDeviation: 1 }]);
    expect(scoresInUnits({ scores })).toEqual(scores);
    const truth = { available: true, population: 'prompt law', values: { p: 0.75 } } as Truth;
    expect(truthInUnits(truth, units).values).toEqual({ p: 4 });
  });

  it('a pilot has variances stretched twice, errors once, and shares not', () => {
    const of = { perPrompt: 0.5, perLabel: 0.25, standardError: 0.125, rSquared: 0.9 };
    const pilot = pilotInUnits(
      {
        prompts: 10,
        labels: 5,
        ownLabels: 0,
        policies: [{ status: 'ok', policy: 'p', ...of }],
        pairs: [{ a: 'p', b: 'q', degreesOfFreedom: 9, overstated: 0.5, remaining: 0.25, ...of }],
      },
      units,
    );
    const told = { perPrompt: 8, perLabel: 4, standardError: 0.5, rSquared: 0.9 };
    expect([pilot.policies[0], pilot.pairs[0]]).toMatchObject([
      told,
      { ...told, degreesOfFreedom: 9, overstated: 0.5, remaining: 4 },
    ]);
  });
});

describe('a scale', () => {
  it('is shared where all that name one name the same, and common where all name it', () => {
    expect(sharedScale([undefined, [1, 5], [1, 5]])).toEqual([1, 5]);
    expect(
      sharedScale([
        [1, 5],
        [0, 5],
      ]),
    ).toBeUndefined();
    expect(
      sharedScale([
        [1, 5],
        [1, 4],
      ]),
    ).toBeUndefined();
    expect(commonScale([undefined, [1, 5]])).toBeUndefined();
    expect(
      commonScale([
        [1, 5],
        [1, 5],
      ]),
    ).toEqual([1, 5]);
  });

  it('is written where it is not that from 0 to 1', () => {
    expect([scaleField([0, 1]), scaleField(undefined), scaleField([0, 2]), scaleField([-1, 1])]).toEqual([
      {},
      {},
      { scale: [0, 2] },
      { scale: [-1, 1] },
    ]);
    expect([scaleText([1, 5]), scaleText([1, 5], 'scores'), scaleText(undefined)]).toEqual([
      'labels from 1 to 5',
      'scores from 1 to 5',
      '',
    ]);
  });
});
