/** From the rows of a source to the prompts of an experiment: what of them is usable, and the sample drawn from that. */

import { SourceError } from '../core/kind.ts';
import { pythonSample } from '../stats/compat/python/random.ts';
import { valueAt } from './files/records.ts';
import { promptIds } from './prompt-ids.ts';
import { type PromptColumns, PromptReader, type SourceRow, type UsablePrompt } from './prompt-source.ts';
import { pythonStrip } from './python-strip.ts';
import type { PromptRow } from './rows.ts';
import { lowestHashes } from './sample.ts';

type SourcePromptRow = PromptRow & {
  /** The row of the source, counted from 0. */
  readonly source_row: number;
};

interface Choice {
  readonly samples: number | 'all';
  readonly seed: number;
  /** Keep rows of this language alone; null keeps all. Sources without the field are kept whole. */
  readonly language: string | null;
  readonly columns?: PromptColumns;
  /** Further columns that go along. */
  readonly keep?: readonly string[];
  /** `row`: by the place in the source where a row names none. `content`: by what stands in the row. */
  readonly ids?: 'row' | 'content';
  /** `python`: as Python's `random.sample` draws. `hash`: the lowest hashes of ids, of which any number holds any lower. */
  readonly order?: 'python' | 'hash';
}

interface Chosen {
  readonly rows: readonly SourcePromptRow[];
  /** Rows and turns that were left out, counted and named; nothing where nothing was. */
  readonly notes: readonly string[];
}

/**
 * First user turn, stripped; without the empty ones and, in order, without repetitions; of one language; a sample of
 * those.
 *
 * @throws SourceError where a row is not what it should be, or where there are fewer prompts than asked for.
 */
export function choosePrompts(rows: readonly SourceRow[], choice: Choice): Chosen {
  const { samples, seed, columns = {}, keep = [], ids = 'row', order = 'python' } = choice;
  const { usable, counts, notes } = usablePrompts(rows, choice.language, columns);
  const size = samples === 'all' ? usable.length : samples;
  if (size > usable.length) {
    throw new SourceError(`samples is ${size}, but the source has only ${usable.length} usable prompts`, {
      hint: `${account(counts, undefined)} Lower samples${counts.length > 3 ? ', or set language: null' : ''}.`,
    });
  }
  const { ids: names, notes: ofIds } = promptIds(usable, ids, columns.prompt_id);
  const named = usable.map(({ row, prompt, turns }, index) => ({
    prompt_id: names[index]!,
    prompt,
    source_row: row.row,
    ...(turns === undefined ? {} : { messages: turns }),
    ...extras(row, columns, keep),
  }));
  const drawn =
    order === 'python'
      ? pythonSample(named.length, size, seed).map((index) => named[index]!)
      : lowestHashes(named, ({ prompt_id }) => prompt_id, size, seed);
  return { rows: drawn, notes: [...notes, ...ofIds] };
}

/** What judges may be shown beside the prompt: a reference answer, and further columns as texts. */
function extras({ fields }: SourceRow, columns: PromptColumns, keep: readonly string[]): Partial<PromptRow> {
  const { reference } = columns;
  const given = reference === undefined ? undefined : textOf(valueAt(fields, reference));
  const kept = keep.flatMap((path) => {
    const text = textOf(valueAt(fields, path));
    return text === undefined ? [] : [[path, text] as const];
  });
  return {
    ...(given === undefined ? {} : { reference: given }),
    ...(kept.length === 0 ? {} : { columns: Object.fromEntries(kept) }),
  };
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? JSON.stringify(value, bigintAsText) : String(value);
}

const bigintAsText = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);

interface UsablePrompts {
  readonly usable: readonly UsablePrompt[];
  /** How many rows each step left. */
  readonly counts: readonly Count[];
  readonly notes: readonly string[];
}

/** The prompts that a sample is drawn from. @throws SourceError where there is none. */
export function usablePrompts(
  rows: readonly SourceRow[],
  language: string | null,
  columns: PromptColumns = {},
): UsablePrompts {
  const reader = new PromptReader(rows, columns);
  const counts: Count[] = [{ count: rows.length, are: 'rows' }];
  const notes: string[] = [];
  const read = rows.map((row) => {
    const { prompt, turns, leftOut } = reader.read(row);
    return { row, prompt: pythonStrip(prompt), turns, leftOut };
  });
  const filled = read.filter(({ prompt }) => prompt !== '');
  counts.push({ count: filled.length, are: 'with a prompt' });
  note(notes, without(read, filled), (many) => `${rowsOf(many)} without a prompt left out`);

  const known = new Set<string>();
  let usable = filled.filter(({ prompt, turns }) => isNew(turns === undefined ? prompt : JSON.stringify(turns), known));
  counts.push({ count: usable.length, are: 'distinct' });
  note(notes, without(filled, usable), (many) => `${rowsOf(many)} left out that ask the same as another`);

  if (language !== null && rows.some((row) => reader.language(row) !== undefined)) {
    const all = usable;
    usable = usable.filter(({ row }) => reader.language(row) === language);
    counts.push({ count: usable.length, are: `in ${language}` });
    note(
      notes,
      without(all, usable),
      (many) => `${rowsOf(many)} left out by \`language: ${language}\` (null keeps all)`,
    );
  }
  if (usable.length === 0) throw new SourceError('no usable prompts', { hint: account(counts, 'none is left') });
  const cut = usable.filter(({ leftOut }) => leftOut > 0);
  note(
    notes,
    cut,
    (many) =>
      `${many} ${many === 1 ? 'conversation' : 'conversations'} with turns that are not asked: tools, or what follows`,
  );
  return { usable, counts, notes };
}

function without<T>(all: readonly T[], rest: readonly T[]): T[] {
  const kept = new Set(rest);
  return all.filter((entry) => !kept.has(entry));
}

const rowsOf = (many: number): string => (many === 1 ? '1 row' : `${many} rows`);

/** Rows that are named one by one. */
const NAMED = 8;

function note(notes: string[], rows: readonly { readonly row: SourceRow }[], text: (many: number) => string): void {
  if (rows.length === 0) return;
  const lines = rows.every(({ row }) => row.line !== undefined);
  const at = rows.slice(0, NAMED).map(({ row }) => String(lines ? row.line : row.row + 1));
  const more = rows.length > NAMED ? [...at, '…'] : at;
  const what = lines ? 'line' : 'row';
  notes.push(`${text(rows.length)}: ${rows.length === 1 ? what : `${what}s`} ${more.join(', ')}`);
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
