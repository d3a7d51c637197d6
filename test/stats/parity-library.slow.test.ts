import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EstimatedPolicy, type EstimatorSettings, type EvaluationData, estimate } from '../../src/stats/index.ts';
import { CELLS } from './support/recorded-estimators.ts';
import { LIBRARY, readJson } from './support/reference-data.ts';

type Column = readonly (number | null)[];

interface Case {
  readonly data: {
    readonly policies: readonly string[];
    readonly ids: readonly string[];
    readonly scores: Column;
    readonly labels: Column;
    readonly base: Column;
    readonly target: Readonly<Record<string, Column>>;
    readonly draws: Readonly<Record<string, { readonly ids: readonly string[]; readonly scores: Column }>>;
  };
  readonly modes: Readonly<
    Record<
      'monotone' | 'two_stage' | 'auto' | 'none',
      {
        readonly selected: 'monotone' | 'two_stage' | null;
        readonly estimates: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
      }
    >
  >;
}

const column = (values: Column) => Float64Array.from(values, (value) => value ?? Number.NaN);
const filled = (length: number, value: number) => new Float64Array(length).fill(value);

function evaluationData({ policies, ids, scores, labels, base, target, draws }: Case['data']): EvaluationData {
  return {
    policies,
    logged: {
      promptIds: ids,
      judgeScores: column(scores),
      judgeVariances: filled(ids.length, 0),
      oracleLabels: column(labels),
      baseLogprobs: column(base),
      responseLengths: filled(ids.length, 0),
      targetLogprobs: new Map(policies.map((policy) => [policy, column(target[policy]!)])),
    },
    freshDraws: new Map(
      policies.map((policy) => {
        const own = draws[policy]!;
        const seen = new Map<string, number>();
        const next = (id: string) => {
          const count = seen.get(id) ?? 0;
          seen.set(id, count + 1);
          return count;
        };
        return [
          policy,
          {
            promptIds: own.ids,
            drawIndexes: Int32Array.from(own.ids, next),
            judgeScores: column(own.scores),
            judgeVariances: filled(own.ids.length, 0),
            oracleLabels: filled(own.ids.length, Number.NaN),
            responseLengths: filled(own.ids.length, 0),
          },
        ];
      }),
    ),
  };
}

/** Shapes that the recorded data sets lack; how they were made: test/fixtures/library/make.py. */
describe('an independent implementation of cje-eval 0.3.0, on random data', () => {
  const cases = readJson<Record<string, Case>>(path.join(LIBRARY, 'cases.json'));
  for (const [name, { data, modes }] of Object.entries(cases)) {
    test.each(Object.entries(modes))(`${name}, %s`, (mode, { selected, estimates }) => {
      const loaded = evaluationData(data);
      const rewardCalibration = mode === 'two_stage' ? 'two-stage' : (mode as 'monotone' | 'auto' | 'none');
      const names = Object.keys(estimates);
      const settings = names.map((cell): EstimatorSettings => ({ ...CELLS[cell]!, mode: 'parity', rewardCalibration }));
      settings.forEach((one, i) => {
        const result = estimate(one, loaded);
        expect(result.calibration?.selected ?? null).toBe(selected === 'two_stage' ? 'two-stage' : selected);
        for (const policy of result.policies as EstimatedPolicy[]) {
          const ours = [policy.estimate, policy.standardError, ...policy.interval];
          const theirs = estimates[names[i]!]![policy.policy]!;
          ours.forEach((value, k) => {
            expect(value, `${names[i]} ${policy.policy} ${k}`).toBeCloseTo(theirs[k]!, 9);
          });
        }
      });
    });
  }
});
