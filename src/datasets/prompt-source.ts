/** The rows of a file of prompts: where each has its prompt, its conversation and its id. */

import { z } from 'zod';
import { isJsonObject } from '../core/json.ts';
import { SourceError, type SourceFile } from '../core/kind.ts';
import { nearest } from '../core/problem.ts';
import { asked, readConversation, type Turn } from './conversation.ts';
import { KEY_TWICE } from './files/json-lines.ts';
import { valueAt } from './files/records.ts';
import { readRecords } from './files/table.ts';
import { SAVE_AS_UTF8 } from './files/unpack.ts';

/** Where a row may have its prompt; the first that is there counts. */
const PROMPT_FIELDS = [
  'prompt',
  'conversation_a',
  'conversation',
  'messages',
  'conversations',
  'instruction',
  'turns',
  'question',
  'query',
  'user_prompt',
  'user_input',
  'input',
  'problem',
] as const;

/** Where the original experiment's data has conversations, of which its prompts are the first turns alone. */
const FIRST_TURN_ALONE: ReadonlySet<string> = new Set(['conversation_a', 'conversation']);

/** Conversations of which a plain text would not say who speaks. */
const TURNS_ARE_OBJECTS: ReadonlySet<string> = new Set(['conversation_a', 'conversation', 'messages', 'conversations']);

/** Where a row may have its id. */
export const ID_FIELDS = [
  'prompt_id',
  'id',
  'uid',
  'question_id',
  'task_id',
  'conversation_id',
  'example_id',
  'sample_id',
  'doc_id',
  'qid',
  'uuid',
  'guid',
  'key',
  '_id',
] as const;

/** What stands beside an instruction: the text that it is about. */
const CONTEXT = 'input';

const column = () => z.string().min(1);

export const promptColumnsSchema = z.strictObject({
  prompt: column().optional(),
  prompt_id: column().optional(),
  language: column().optional(),
  reference: column().optional(),
});
export type PromptColumns = z.infer<typeof promptColumnsSchema>;

/** A row as the file has it. Fields that are absent are undefined, those that are empty null. */
export interface SourceRow {
  /** Counted from 0 over the rows of the file. */
  readonly row: number;
  /** For messages; undefined in files that have no lines. */
  readonly line: number | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a row asks. */
interface SourcePrompt {
  /** As written; '' where the row has the field and nothing in it. */
  readonly prompt: string;
  /** All turns up to the last of the user, where they are more than the prompt. */
  readonly turns?: readonly Turn[];
  /** Turns that are in the row and are not asked. */
  readonly leftOut: number;
}

/** A prompt that a sample may hold. */
export interface UsablePrompt {
  readonly row: SourceRow;
  readonly prompt: string;
  readonly turns: readonly Turn[] | undefined;
}

/** @throws SourceError where the file is not what it claims to be, or has a row that is none. */
export async function readSourceRows(
  file: SourceFile,
  columns: PromptColumns = {},
  keep: readonly string[] = [],
): Promise<SourceRow[]> {
  const mapped = Object.values(columns).filter((path) => path !== undefined);
  const known = new Set<string>([...ID_FIELDS, 'language', CONTEXT, ...rootsOf(mapped), ...rootsOf(keep)]);
  const field = (present: readonly string[]) => PROMPT_FIELDS.find((name) => present.includes(name));
  const table = await readRecords(file, {
    missing: new Set(),
    wanted: (name, present) => known.has(name) || (columns.prompt === undefined && name === field(present)),
  });
  if (columns.prompt === undefined && table.columns !== undefined && field(table.columns) === undefined) {
    const { columns: present } = table;
    throw new SourceError('this file has no column of prompts', {
      ...(table.records[0]?.at.line === undefined ? {} : { line: 1 }),
      ...(present.some(isName)
        ? hintsOf(`Looked for ${PROMPT_FIELDS.join(', ')}; it has ${present.join(', ')}.`, present)
        : {
            hint: `Its first line is to name the columns, such as \`prompt\`, and reads ${JSON.stringify(clipped(present.join(' ')))}. Was something else saved in its place?`,
          }),
    });
  }
  const [fault] = table.faults;
  if (fault !== undefined) {
    const { line, row } = fault.at;
    throw new SourceError(`${line === undefined ? `row ${row + 1}: ` : ''}${fault.message}`, {
      ...(line === undefined ? {} : { line }),
      hint:
        HINTS[fault.category] ??
        'Each line is to be one JSON object with a prompt, such as {"prompt": "How do tides work?"}.',
    });
  }
  const rows = table.records.map(({ at, fields }) => ({ row: at.row, line: at.line, fields }));
  for (const path of [...mapped, ...keep]) refuseUnknown(path, rows, table.columns);
  return rows;
}

const HINTS: Readonly<Record<string, string>> = {
  'not UTF-8 text': SAVE_AS_UTF8,
  [KEY_TWICE]: 'Two values of one name cannot both be meant: remove or rename one.',
  'the header again': 'Remove that line: the header stands at the top alone.',
  'other cells than the header': 'A cell that holds a comma or a line break stands in double quotes.',
};

/** What a column may be called; a sentence, an address or a tag is data. */
const isName = (column: string): boolean => /^[\p{L}\p{N}_ .-]{1,40}$/u.test(column) && !/\s\S+\s\S+\s/.test(column);
const clipped = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

const rootsOf = (paths: readonly string[]): string[] => paths.flatMap((path) => [path, path.split('.')[0]!]);

function refuseUnknown(path: string, rows: readonly SourceRow[], columns: readonly string[] | undefined): void {
  if (rows.length === 0 || columns?.includes(path) || rows.some(({ fields }) => valueAt(fields, path) !== undefined)) {
    return;
  }
  const known = columns ?? [...new Set(rows.flatMap(({ fields }) => Object.keys(fields)))];
  const near = nearest(path, known);
  throw new SourceError(`no row has the column '${path}'`, {
    hint: near === undefined ? `The file has ${known.slice(0, 20).join(', ')}.` : `Did you mean '${near}'?`,
  });
}

/** How to say which column holds the prompt: in a pipeline, or in the file where there is none yet. */
function hintsOf(said: string, present: readonly string[]): { hint: string; fileHint: string } {
  const column = present.find((name) => !ID_FIELDS.some((id) => id === name));
  return {
    hint: `${said}${column === undefined ? '' : ` Say which: \`columns: {prompt: ${column}}\`.`}`,
    fileHint: `${said} Name the column with the prompts \`prompt\`.`,
  };
}

