/**
 * The caller's units. Labels come on a scale [a, b] and are worked with on [0, 1]; whatever is told of them is told on [a, b]
 * again: a level x as a + (b − a)x, a difference or an error as (b − a)d.
 */

import type { GridRow } from './grid-rows.ts';
import type { DatasetQuality, EstimateRow, PolicyComparisons, TransportResult, Truth } from './results.ts';
import { type Scale, UNIT_SCALE } from './scale.ts';

export interface Units {
  readonly level: (value: number) => number;
  /** Of differences, standard errors and margins. */
  readonly difference: (value: number) => number;
  readonly variance: (value: number) => number;
  /** A difference that somebody wrote in these units, on [0, 1]. */
  readonly unitDifference: (value: number) => number;
}

export function unitsOf([low, high]: Scale = UNIT_SCALE): Units {
  const range = high - low;
  return {
    level: (value) => low + range * value,
    difference: (value) => range * value,
    variance: (value) => range ** 2 * value,
    unitDifference: (value) => value / range,
  };
}

export function estimateInUnits(row: EstimateRow, { level, difference, variance }: Units): EstimateRow {
  if (row.status === 'refused') return row;
  return {
    ...row,
    estimate: level(row.estimate),
    lower: level(row.lower),
    upper: level(row.upper),
    standardError: difference(row.standardError),
    samplingStandardError: difference(row.samplingStandardError),
    oracleStandardError: difference(row.oracleStandardError),
    sharedVariance: variance(row.sharedVariance),
    extrapolationStandardError: difference(row.extrapolationStandardError),
    ...(row.stabilisationStandardError === undefined
      ? {}
      : { stabilisationStandardError: difference(row.stabilisationStandardError) }),
    judgeStandardError: difference(row.judgeStandardError),
  };
}

export function comparisonsInUnits(comparisons: PolicyComparisons, { difference }: Units): PolicyComparisons {
  return {
    ...comparisons,
    pairs: comparisons.pairs.map((pair) => ({
      ...pair,
      difference: difference(pair.difference),
      standardError: difference(pair.standardError),
      lower: difference(pair.lower),
      upper: difference(pair.upper),
      simultaneousLower: difference(pair.simultaneousLower),
      simultaneousUpper: difference(pair.simultaneousUpper),
    })),
  };
}

export function transportInUnits(audit: TransportResult, { difference }: Units): TransportResult {
  const told = (value: number | null) => (value === null ? null : difference(value));
  const { bias, lower, upper, margin, detectableBias } = audit;
  return {
    ...audit,
    bias: told(bias),
    lower: told(lower),
    upper: told(upper),
    margin: told(margin),
    detectableBias: told(detectableBias),
  };
}

type Calibration = NonNullable<DatasetQuality['calibration']>;

export function calibrationInUnits(calibration: Calibration, { level, difference }: Units): Calibration {
  const { curve, points, rmse } = calibration;
  return {
    ...calibration,
    curve: curve.map(([score, reward]) => [score, level(reward)]),
    points: points.map(([score, label]) => [score, level(label)]),
    rmse: difference(rmse),
  };
}

/** Scores of each policy on the labels' scale, where they meet `naive` and the labels. */
export function scoresInUnits({ scores, scale }: Pick<DatasetQuality, 'scores' | 'scale'>): DatasetQuality['scores'] {
  const { level, difference } = unitsOf(scale);
  return scores.map((policy) => ({
    ...policy,
    mean: level(policy.mean),
    standardDeviation: difference(policy.standardDeviation),
  }));
}

export function gridRowInUnits(row: GridRow, { level, difference }: Units): GridRow {
  const held = { held: level(row.held), held_error: difference(row.held_error) };
  if (row.status === 'refused') return { ...row, ...held };
  return {
    ...row,
    ...held,
    estimate: level(row.estimate),
    standard_error: difference(row.standard_error),
    lower: level(row.lower),
    upper: level(row.upper),
  };
}

export const truthInUnits = (truth: Truth, { level }: Units): Truth => ({
  ...truth,
  values: Object.fromEntries(Object.entries(truth.values).map(([policy, value]) => [policy, level(value)])),
});
