/** Responses that are there already: a column for each policy (wide), or a row for each (long). */

import type { SourceFile } from '../../core/kind.ts';
import { nearest, type ProblemError } from '../../core/problem.ts';
import { isUsable } from '../../core/summary.ts';
import { answerIn } from '../conversation.ts';
import { type SourceRecord, textIn, valueAt } from '../files/records.ts';
import { responseIn } from '../files/reply-text.ts';
import { readCount } from '../import/values.ts';
import { pythonStrip } from '../python-strip.ts';
import type { PromptRow, ResponseRow } from '../rows.ts';
import { ID_COLUMNS, PROMPT_COLUMNS, RESPONSE_COLUMNS } from '../usual-columns.ts';
import { fileProblem, TableFields, type TableSettings } from './fields.ts';
import { promptIdsOf } from './prompts-of.ts';

const USUAL = {
  prompt: PROMPT_COLUMNS,
  prompt_id: ID_COLUMNS,
  policy: ['policy', 'model', 'system', 'target_policy'],
  response: RESPONSE_COLUMNS,
  draw_index: ['draw_index', 'draw_idx', 'draw', 'epoch'],
  reference: [],
} as const;
type Field = keyof typeof USUAL;

interface ResponsesTable extends TableSettings {
  /** Whose responses; undefined where the file holds one policy's alone. */
  readonly policy: string | undefined;
  readonly columns: Partial<Record<Field, string | undefined>>;
  /** Further columns that go along, for judges. */
  readonly keep: readonly string[];
  /** Prompts by id, for a table that names its prompts by their ids. */
  readonly prompts?: ReadonlyMap<string, PromptRow> | undefined;
}

interface ReadResponses {
  readonly rows: readonly ResponseRow[];
  readonly notes: readonly string[];
}

/** @throws ProblemError naming the file, the column or every row that cannot be used. */
export async function readResponses(file: SourceFile, settings: ResponsesTable): Promise<ReadResponses> {
  const { policy, columns, keep, prompts } = settings;
  const table = await TableFields.read<Field>(file, settings, USUAL, columns);
  if (table.records.length === 0)
    throw fileProblem(file.label, { id: 'CJE-BAD-DATA', headline: 'this file has no rows' });
  if (prompts === undefined && !table.has('prompt') && table.has('prompt_id')) throw promptsElsewhere(table);
  table.require(prompts === undefined || table.has('prompt') ? 'prompt' : 'prompt_id');
  for (const path of keep) if (!table.hasColumn(path)) throw table.unknownColumn(path, 'column to keep');
  const { records, response } = responsesOf(table, policy, columns);
  const { idOf, notes: odd } = promptIdsOf(table, columns.prompt_id, (record) => table.asked(record, 'prompt'));
  const rows: ResponseRow[] = [];
  const drawsOf = new Map<string, number>();
  let strangers = 0;
  for (const record of records) {
    const prompt_id = idOf(record);
    const known = prompts === undefined || prompt_id === undefined ? undefined : prompts.get(prompt_id);
    if (prompts !== undefined && prompt_id !== undefined && known === undefined) {
      strangers++;
      continue;
    }
    const asked = table.asked(record, 'prompt');
    const prompt = known?.prompt ?? pythonStrip(asked?.prompt ?? '');
    if (prompt === '' || prompt_id === undefined) {
      table.mistake(record, 'no prompt', 'there is no prompt');
      continue;
    }
    const next = drawsOf.get(prompt_id) ?? 0;
    drawsOf.set(prompt_id, next + 1);
    const index = table.read(record, 'draw_index');
    const given = index === null ? undefined : readCount(index, 'draw_index');
    if (given !== undefined && !given.ok) {
      table.mistake(record, given.category, given.message);
      continue;
    }
    const read = { prompt_id, prompt, response: response(record), draw: given?.value ?? next };
    const extras =
      known === undefined ? (asked?.turns === undefined ? {} : { messages: asked.turns }) : extrasOf(known);
    rows.push({ ...rowOf(table, record, read, keep), ...extras });
  }
  table.settle(() => '');
  if (rows.length === 0 && strangers > 0) {
    throw fileProblem(file.label, {
      id: 'CJE-BAD-DATA',
      headline: 'no row of this file is of a prompt here',
      hint: 'Its prompts must go by the ids that `out/prompts/rows.jsonl` has, or by their very texts.',
    });
  }
  refuseTwice(file.label, rows);
  const missing = rows.filter(({ status }) => !isUsable(status)).length;
  const notes = [...odd, ...table.notes];
  if (missing > 0)
    notes.push(`${missing} of ${rows.length} rows have no response${policy === undefined ? '' : ` of ${policy}`}`);
  if (strangers > 0)
    notes.push(`${strangers} of ${strangers + rows.length} rows are of prompts that are not among the prompts, unused`);
  return { rows: single(rows), notes };
}

