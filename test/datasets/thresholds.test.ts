/** The thresholds of data where a gates file leaves them out: one edit of them moves what every user is refused. */

import { expect, it } from 'vitest';
import { gatesSchema, USUAL_GATES } from '../../src/datasets/gates-file.ts';

it('are those of docs/statistics.md, and none of the overlap: estimators have their own', () => {
  const usual = {
    data: {
      usable_share: 0.95,
      zero_rate: 0.04,
      clone_mean_tolerance: 0.1,
      clone_ess_share: 0.9,
      consistency_slope: 0.02,
      consistency_token: 0.05,
      consistency_row: 1,
      consistency_largest: 0.5,
      retokenized_share: 0.05,
      maximum_truncated: 0.2,
    },
    overlap: {},
  };
  expect(USUAL_GATES).toEqual(usual);
  expect(gatesSchema.parse({ data: {}, overlap: {} })).toMatchObject(usual);
});

const DATA = Object.keys(USUAL_GATES.data) as (keyof typeof USUAL_GATES.data)[];

const isShare = (name: string) => /share|rate|truncated/.test(name);

it.each(DATA.filter(isShare))('%s is a share', (name) => {
  const parsed = (value: number) => gatesSchema.safeParse({ data: { [name]: value }, overlap: {} }).success;
  expect([-0.01, 0, 1, 1.01].map(parsed)).toEqual([false, true, true, false]);
});

it.each(DATA.filter((name) => !isShare(name)))('%s is above 0', (name) => {
  const parsed = (value: number) => gatesSchema.safeParse({ data: { [name]: value }, overlap: {} }).success;
  expect([-1, 0, 0.001, 50].map(parsed)).toEqual([false, false, true, true]);
});
