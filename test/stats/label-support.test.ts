import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fitMonotone, predictReward } from '../../src/stats/calibration/reward-function.ts';
import { inputsOf } from '../../src/stats/data/data.ts';
import { labelSupport } from '../../src/stats/diagnostics/label-support.ts';
import { estimate } from '../../src/stats/index.ts';
import { mean, sortedOrderBy } from '../../src/stats/numeric/moments.ts';
import { FIXTURES, hasShared, loadCase, SHARED_ARENA } from './support/reference-data.ts';

const inputs = (scores: readonly number[]) => inputsOf(Float64Array.from(scores), []);

function monotone(scores: Float64Array, labels: Float64Array) {
  return fitMonotone(sortedOrderBy(scores, labels), { scores }, labels);
}

describe('label support', () => {
  // Two blocks: labels 0.2 and 0.4 pool into 0.3 over [0, 0.2]; 0.8, 0.9 and 0.7 pool into 0.8 over [0.6, 1].
  const scores = Float64Array.of(0, 0.2, 0.6, 0.8, 1);
  const labels = Float64Array.of(0.4, 0.2, 0.8, 0.9, 0.7);
  const fit = monotone(scores, labels);
  const labelled = inputsOf(scores, []);

  test('a policy that scores like the labelled rows rests on all labels', () => {
    expect(labelSupport(fit, labelled, labelled)).toMatchObject({ effective: 5, labels: 5, share: 1 });
  });

  test('one that scores in a single block rests on that block’s labels', () => {
    expect(labelSupport(fit, labelled, inputs([0, 0.1, 0.1])).effective).toBeCloseTo(2, 12);
    expect(labelSupport(fit, labelled, inputs([0.7, 3])).effective).toBeCloseTo(3, 12);
  });

  test('between blocks a score counts for both, by nearness; weights count', () => {
    // A quarter of the way up: ¾ on two labels, ¼ on three.
    const effective = 1 / (0.75 ** 2 / 2 + 0.25 ** 2 / 3);
    expect(labelSupport(fit, labelled, inputs([0.3])).effective).toBeCloseTo(effective, 12);
    expect(labelSupport(fit, labelled, inputs([0, 1]), [3, 1]).effective).toBeCloseTo(effective, 12);
  });

  test('it is the effective number of the derivatives of the mean reward by each label', () => {
    const { logged, freshDraws } = loadCase(path.join(FIXTURES, 'plain'));
    const rows = Array.from(logged.oracleLabels).flatMap((y, i) => (Number.isNaN(y) ? [] : [i]));
    const at = Float64Array.from(rows, (i) => logged.judgeScores[i]!);
    const y = Float64Array.from(rows, (i) => logged.oracleLabels[i]!);
    for (const { judgeScores } of freshDraws.values()) {
      const draws = inputsOf(judgeScores, []);
      const value = (of: Float64Array) => mean(predictReward(monotone(at, of), draws));
      const step = 1e-7;
      const shares = y.map((_, j) => (value(y.map((v, i) => (i === j ? v + step : v))) - value(y)) / step);
      const total = shares.reduce((sum, a) => sum + a, 0);
      const effective = total ** 2 / shares.reduce((sum, a) => sum + a ** 2, 0);
      expect(total).toBeCloseTo(1, 4);
      expect(labelSupport(monotone(at, y), inputsOf(at, []), draws).effective).toBeCloseTo(effective, 1);
    }
  });

  test('a policy whose level rests on a handful of labels is refused, its estimate withheld', () => {
    const plain = loadCase(path.join(FIXTURES, 'plain'));
    // Six labels among the low scores, all there are among the high ones; the policy scores low.
    let low = 0;
    const oracleLabels = plain.logged.oracleLabels.map((label, i) => {
      const score = plain.logged.judgeScores[i]!;
      if (score >= 0.5) return Number.isNaN(label) ? score : label;
      return low++ < 6 ? score / 2 : Number.NaN;
    });
    const draws = plain.freshDraws.get('severe')!;
    const poor = { ...draws, judgeScores: draws.judgeScores.map((s) => Math.min(s, 1 - s)) };
    const data = {
      ...plain,
      policies: ['severe'],
      logged: { ...plain.logged, oracleLabels },
      freshDraws: new Map([['severe', poor]]),
    };
    const [cell] = estimate({ estimator: 'direct' }, data).policies;
    expect(cell).toMatchObject({ status: 'refused', code: 'low-label-support' });
    expect(cell).not.toHaveProperty('estimate');
  });

  test.runIf(hasShared)('real data: `unhelpful` scores where next to no label is; its true value is 0.143', () => {
    const cells = estimate({ estimator: 'direct' }, loadCase(SHARED_ARENA)).policies;
    expect(cells.map((p) => [p.policy, p.status === 'refused' ? p.code : p.status])).toEqual([
      ['clone', 'ok'],
      ['parallel_universe_prompt', 'ok'],
      ['unhelpful', 'low-label-support'],
    ]);
  });

  test('dr-augmented does not correct by labels that the weights leave to a few', () => {
    const plain = loadCase(path.join(FIXTURES, 'plain'));
    let kept = 0;
    const few = plain.logged.oracleLabels.map((label) => (Number.isNaN(label) || kept++ >= 15 ? Number.NaN : label));
    const refusals = (oracleLabels: Float64Array) =>
      estimate({ estimator: 'dr-augmented' }, { ...plain, logged: { ...plain.logged, oracleLabels } }).policies.map(
        (p) => (p.status === 'refused' ? [p.code, p.message] : [p.policy]),
      );
    // Fifteen labels are fifteen for the clone, and hardly one for a policy far away.
    const [clone, , severe] = refusals(few);
    expect(clone).toEqual(['clone']);
    expect(severe).toEqual([
      'too-few-oracle-labels',
      expect.stringMatching(/effective labels on logged rows to correct by than 10/),
    ]);
    expect(refusals(plain.logged.oracleLabels).flat()).not.toContain('too-few-oracle-labels');
  });
});
