/** What people said of texts: the rows of a file of labels. */

import type { SourceFile } from '../../core/kind.ts';
import { type SourceRecord, valueAt } from '../files/records.ts';
import { noNumber, noValueHint, outsideScale, readCount, readOnScale, type WordValues } from '../import/values.ts';
import type { Scale } from '../scale.ts';
import { ID_COLUMNS, PROMPT_COLUMNS, RESPONSE_COLUMNS } from '../usual-columns.ts';
import { TableFields, type TableSettings } from './fields.ts';

const USUAL = {
  text_id: ['text_id'],
  prompt_id: ID_COLUMNS,
  prompt: PROMPT_COLUMNS,
  policy: ['policy', 'model', 'system', 'target_policy'],
  response: RESPONSE_COLUMNS,
  draw_index: ['draw_index', 'draw_idx', 'draw', 'epoch'],
  label: ['label', 'oracle_label', 'rating', 'score', 'grade'],
  rater: ['rater', 'annotator', 'labeller', 'labeler', 'worker'],
} as const;
type Field = keyof typeof USUAL;

/** One person's word on one text, named by as much as the file tells. */
export interface Rating {
  /** On the unit scale. */
  readonly label: number;
  readonly rater: string | undefined;
  readonly textId: string | undefined;
  readonly promptId: string | undefined;
  readonly prompt: string | undefined;
  readonly policy: string | undefined;
  readonly response: string | undefined;
  readonly draw: number | undefined;
  readonly line: number;
}

interface RatingsTable extends TableSettings {
  readonly columns: Partial<Record<Exclude<Field, 'label'>, string | undefined>> & {
    readonly label?: string | readonly string[] | undefined;
  };
  readonly scale: Scale;
  readonly values: WordValues;
}

interface ReadRatings {
  readonly ratings: readonly Rating[];
  /** Rows of the file, labelled or not. */
  readonly rows: number;
  readonly notes: readonly string[];
}

/** @throws ProblemError naming the file, the column or every row that cannot be used. */
export async function readRatings(file: SourceFile, settings: RatingsTable): Promise<ReadRatings> {
  const { columns, scale, values } = settings;
  const labels = typeof columns.label === 'object' ? columns.label : columns.label === undefined ? [] : [columns.label];
  const { label: _, ...others } = columns;
  const named = labels[0] === undefined ? others : { ...others, label: labels[0] };
  const table = await TableFields.read<Field>(file, settings, USUAL, named);
  if (table.records.length === 0) return { ratings: [], rows: 0, notes: [] };
  table.require('label');
  for (const path of labels) if (!table.hasColumn(path)) throw table.unknownColumn(path, 'label');
  if (!table.has('text_id') && !table.has('response')) {
    if (!table.has('prompt')) table.require('prompt_id');
    table.require('policy');
  }
  const ratings: Rating[] = [];
  for (const record of table.records) {
    // Several columns of labels are as many people, who go by the names of their columns.
    const cells =
      labels.length > 1
        ? labels.map((path) => ({ cell: valueAt(record.fields, path) ?? null, rater: path }))
        : [{ cell: table.read(record, 'label'), rater: table.text(record, 'rater')?.trim() }];
    const name = nameOf(table, record);
    for (const { cell, rater } of cells) {
      if (cell === null || (typeof cell === 'string' && cell.trim() === '')) continue;
      const read = readOnScale(cell, 'label', scale, values);
      if (!read.ok) table.mistake(record, read.category, read.message);
      else if (name === undefined) table.mistake(record, 'of no text', 'it does not say which text it is of');
      else ratings.push({ ...name, label: read.value, rater });
    }
  }
  const [low, high] = scale;
  table.settle((categories) =>
    [
      noValueHint(categories),
      // Where a scale is declared, another example of one mends nothing.
      categories.has(outsideScale('label')) && low === 0 && high === 1
        ? 'Declare the scale, such as `scale: [1, 5]`. '
        : '',
      categories.has(noNumber('label'))
        ? `Say what words stand for, such as \`values: {good: ${high}, bad: ${low}}\`. `
        : '',
    ].join(''),
  );
  return { ratings, rows: table.records.length, notes: table.notes };
}

type Name = Omit<Rating, 'label' | 'rater'>;

/** Undefined where the row names no text. */
function nameOf(table: TableFields<Field>, record: SourceRecord): Name | undefined {
  const textId = table.text(record, 'text_id')?.trim() || undefined;
  const promptId = table.text(record, 'prompt_id')?.trim() || undefined;
  const prompt = table.asked(record, 'prompt')?.prompt;
  const policy = table.text(record, 'policy')?.trim() || undefined;
  const response = table.text(record, 'response');
  const index = table.read(record, 'draw_index');
  const draw = index === null ? undefined : readCount(index, 'draw_index');
  if (draw?.ok === false) return undefined;
  const named = textId !== undefined || ((promptId ?? prompt) !== undefined && (policy ?? response) !== undefined);
  if (!named) return undefined;
  return {
    textId,
    promptId,
    prompt,
    policy,
    response,
    draw: draw?.value,
    line: record.at.line ?? record.at.row + 1,
  };
}
