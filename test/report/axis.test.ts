/** Axes as whole values: what a chart is told of its steps, digits and ends. */

import { describe, expect, it } from 'vitest';
import { hiddenAxis, minus, scoreAxisName, tickStep, tightAxis, valueAxis } from '../../src/report/charts/axis.ts';

describe('a step', () => {
  it.each([
    [0, 1, 5, 0.2],
    [0, 1, 4, 0.5],
    [0, 1, 10, 0.1],
    [0, 7, 4, 2],
    [0, 8, 4, 2],
    [0, 8.1, 4, 5],
    [0, 21, 4, 10],
    [-0.03, 0.05, 8, 0.01],
    [0, 0.000_42, 3, 0.0002],
    [0, 99, 1, 100],
    [3, 3, 5, 1],
    [0, 6, 0, 10],
  ])('of %d to %d in at most %i pieces is %d', (from, to, pieces, step) => {
    expect(tickStep({ from, to }, pieces)).toBeCloseTo(step, 12);
  });

  it('is 1, 2 or 5 times a power of ten, the least that is wide enough', () => {
    for (let pieces = 1; pieces <= 9; pieces++) {
      for (const width of [0.003, 0.07, 0.5, 1, 3.3, 20, 640]) {
        const step = tickStep({ from: 0, to: width }, pieces);
        expect([1, 2, 5]).toContain(Number((step / 10 ** Math.floor(Math.log10(step) + 1e-9)).toPrecision(6)));
        expect(step * pieces).toBeGreaterThanOrEqual(width * (1 - 1e-9));
        // The next smaller one is at most 2.5 times smaller.
        expect((step / 2.5) * pieces).toBeLessThan(width * (1 + 1e-9));
      }
    }
  });
});

const RANGE = { from: -0.5, to: 1 };

describe('an axis', () => {
  it('goes from end to end in equal steps, its labels with as many digits as tell them apart', () => {
    const { axisLabel, ...axis } = valueAxis(RANGE, 0.25, { name: 'difference' });
    expect(axis).toMatchObject({
      type: 'value',
      min: -0.5,
      max: 1,
      interval: 0.25,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { show: true },
      name: 'difference',
      nameLocation: 'middle',
    });
    const label = (step: number, value: number) => valueAxis(RANGE, step).axisLabel.formatter(value);
    expect([label(0.1, 0.2), label(0.2, -0.4), label(0.05, 0.5), label(0.001, -0.5)]).toEqual([
      '0.2',
      '−0.4',
      '0.50',
      '−0.500',
    ]);
    expect([label(1, 3), label(10, -20), label(0.1, -0.01)]).toEqual(['3', '−20', '0.0']);
    expect(axisLabel.fontSize).toBe(11);
    expect(valueAxis(RANGE, 0.25, { grid: false }).splitLine.show).toBe(false);
    expect(valueAxis(RANGE, 0.25)).not.toHaveProperty('name');
  });

  it('of just a range has a tick at each whole step inside it, its ends too', () => {
    const ticks = (from: number, to: number, step: number) => {
      const axis = tightAxis({ from, to }, step);
      expect(axis).not.toHaveProperty('interval');
      expect(axis.axisTick.customValues).toEqual(axis.axisLabel.customValues);
      return axis.axisLabel.customValues;
    };
    expect(ticks(0.13, 0.61, 0.1)).toEqual([0.2, 0.3, 0.4, 0.5, 0.6]);
    expect(ticks(-0.2, 0.3, 0.1)).toEqual([-0.2, -0.1, 0, 0.1, 0.2, 0.3]);
    expect(ticks(0.11, 0.19, 0.1)).toEqual([]);
    expect(ticks(0, 1e6, 1)).toHaveLength(100);
  });

  it('that is hidden has the range alone, and scores are named with their scale', () => {
    expect(hiddenAxis(RANGE, true)).toEqual({ type: 'value', min: -0.5, max: 1, show: false, inverse: true });
    expect([scoreAxisName(undefined), scoreAxisName([1, 5])]).toEqual(['judge score', 'judge score, from 1 to 5']);
    expect([minus('-1.5'), minus('-0.00'), minus('-0'), minus('0.1')]).toEqual(['−1.5', '0.00', '0', '0.1']);
  });
});
