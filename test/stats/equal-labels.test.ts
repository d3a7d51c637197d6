import { expect, test } from 'vitest';
import { compareAll, type EvaluationData, estimate } from '../../src/stats/index.ts';

/** Three policies whose first labels are all 0.7; scores that differ. */
function allAlike(labels: number): EvaluationData {
  const rows = Array.from({ length: 60 }, (_, i) => i);
  const draws = (k: number) => ({
    promptIds: rows.map((i) => `q${i}`),
    drawIndexes: new Int32Array(60),
    judgeScores: Float64Array.from(rows, (i) => ((7 * i * (k + 2)) % 61) / 61),
    judgeVariances: new Float64Array(60),
    oracleLabels: Float64Array.from(rows, (i) => ((i * 37 + k * 11) % 60 < labels ? 0.7 : Number.NaN)),
    responseLengths: new Float64Array(60),
  });
  const all = [0, 1, 2].map(draws);
  const joined = (of: (d: (typeof all)[number]) => Float64Array) => Float64Array.from(all.flatMap((d) => [...of(d)]));
  return {
    logged: {
      promptIds: all.flatMap(({ promptIds }) => promptIds),
      judgeScores: joined((d) => d.judgeScores),
      judgeVariances: joined((d) => d.judgeVariances),
      oracleLabels: joined((d) => d.oracleLabels),
      baseLogprobs: new Float64Array(180).fill(Number.NaN),
      responseLengths: joined((d) => d.responseLengths),
      targetLogprobs: new Map(),
    },
    policies: ['a', 'b', 'c'],
    freshDraws: new Map(['a', 'b', 'c'].map((policy, k) => [policy, all[k]!])),
    pooled: true,
  };
}

test('own labels that are all alike: a difference has the degrees of freedom of its levels, not those of roundings', () => {
  for (const labels of [10, 12, 15]) {
    const result = estimate({ estimator: 'direct-augmented' }, allAlike(labels));
    const [level] = result.policies;
    if (level?.status !== 'ok') throw new Error(level?.message);
    // Ten labels and two of either end leave thirteen.
    expect(level.degreesOfFreedom).toBe(labels + 3);
    const pairs = compareAll(result, { draws: 200, seed: 1 });
    for (const { degreesOfFreedom } of pairs) expect(degreesOfFreedom).toBeCloseTo(Math.min(2 * (labels + 3), 30), 9);
    const halves = pairs.map(({ interval: [low, high] }) => (high - low) / 2);
    for (const half of halves) expect(half).toBeCloseTo(halves[0]!, 12);
  }
});
