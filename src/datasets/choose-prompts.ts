/** From the rows of a source to the prompts of an experiment: what of them is usable, and the sample drawn from that. */

import { isJsonObject } from '../core/json.ts';
import { SourceError } from '../core/kind.ts';
import { pythonSample } from '../stats/compat/python/random.ts';
import type { PromptRow } from './rows.ts';
import { PROMPT_FIELDS, type SourceRow } from './source-rows.ts';

type SourcePromptRow = PromptRow & {
  /** The row of the source, counted from 0. */
  readonly source_row: number;
};

interface Choice {
  readonly samples: number;
  readonly seed: number;
  /** Keep rows of this language alone; null keeps all. Sources without the field are kept whole. */
  readonly language: string | null;
}

/**
 * First user turn, stripped; without the empty ones and, in order, without repetitions; of one language; a sample of
 * those as Python's `random.sample` draws it, in its order.
 *
 * @throws SourceError where a row is not what it should be, or where there are fewer prompts than asked for.
 */
export function choosePrompts(rows: readonly SourceRow[], { samples, seed, language }: Choice): SourcePromptRow[] {
  const { usable, counts } = usablePrompts(rows, language);
  if (samples > usable.length) {
    throw new SourceError(`samples is ${samples}, but the source has only ${usable.length} usable prompts`, {
      hint: `${account(counts, undefined)} Lower samples${counts.length > 3 ? ', or set language: null' : ''}.`,
    });
  }
  const identified = usable.map(({ row, prompt }) => ({ prompt_id: idOf(row), prompt, source_row: row.row, row }));
  refuseRepeatedIds(identified);
  return pythonSample(identified.length, samples, seed).map((index) => {
    const { prompt_id, prompt, source_row } = identified[index]!;
    return { prompt_id, prompt, source_row };
  });
}

interface UsablePrompts {
  readonly usable: readonly { readonly row: SourceRow; readonly prompt: string }[];
  /** How many rows each step left. */
  readonly counts: readonly Count[];
}

/** The prompts that a sample is drawn from. @throws SourceError where there is none. */
export function usablePrompts(rows: readonly SourceRow[], language: string | null): UsablePrompts {
  const counts: Count[] = [{ count: rows.length, are: 'rows' }];
  const filled = rows.map((row) => ({ row, prompt: pythonStrip(promptOf(row)) })).filter(({ prompt }) => prompt !== '');
  counts.push({ count: filled.length, are: 'with a prompt' });

  const known = new Set<string>();
  let usable = filled.filter(({ prompt }) => isNew(prompt, known));
  counts.push({ count: usable.length, are: 'distinct' });

  if (language !== null && rows.some(({ fields }) => fields.language !== undefined)) {
    usable = usable.filter(({ row }) => row.fields.language === language);
    counts.push({ count: usable.length, are: `in ${language}` });
  }
  if (usable.length === 0) throw new SourceError('no usable prompts', { hint: account(counts, 'none is left') });
  return { usable, counts };
}

/** Whether the text was not known before; from now on it is. */
function isNew(text: string, known: Set<string>): boolean {
  const before = known.size;
  return known.add(text).size > before;
}

interface Count {
  readonly count: number;
  readonly are: string;
}

function account(counts: readonly Count[], end: string | undefined): string {
  const [all, ...steps] = counts as [Count, ...Count[]];
  if (all.count === 0) return 'The source has no rows.';
  const told = steps.map(({ count, are }) => `${count} ${are}`).join(', then ');
  return `Of ${all.count} rows: ${told}${end === undefined ? '' : `; ${end}`}.`;
}

/** What `str.strip()` of Python takes off, which is not quite what `trim` does. */
const STRIPPED = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const LEADING = new RegExp(`^${STRIPPED}`);

export function pythonStrip(text: string): string {
  const start = LEADING.exec(text)?.[0].length ?? 0;
  let end = text.length;
  // From the end by character: a pattern that ends in `$` would try every run of blanks within a long text.
  while (end > start && LEADING.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** The row's prompt as written; '' where the row has the field and nothing in it. */
function promptOf(row: SourceRow): string {
  const field = PROMPT_FIELDS.find((name) => row.fields[name] !== undefined);
  if (field === undefined) {
    throw new SourceError(`${place(row)}this row has no prompt`, {
      ...atLine(row),
      hint: `ListingResult for ${PROMPT_FIELDS.join(', ')}.${fieldsOf(row)}`,
    });
  }
  const value = row.fields[field];
  if (value === null) return '';
  if (field === 'prompt') {
    if (typeof value !== 'string') throw new SourceError(`${place(row)}the prompt is not a text`, atLine(row));
    return value;
  }
  return firstUserTurn(row, field, value);
}

function firstUserTurn(row: SourceRow, field: string, turns: unknown): string {
  const fault = (message: string) =>
    new SourceError(`${place(row)}${field} ${message}`, {
      ...atLine(row),
      hint: 'A conversation is a list of turns such as {"role": "user", "content": "How do tides work?"}.',
    });
  if (!Array.isArray(turns)) throw fault('is not a list of turns');
  for (const turn of turns as readonly unknown[]) {
    if (!isJsonObject(turn)) throw fault('has a turn that is not an object');
    if (turn.role !== 'user') continue;
    if (typeof turn.content !== 'string') throw fault("has a user's turn whose content is not a text");
    return turn.content;
  }
  return '';
}

function idOf(row: SourceRow): string {
  const id = row.fields.prompt_id;
  if (id === undefined || id === null) return `arena_${row.row}`;
  if (typeof id === 'string' && id !== '') return id;
  // 64-bit integers of Parquet come as bigint.
  if (typeof id === 'bigint' || (typeof id === 'number' && Number.isSafeInteger(id))) return String(id);
  throw new SourceError(`${place(row)}the prompt_id is neither a text nor a whole number`, atLine(row));
}

function refuseRepeatedIds(rows: readonly { readonly prompt_id: string; readonly row: SourceRow }[]): void {
  const known = new Set<string>();
  for (const { prompt_id, row } of rows) {
    if (isNew(prompt_id, known)) continue;
    throw new SourceError(`${place(row)}the prompt_id ${JSON.stringify(prompt_id)} is that of another prompt, too`, {
      ...atLine(row),
      hint: 'Give each prompt an id of its own, or leave prompt_id out.',
    });
  }
}

/** Rows without a line are named in the message. */
const place = (row: SourceRow): string => (row.line === undefined ? `row ${row.row + 1}: ` : '');
const atLine = (row: SourceRow): { line?: number } => (row.line === undefined ? {} : { line: row.line });

function fieldsOf(row: SourceRow): string {
  const names = Object.keys(row.fields).slice(0, 12);
  return names.length === 0 ? ' It has no fields.' : ` It has ${names.map((name) => JSON.stringify(name)).join(', ')}.`;
}
