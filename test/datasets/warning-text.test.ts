import { describe, expect, it } from 'vitest';
import { unitsOf } from '../../src/datasets/units.ts';
import { refusalText, warningText } from '../../src/datasets/warning-text.ts';
import { DEFAULT_GATES, type GateCheck } from '../../src/stats/index.ts';

const check = (gate: GateCheck['gate'], value: number | null, more: Partial<GateCheck> = {}): GateCheck => ({
  gate,
  on: 'scores',
  value,
  threshold: 0.05,
  verdict: 'warn',
  ...more,
});
const told = (given: GateCheck, scale?: readonly [number, number]) => warningText(given, DEFAULT_GATES, unitsOf(scale));

describe('a warning', () => {
  it('says its value, rounded, beside the bound that it is held against', () => {
    expect(told(check('out-of-range', 0.061234))).toBe(
      '6.12 % of its scores lie beyond the labelled ones, where the calibration is held flat; from 5 % on that counts (out-of-range)',
    );
    expect(told(check('ess-fraction', 0.2131))).toContain('21.3 % of the rows effective, less than 30 %');
  });

  it('of the calibration is in the units of the labels', () => {
    const transport = check('transport', 0.011401764302843448);
    expect(told(transport, [1, 5])).toContain('mean error 0.0456, margin ± 0.2 (');
    expect(told(transport)).toContain('mean error 0.0114, margin ± 0.05 (');
  });

  it('says so where there is no value', () => {
    expect(told(check('tail-index', null))).toBe('the tail index of its weights cannot be computed (tail-index)');
  });

  it('has a sentence for a gate that none is written for', () => {
    expect(told(check('rows', 12, { threshold: 30, note: 'few' }))).toBe('rows is 12, bound 30: few (rows)');
  });
});

it('a refusal about labels is told in their units too, any other and the unit scale as it is', () => {
  const failed = { gate: 'transport', on: 'scores', value: -0.183, threshold: 0.05, verdict: 'refuse' } as const;
  const message = 'transport (scores) is -0.183: outside ± 0.0500';
  expect(refusalText(message, [failed], unitsOf([1, 5]))).toBe(`${message}; in the labels’ units -0.732 and 0.2`);
  expect(refusalText(message, [failed], unitsOf())).toBe(message);
  expect(refusalText('ess (raw) is 3', [{ ...failed, gate: 'ess' }], unitsOf([1, 5]))).toBe('ess (raw) is 3');
  expect(refusalText('no row has a label', [failed], unitsOf([1, 5]))).toBe('no row has a label');
});
