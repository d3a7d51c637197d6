/** Scores that are there already, of one policy. */

import type { SourceFile } from '../../core/kind.ts';
import { noNumber, noValueHint, readCount, readOnScale, readVariance, type WordValues } from '../import/values.ts';
import type { ScoreRow } from '../rows.ts';
import { type Scale, scaleField } from '../scale.ts';
import { ID_COLUMNS, PROMPT_COLUMNS } from '../usual-columns.ts';
import { fileProblem, TableFields, type TableSettings } from './fields.ts';
import { promptIdsOf } from './prompts-of.ts';

const USUAL = {
  prompt: PROMPT_COLUMNS,
  prompt_id: ID_COLUMNS,
  policy: ['policy', 'model', 'system', 'target_policy'],
  score: ['score', 'judge_score', 'rating', 'grade'],
  variance: ['variance', 'judge_variance', 'judge_score_variance'],
  draw_index: ['draw_index', 'draw_idx', 'draw', 'epoch'],
} as const;
type Field = keyof typeof USUAL;

interface ScoresTable extends TableSettings {
  readonly policy: string | undefined;
  readonly columns: Partial<Record<Field, string | undefined>>;
  readonly scale: Scale;
  readonly values: WordValues;
}

/** @throws ProblemError naming the file, the column or every row that cannot be used. */
export async function readScores(
  file: SourceFile,
  { policy, columns, scale, values, ...settings }: ScoresTable,
): Promise<{ readonly rows: readonly ScoreRow[]; readonly notes: readonly string[] }> {
  const table = await TableFields.read<Field>(file, settings, USUAL, columns);
  // A wide table has a column of scores named for each policy.
  const own =
    policy !== undefined && columns.score === undefined && table.columns.includes(policy) ? policy : undefined;
  if (own === undefined) table.require('score');
  const byPolicy = own === undefined && policy !== undefined && table.has('policy');
  const records = byPolicy
    ? table.records.filter((record) => table.text(record, 'policy')?.trim() === policy)
    : table.records;
  if (records.length === 0) {
    const found = [...new Set(table.records.flatMap((record) => table.text(record, 'policy') ?? []))];
    throw fileProblem(file.label, {
      id: 'CJE-UNKNOWN-POLICY',
      headline: `${file.label} has no score of the policy '${policy ?? ''}'`,
      facts: [['found', found.slice(0, 20).join(', ') || 'no rows']],
    });
  }
  const { idOf, notes: odd } = promptIdsOf(table, columns.prompt_id, (record) => table.asked(record, 'prompt'));
  const rows: ScoreRow[] = [];
  const drawsOf = new Map<string, number>();
  for (const record of records) {
    const prompt_id = idOf(record);
    if (prompt_id === undefined) {
      table.mistake(record, 'no prompt_id', 'there is no prompt_id, and no prompt to make one of');
      continue;
    }
    const cell = own === undefined ? table.read(record, 'score') : (record.fields[own] ?? null);
    const score = cell === null ? null : readOnScale(cell, 'score', scale, values);
    const spread = table.read(record, 'variance');
    const variance = spread === null ? null : readVariance(spread, 'variance', scale);
    const index = table.read(record, 'draw_index');
    const draw = index === null ? null : readCount(index, 'draw_index');
    const bad = [score, variance, draw].find((read) => read !== null && !read.ok);
    if (bad !== undefined && bad !== null && !bad.ok) {
      table.mistake(record, bad.category, bad.message);
      continue;
    }
    const next = drawsOf.get(prompt_id) ?? 0;
    drawsOf.set(prompt_id, next + 1);
    const value = score?.ok === true ? score.value : null;
    rows.push({
      draw_index: draw?.ok === true ? draw.value : next,
      model: null,
      prompt_id,
      ...scaleField(scale),
      score: value,
      status: value === null ? 'missing' : 'ok',
      variance: value === null ? null : variance?.ok === true ? variance.value : 0,
    });
  }
  table.settle(
    (categories) =>
      `${noValueHint(categories)}${categories.has(noNumber('score')) ? 'Say what words stand for with `values:`. ' : ''}`,
  );
  const several = rows.some(({ draw_index }) => draw_index !== 0);
  return { rows: several ? rows : rows.map(({ draw_index: _, ...row }) => row), notes: [...odd, ...table.notes] };
}
