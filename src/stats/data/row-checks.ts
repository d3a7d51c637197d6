import { indicesWhere } from '../numeric/moments.ts';
import type { EvaluationData } from './data.ts';
import { checkPropensities } from './label-weights.ts';
import { firstFew, type Refusal, refusal } from './refusal.ts';

/** Refuses logged values outside their scale, naming rows (from 0): a bad value is never dropped in silence. */
export function checkRows({ logged }: EvaluationData): Refusal | null {
  const empty = indicesWhere(logged.promptIds.length, (i) => logged.promptIds[i] === '');
  if (empty.length > 0) {
    const message = `empty prompt id on logged rows ${firstFew(Array.from(empty))}`;
    return refusal('bad-input', message, 'A prompt id on every row.');
  }
  const fault =
    checkScale('logged rows', logged.judgeScores, logged.oracleLabels) ?? checkPropensities('logged rows', logged);
  if (fault !== null) return fault;
  for (const [name, values] of [['base policy', logged.baseLogprobs] as const, ...logged.targetLogprobs]) {
    const bad = indicesWhere(values.length, (i) => values[i]! > 0 || values[i]! === Number.NEGATIVE_INFINITY);
    if (bad.length > 0) {
      return refusal(
        'bad-input',
        `log probabilities of ${name} above 0 or infinite on logged rows ${firstFew(Array.from(bad))}`,
        'Log probabilities ≤ 0, or leave the row’s value missing.',
      );
    }
  }
  return null;
}

/** Refuses scores and labels outside [0, 1]. */
export function checkScale(where: string, scores: Float64Array, labels: Float64Array): Refusal | null {
  for (const [name, values] of [
    ['judge scores', scores],
    ['oracle labels', labels],
  ] as const) {
    // Written so that only NaN, which means missing, escapes the comparison.
    const bad = indicesWhere(values.length, (i) => values[i]! < 0 || values[i]! > 1);
    if (bad.length > 0) {
      return refusal(
        'scores-out-of-scale',
        `${name} outside [0, 1] on ${bad.length} ${where}: ${firstFew(Array.from(bad))}`,
        'Scores and labels on the unit scale (divide a 0–100 scale by 100).',
      );
    }
  }
  return null;
}

/** The refusal for absent judge scores. */
export function missingScores(where: string, rows: readonly number[]): Refusal {
  return refusal(
    'missing-judge-scores',
    `no judge score on ${rows.length} ${where}: ${firstFew(rows)}`,
    'Score these rows, or say that rows without a score are dropped.',
  );
}
