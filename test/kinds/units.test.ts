/** Labels on 1 to 5, and the same on 0 to 1: what is told is the same but for its units. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { gatesSchema } from '../../src/datasets/gates-file.ts';
import type { GridRow } from '../../src/datasets/grid-rows.ts';
import { outlookOf } from '../../src/datasets/planning/outlook.ts';
import { type Pilot, pilotInUnits } from '../../src/datasets/planning/pilot.ts';
import type { EstimateRow, PolicyComparisons, TransportResult } from '../../src/datasets/results.ts';
import { scaleField, sharedScale } from '../../src/datasets/scale.ts';
import {
  calibrationInUnits,
  gridRowInUnits,
  scoresInUnits,
  transportInUnits,
  truthInUnits,
  unitsOf,
} from '../../src/datasets/units.ts';
import { estimate } from '../../src/kinds/estimate.ts';
import { ablationSchema } from '../../src/kinds/files/ablation.ts';
import { experimentLine } from '../../src/report/model/words.ts';
import { POWER } from '../../src/stats/index.ts';
import { fakeData } from '../report/fake-data.ts';
import { type Imported, imported } from './import-support.ts';
import { input, inputs } from './support.ts';

const N = 60;
/** Labels from 1 to 5 that rise with the score; every third row has none. */
const labelOf = (i: number) => 1 + ((i * 7) % 10) / 3 + (i % 2) / 2;
const onUnit = (label: number) => (label - 1) / 4;

const row = (i: number, label: number | undefined) => ({
  prompt_id: `q${i}`,
  prompt: `question ${i}`,
  response: 'an answer in words',
  base_policy_logprob: -10,
  target_policy_logprobs: { a: -10 + 0.1 * ((i % 5) - 2), b: -10 - 0.1 * ((i % 5) - 2) },
  judge_score: ((i * 7) % 10) / 10,
  ...(label === undefined ? {} : { oracle_label: label }),
});

const lines = (rows: readonly object[]) => rows.map((each) => JSON.stringify(each)).join('\n');

async function results(given: (label: number) => number, more: object) {
  const label = (i: number) => (i % 3 === 2 ? undefined : given(labelOf(i)));
  const draws = (lift: number) =>
    lines(
      Array.from({ length: N }, (_, i) => ({
        prompt_id: `q${i}`,
        judge_score: Math.min(0.9, ((i * 7) % 10) / 10 + lift),
        ...(i % 4 === 0 ? { oracle_label: given(labelOf(i)) } : {}),
      })),
    );
  const data = await imported(
    { logged: lines(Array.from({ length: N }, (_, i) => row(i, label(i)))), fresh: { a: draws(0), b: draws(0.02) } },
    more,
  );
  return { data, told: await estimated(data) };
}

async function estimated({ logged, fresh, quality }: Imported) {
  const files = { 'fresh.jsonl': fresh, 'quality.json': JSON.stringify(quality) };
  const gates = gatesSchema.parse({ data: {}, overlap: {} });
  const estimates: EstimateRow[] = [];
  const comparisons: PolicyComparisons[] = [];
  for (const estimator of ['direct', 'direct-augmented', 'naive'] as const) {
    const { files: made } = await estimate.run(
      { name: estimator, scorer: 'judge', ablation: ablationSchema.parse({ estimator }), gates },
      inputs({ dataset: input({ rows: logged, files }) }),
    );
    estimates.push(...([...(made['rows.jsonl'] as Iterable<JsonObject>)] as EstimateRow[]));
    comparisons.push(JSON.parse(made['comparisons.json'] as string) as PolicyComparisons);
  }
  return { estimates, comparisons, transport: quality.transport };
}

