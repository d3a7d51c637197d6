import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EstimatedRow, EstimateRow, RefusedRow } from '../../src/datasets/results.ts';
import { diffEstimates } from '../../src/report/model/difference.ts';
import { fakeData } from './fake-data.ts';

const rows = fakeData().estimates;
const isOk = (row: EstimateRow): row is EstimatedRow => row.status === 'ok';
const first = rows.find(isOk)!;
const refused: RefusedRow = { ...rows.find((row): row is RefusedRow => row.status === 'refused')! };
const sameCell = { scorer: first.scorer, ablation: first.ablation, policy: first.policy };

const told = (estimates: readonly EstimateRow[], scale?: readonly [number, number]) => ({
  estimates,
  quality: [{ scorer: first.scorer, ...(scale === undefined ? {} : { scale }) }],
});

describe('diffEstimates', () => {
  it('knows no difference between numbers in other units', () => {
    const after = { ...first, estimate: 1 + 4 * first.estimate };
    expect(diffEstimates(told([first]), told([after], [1, 5])).changes).toEqual([
      { ...sameCell, type: 'other-units', before: first, after },
    ]);
    expect(diffEstimates(told([first], [0, 1]), told([first])).unchanged).toBe(1);
  });

  it('finds nothing between a build and itself', () => {
    expect(diffEstimates(told(rows), told(structuredClone(rows)))).toEqual({ changes: [], unchanged: rows.length });
  });

  it('says how far an estimate moved, with its sign', () => {
    const after = { ...first, estimate: first.estimate - 0.25 };
    const { changes } = diffEstimates(told([first]), told([after]));
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ type: 'moved', ...sameCell, before: first, after });
    expect(changes[0]?.type === 'moved' && changes[0].delta).toBeCloseTo(-0.25, 12);
  });

  it('counts a change of the interval alone as a move by 0', () => {
    const { changes } = diffEstimates(told([first]), told([{ ...first, upper: first.upper + 0.01 }]));
    expect(changes).toMatchObject([{ type: 'moved', delta: 0 }]);
    const surer = { ...first, standardError: first.standardError / 2 };
    expect(diffEstimates(told([first]), told([surer])).changes).toMatchObject([{ type: 'moved', delta: 0 }]);
  });

  it('tells refusals from estimates, and new cells from removed ones', () => {
    const asRefused: RefusedRow = { ...refused, ...sameCell };
    const types = (before: EstimateRow[], after: EstimateRow[]) =>
      diffEstimates(told(before), told(after)).changes.map(({ type }) => type);
    expect(types([first], [asRefused])).toEqual(['newly-refused']);
    expect(types([asRefused], [first])).toEqual(['newly-estimated']);
    expect(types([asRefused], [{ ...asRefused, gate: 'other' }])).toEqual(['refused-otherwise']);
    expect(types([asRefused], [{ ...asRefused, reason: 'said otherwise' }])).toEqual([]);
    expect(types([], [first])).toEqual(['added']);
    expect(types([first], [])).toEqual(['removed']);
  });

  it('accounts for every cell of either build exactly once', () => {
    const subset = fc.subarray([...rows]);
    fc.assert(
      fc.property(subset, subset, (before, after) => {
        const { changes, unchanged } = diffEstimates(told(before), told(after));
        const cells = new Set(
          [...before, ...after].map(({ scorer, ablation, policy }) => `${scorer}/${ablation}/${policy}`),
        );
        expect(changes.length + unchanged).toBe(cells.size);
        expect(changes.filter(({ type }) => type === 'added').length).toBe(cells.size - before.length);
      }),
    );
  });
});
