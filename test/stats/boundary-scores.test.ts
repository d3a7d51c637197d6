import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { estimate } from '../../src/stats/index.ts';
import { FIXTURES, loadCase } from './support/reference-data.ts';

const plain = loadCase(path.join(FIXTURES, 'plain'));

describe('the boundary card', () => {
  test('in parity stands on logged scores, as recorded; in recommended on the policy’s own', () => {
    const card = (mode: 'parity' | 'recommended') => {
      const [clone, , severe] = estimate({ estimator: 'dr-cpo', mode, rewardCalibration: 'monotone' }, plain).policies;
      return [clone!, severe!].map((p) => p.diagnostics.boundary!.outOfRange);
    };
    expect(card('parity')).toEqual([0.0275, 0.0275]);
    expect(card('recommended')[1]).not.toBe(0.0275);
  });
});
