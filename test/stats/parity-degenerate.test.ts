import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EstimatedPolicy, type EstimatorSettings, type EvaluationData, estimate } from '../../src/stats/index.ts';
import { FIXTURES, loadCase, readJson } from './support/reference-data.ts';

type Cell = Readonly<Record<string, { readonly estimate: number; readonly se: number }>>;
interface Recorded {
  readonly cases: Readonly<Record<string, Readonly<Record<string, Cell>>>>;
}

const plain = loadCase(path.join(FIXTURES, 'plain'));
const { judgeScores, oracleLabels } = plain.logged;

const withScores = (to: (s: number) => number): EvaluationData => ({
  ...plain,
  logged: { ...plain.logged, judgeScores: judgeScores.map(to) },
});
const withLabels = (keep: (i: number) => boolean): EvaluationData => ({
  ...plain,
  logged: { ...plain.logged, oracleLabels: oracleLabels.map((y, i) => (keep(i) ? y : Number.NaN)) },
});
const labelled = Array.from(oracleLabels.keys()).filter((i) => !Number.isNaN(oracleLabels[i]!));
const first = (m: number) => new Set(labelled.slice(0, m));

const VARIANTS: Readonly<Record<string, EvaluationData>> = {
  '10 oracle labels': withLabels((i) => first(10).has(i)),
  '20 oracle labels': withLabels((i) => first(20).has(i)),
  'constant judge score': withScores(() => 0.5),
  'judge anti-correlated with oracle, mode=monotone': withScores((s) => 1 - s),
  'oracle labels only where judge <= 0.55 (out-of-range mass)': withLabels((i) => judgeScores[i]! <= 0.55),
};

const CELLS: Readonly<Record<string, EstimatorSettings>> = {
  snips: { estimator: 'snips' },
  'raw-ips': { estimator: 'snips', weightClip: 100 },
  'calibrated-ips': { estimator: 'calibrated-ips' },
  'dr-cpo': { estimator: 'dr-cpo' },
  mrdr: { estimator: 'mrdr' },
  tmle: { estimator: 'tmle' },
  direct: { estimator: 'direct' },
};

/** Parity means also the numbers that recommended mode refuses, defects and all. */
describe('degenerate data in parity mode', () => {
  const recorded = readJson<Recorded>(path.join(FIXTURES, 'degenerate.json'));
  test.each(Object.keys(VARIANTS))('%s', (name) => {
    for (const [cell, settings] of Object.entries(CELLS)) {
      const result = estimate({ ...settings, mode: 'parity', rewardCalibration: 'monotone' }, VARIANTS[name]!);
      for (const p of result.policies as EstimatedPolicy[]) {
        const theirs = recorded.cases[name]![cell]![p.policy]!;
        expect(p.estimate, `${cell} ${p.policy}`).toBeCloseTo(theirs.estimate, 9);
        expect(p.standardError, `${cell} ${p.policy}`).toBeCloseTo(theirs.se, 9);
      }
    }
  });
});