const promptsElsewhere = ({ label, columns }: TableFields<Field>): ProblemError =>
  fileProblem(label, {
    id: 'CJE-NO-COLUMN',
    headline: `${label} has no column for prompt`,
    facts: [['it has', columns.slice(0, 30).join(', ')]],
    hint:
      'Say which it is: `columns: {prompt: NAME}`. Where its rows name prompts of another file by their ids, give that file too: ' +
      'the input `prompts:` of the stage, with `cje init` the option `--prompts`.',
  });

/** Which rows are the policy's, and where its response stands in one. */
function responsesOf(
  table: TableFields<Field>,
  policy: string | undefined,
  columns: ResponsesTable['columns'],
): { readonly records: readonly SourceRecord[]; readonly response: (record: SourceRecord) => string | undefined } {
  // A conversation that ends with an answer holds the response.
  const answered = !table.has('response') && table.records.some((record) => isAnswered(table, record));
  const inColumn = (record: SourceRecord) =>
    answered ? answerIn(table.read(record, 'prompt')) : responseIn(table.read(record, 'response'));
  const requireResponse = () => (answered ? undefined : table.require('response'));
  if (policy === undefined) {
    requireResponse();
    return { records: table.records, response: inColumn };
  }
  // A column of the policy's own name is a wide table, unless rows are told apart by a column that was named.
  const own = columns.response ?? (columns.policy === undefined ? policy : undefined);
  if (
    columns.policy === undefined &&
    own !== undefined &&
    table.columns.includes(own) &&
    (own === policy || !table.has('policy'))
  ) {
    return { records: table.records, response: (record) => responseIn(record.fields[own]) };
  }
  if (!table.has('policy')) {
    throw table.absentColumn('policy', [policy, ...USUAL.policy]);
  }
  requireResponse();
  const nameOf = (record: SourceRecord) => table.text(record, 'policy')?.trim();
  const records = table.records.filter((record) => nameOf(record) === policy);
  if (records.length > 0) return { records, response: inColumn };
  const known = [...new Set(table.records.flatMap((record) => nameOf(record) ?? []))];
  const near = nearest(policy, known);
  throw fileProblem(table.label, {
    id: 'CJE-UNKNOWN-POLICY',
    headline: `${table.label} has no response of the policy '${policy}'`,
    facts: [['found', known.slice(0, 20).join(', ')]],
    ...(near === undefined ? {} : { hint: `Did you mean '${near}'?` }),
  });
}

const isAnswered = (table: TableFields<Field>, record: SourceRecord): boolean =>
  answerIn(table.read(record, 'prompt')) !== undefined;

/** What goes along with a prompt, for the row that is made of it. */
function extrasOf({ messages, reference, columns }: PromptRow): Partial<ResponseRow> {
  return {
    ...(messages === undefined ? {} : { messages }),
    ...(reference === undefined ? {} : { reference }),
    ...(columns === undefined ? {} : { columns }),
  };
}

interface Given {
  readonly prompt_id: string;
  readonly prompt: string;
  readonly response: string | undefined;
  readonly draw: number;
}

function rowOf(table: TableFields<Field>, record: SourceRecord, given: Given, keep: readonly string[]): ResponseRow {
  const { prompt_id, prompt, response, draw } = given;
  const reference = table.text(record, 'reference');
  const kept = keep.flatMap((path) => {
    const text = textIn(valueAt(record.fields, path));
    return text === undefined ? [] : [[path, text] as const];
  });
  const written = response !== undefined && response.trim() !== '';
  return {
    prompt_id,
    prompt,
    status: written ? 'ok' : 'no_response',
    response: written ? response : null,
    finish_reason: null,
    model: null,
    temperature: 1,
    top_p: 1,
    usage: null,
    draw_index: draw,
    ...(reference === undefined ? {} : { reference }),
    ...(kept.length === 0 ? {} : { columns: Object.fromEntries(kept) }),
  };
}

/** @throws ProblemError where two rows claim to be one draw. */
function refuseTwice(label: string, rows: readonly ResponseRow[]): void {
  const seen = new Set<string>();
  for (const { prompt_id, draw_index } of rows) {
    const name = `${draw_index}\n${prompt_id}`;
    if (!seen.has(name)) {
      seen.add(name);
      continue;
    }
    throw fileProblem(label, {
      id: 'CJE-BAD-DATA',
      headline: `two rows are draw ${draw_index} of the prompt ${JSON.stringify(prompt_id)}`,
      hint: 'Number the draws of a prompt from 0, or leave the column out.',
    });
  }
}

/** Without an index where every prompt is answered once. */
function single(rows: readonly ResponseRow[]): readonly ResponseRow[] {
  if (rows.some(({ draw_index }) => draw_index !== 0)) return rows;
  return rows.map(({ draw_index: _, ...row }) => row);
}