/** Reads prompts of the rows of one file. */
export class PromptReader {
  readonly #columns: PromptColumns;
  /** All prompts of the file are lists written as text, as some preference data has them. */
  readonly #lists: boolean;

  constructor(rows: readonly SourceRow[], columns: PromptColumns = {}) {
    this.#columns = columns;
    const written = rows.map((row) => this.#value(row)?.value).filter((value) => typeof value === 'string');
    const texts = written.filter((value) => value.trim() !== '');
    this.#lists = texts.length > 0 && texts.every((text) => listIn(text) !== undefined);
  }

  /** @throws SourceError for a row that says nowhere what it asks. */
  read(row: SourceRow): SourcePrompt {
    const found = this.#value(row);
    if (found === undefined) {
      throw new SourceError(`${place(row)}this row has no prompt`, {
        ...atLine(row),
        ...hintsOf(`Looked for ${PROMPT_FIELDS.join(', ')}.${fieldsOf(row)}`, Object.keys(row.fields)),
      });
    }
    const { field, value } = found;
    if (value === null) return { prompt: '', leftOut: 0 };
    if (typeof value === 'string') {
      if (this.#lists || TURNS_ARE_OBJECTS.has(field)) return this.#conversation(row, field, listIn(value));
      return { prompt: field === 'instruction' ? withContext(row, value) : value, leftOut: 0 };
    }
    if (field === 'prompt' && !Array.isArray(value)) {
      throw new SourceError(`${place(row)}the prompt is not a text`, atLine(row));
    }
    return this.#conversation(row, field, value);
  }

  /** The language that the row says, undefined where it says none. */
  language(row: SourceRow): unknown {
    return valueAt(row.fields, this.#columns.language ?? 'language');
  }

  #value({ fields }: SourceRow): { readonly field: string; readonly value: unknown } | undefined {
    const { prompt } = this.#columns;
    if (prompt !== undefined) {
      const value = valueAt(fields, prompt);
      return { field: prompt, value: value ?? null };
    }
    const field = PROMPT_FIELDS.find((name) => fields[name] !== undefined);
    return field === undefined ? undefined : { field, value: fields[field] };
  }

  #conversation(row: SourceRow, field: string, value: unknown): SourcePrompt {
    const read = readConversation(value, !TURNS_ARE_OBJECTS.has(field));
    if (!read.ok) {
      throw new SourceError(`${place(row)}${field} ${read.message}`, {
        ...atLine(row),
        ...(memberHints(field, value) ?? {
          hint: 'A conversation is a list of turns such as {"role": "user", "content": "How do tides work?"}.',
        }),
      });
    }
    const first = read.turns.find(({ role }) => role === 'user');
    if (first === undefined) return { prompt: '', leftOut: 0 };
    if (FIRST_TURN_ALONE.has(field)) return { prompt: first.content, leftOut: 0 };
    const turns = asked(read.turns);
    return { prompt: first.content, leftOut: read.leftOut, ...(turns.length === 1 ? {} : { turns }) };
  }
}

/** Where an object stands whose text is the prompt. */
function memberHints(field: string, value: unknown): { hint: string; fileHint: string } | undefined {
  const member = isJsonObject(value) ? Object.keys(value).find((name) => typeof value[name] === 'string') : undefined;
  if (member === undefined) return undefined;
  return {
    hint: `Say which text it is: \`columns: {prompt: ${field}.${member}}\`.`,
    fileHint: `Write the text of \`${field}.${member}\` in a column of its own, \`prompt\`.`,
  };
}

/** Alpaca's instruction, with what it is about under it. */
function withContext({ fields }: SourceRow, instruction: string): string {
  const context = fields[CONTEXT];
  return typeof context === 'string' && context.trim() !== '' ? `${instruction}\n\n${context}` : instruction;
}

/** A JSON list of texts or of turns that was written as a text. */
function listIn(text: string): readonly unknown[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const turns = Array.isArray(value) && value.length > 0 && readConversation(value, true).ok;
    return turns ? (value as readonly unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

/** Rows without a line are named in the message. */
export const place = (row: SourceRow): string => (row.line === undefined ? `row ${row.row + 1}: ` : '');
export const atLine = (row: SourceRow): { line?: number } => (row.line === undefined ? {} : { line: row.line });

function fieldsOf(row: SourceRow): string {
  const names = Object.keys(row.fields).slice(0, 12);
  if (names.length === 0) return ' It has no fields.';
  return ` It has ${names.map((name) => JSON.stringify(name)).join(', ')}.`;
}