describe('results in the units of the labels', () => {
  it('are affine images of those on the unit scale', async () => {
    const inUnits = await results((label) => label, { label_scale: [1, 5] });
    const unit = await results(onUnit, {});
    expect(unit.data.quality.scale).toBeUndefined();
    expect(inUnits.data.quality.scale).toEqual([1, 5]);
    expect(inUnits.told.estimates).toHaveLength(9);
    for (const [index, after] of inUnits.told.estimates.entries()) {
      const before = unit.told.estimates[index]!;
      if (before.status !== 'ok' || after.status !== 'ok') throw new Error(`${before.policy} is refused`);
      for (const level of ['estimate', 'lower', 'upper'] as const)
        expect(after[level]).toBeCloseTo(1 + 4 * before[level], 11);
      for (const error of ['standardError', 'oracleStandardError', 'samplingStandardError'] as const)
        expect(after[error]).toBeCloseTo(4 * before[error], 11);
      expect(after.sharedVariance).toBeCloseTo(16 * before.sharedVariance, 11);
    }
    const pairs = ({ told: of }: typeof unit) => of.comparisons.flatMap((each) => each.pairs);
    expect(pairs(inUnits).length).toBeGreaterThan(0);
    for (const [index, after] of pairs(inUnits).entries()) {
      const before = pairs(unit)[index]!;
      expect(after.difference).toBeCloseTo(4 * before.difference, 11);
      expect(after.simultaneousLower).toBeCloseTo(4 * before.simultaneousLower, 11);
      expect(after.pValue).toBeCloseTo(before.pValue, 11);
    }
    const [audit] = inUnits.told.transport;
    expect(audit!.margin).toBeCloseTo(4 * unit.told.transport[0]!.margin!, 11);
    expect(audit!.bias).toBeCloseTo(4 * unit.told.transport[0]!.bias!, 11);
    const curve = ({ data }: typeof unit) => data.quality.calibration!.curve;
    expect(curve(inUnits).map(([, reward]) => reward)).toEqual(
      curve(unit).map(([, reward]) => expect.closeTo(1 + 4 * reward, 11)),
    );
  });

  it('are planned in', () => {
    const common = { status: 'ok', perPrompt: 0.09, perLabel: 0.04, rSquared: null, standardError: 0.02 } as const;
    const pilot: Pilot = {
      prompts: 200,
      labels: 50,
      ownLabels: 0,
      policies: ['a', 'b'].map((policy) => ({ ...common, policy })),
      pairs: [
        {
          a: 'a',
          b: 'b',
          perPrompt: 0.01,
          perLabel: 0.02,
          overstated: 0.5,
          remaining: 0.000001,
          rSquared: null,
          standardError: 0.01,
          degreesOfFreedom: 90,
        },
      ],
    };
    const plan = (of: Pilot, difference: number) =>
      outlookOf({
        dataset: 'dataset',
        estimator: 'direct',
        pilot: of,
        prices: { score: 0.01, label: 0.1 },
        goal: { type: 'difference', difference },
        options: POWER,
      });
    const [unit, scaled] = [plan(pilot, 0.02), plan(pilotInUnits(pilot, unitsOf([1, 5])), 0.08)];
    expect(scaled.detectableDifference).toBeCloseTo(4 * unit.detectableDifference, 11);
    expect(scaled.plan).toMatchObject({ prompts: unit.plan!.prompts, labels: unit.plan!.labels });
    expect(scaled.plan!.standardError).toBeCloseTo(4 * unit.plan!.standardError, 11);
  });

  it('are those of whatever else a report holds: levels move with the scale’s lower end, differences and errors do not', () => {
    const units = unitsOf([1, 5]);
    const audit: TransportResult = {
      policy: 'p',
      state: 'pass',
      labels: 30,
      bias: 0.01,
      lower: -0.02,
      upper: 0.03,
      margin: 0.05,
      detectableBias: 0.04,
      labelsToPass: 100,
    };
    expect(transportInUnits(audit, units)).toEqual({
      ...audit,
      bias: 0.04,
      lower: -0.08,
      upper: 0.12,
      margin: 0.2,
      detectableBias: 0.16,
    });
    expect(transportInUnits({ ...audit, bias: null }, units).bias).toBeNull();
    const row: GridRow = {
      ablation: 'a',
      estimator: 'direct',
      reward_calibration: 'auto',
      covariates: '',
      sample_size: 40,
      oracle_coverage: 0.5,
      seed: 0,
      policy: 'p',
      held: 0.5,
      held_error: 0.01,
      status: 'ok',
      estimate: 0.25,
      standard_error: 0.02,
      lower: 0.125,
      upper: 0.375,
      covered: false,
      n: 40,
    };
    expect(gridRowInUnits(row, units)).toEqual({
      ...row,
      held: 3,
      held_error: 0.04,
      estimate: 2,
      standard_error: 0.08,
      lower: 1.5,
      upper: 2.5,
    });
    const { quality, truth } = fakeData();
    const { calibration, scores } = quality[0]!;
    const own = [{ ...scores[0]!, mean: 0.5, standardDeviation: 0.25 }];
    expect(scoresInUnits({ scores: own, scale: [1, 5] })).toMatchObject([{ mean: 3, standardDeviation: 1 }]);
    const curve = { ...calibration!, curve: [[0.2, 0.5]], points: [[0.2, 0]], rmse: 0.25 } as const;
    expect(calibrationInUnits(curve, units)).toMatchObject({ curve: [[0.2, 3]], points: [[0.2, 1]], rmse: 1 });
    expect(truthInUnits({ ...truth, values: { p: 0.5 } }, units).values).toEqual({ p: 3 });
  });

  it('are told in a report as such', () => {
    expect(experimentLine({ ...fakeData(), scale: [1, 5] })).toMatch(/ · labels from 1 to 5$/);
    expect(experimentLine(fakeData())).not.toContain('labels from');
  });

  it('are the judge’s where nobody has labelled', async () => {
    const scored = lines(Array.from({ length: N }, (_, i) => ({ prompt_id: `q${i}`, judge_score: 1 + (i % 5) })));
    const { quality } = await imported({ fresh: { a: scored } }, { judge_scale: [1, 5] });
    expect(quality.scale).toEqual([1, 5]);
    expect(experimentLine({ ...fakeData(), scale: [1, 5], quality: [quality] })).toMatch(/ · scores from 1 to 5$/);
  });

  it('are on the scale that all labels share, and on the unit scale where they differ', () => {
    expect(sharedScale([undefined, [1, 5], [1, 5]])).toEqual([1, 5]);
    expect(
      sharedScale([
        [1, 5],
        [0, 10],
      ]),
    ).toBeUndefined();
    expect(
      sharedScale([
        [1, 5],
        [0, 5],
      ]),
    ).toBeUndefined();
    expect(sharedScale([undefined])).toBeUndefined();
    expect(scaleField([0, 1])).toEqual({});
  });
});
