/** What prompts are called. */

import { digestText } from '../core/digest.ts';
import { SourceError } from '../core/kind.ts';
import { valueAt } from './files/records.ts';
import { atLine, ID_FIELDS, place, type SourceRow, type UsablePrompt } from './prompt-source.ts';
import { areWholeNumbers, wholeNumber } from './whole-numbers.ts';

/** Of the rows that have it, so many must differ in it for a column to be one of ids. */
const DISTINCT = 0.9;
/** Digits of an id that is made of a prompt's content. */
const DIGITS = 12;

interface PromptIds {
  readonly ids: readonly string[];
  /** Why a column that looks like one of ids is not taken for one; nothing where none is passed over. */
  readonly notes: readonly string[];
}

/**
 * An id for each prompt.
 *
 * @param by `row`: `prompt_id`, else the row of the source, which a line on top renames. `content`: a column of ids
 * under one of the usual names, else a digest of what is asked, which stays whatever else is in the file.
 * @param column the column that holds the ids, where it was told
 * @throws SourceError where two prompts would have one id
 */
export function promptIds(
  prompts: readonly UsablePrompt[],
  by: 'row' | 'content',
  column: string | undefined,
): PromptIds {
  const name = column ?? (by === 'row' ? 'prompt_id' : idColumn(prompts));
  const whole = by === 'content' && name !== undefined && wroteFloats(prompts, name);
  const ids = prompts.map(({ row, prompt, turns }) => {
    const given = name === undefined ? undefined : idIn(row, name);
    if (given !== undefined) return by === 'row' ? given : whole ? wholeNumber(given) : given.trim();
    return by === 'row' ? `arena_${row.row}` : contentId(turns === undefined ? prompt : JSON.stringify(turns));
  });
  refuseRepeated(prompts, ids, name ?? 'prompt_id');
  return { ids, notes: by === 'content' && name === undefined ? passedOver(prompts) : [] };
}

export const contentId = (text: string): string => `p${digestText(text).slice(0, DIGITS)}`;

/** The first of the usual columns that most rows have and that tells them apart. */
function idColumn(prompts: readonly UsablePrompt[]): string | undefined {
  return ID_FIELDS.find((name) => {
    const values = idsIn(prompts, name).map(({ value }) => value);
    if (name === 'prompt_id') return values.length > 0;
    return values.length * 2 > prompts.length && new Set(values).size >= values.length * DISTINCT;
  });
}

/** The first of the usual columns that most rows have, which names several prompts alike. */
function passedOver(prompts: readonly UsablePrompt[]): string[] {
  const name = ID_FIELDS.find((field) => idsIn(prompts, field).length * 2 > prompts.length);
  if (name === undefined) return [];
  const first = new Map<string, SourceRow>();
  for (const { value, row } of idsIn(prompts, name)) {
    const other = first.get(value);
    if (other !== undefined) {
      const at =
        row.line === undefined ? `rows ${other.row + 1} and ${row.row + 1}` : `lines ${other.line} and ${row.line}`;
      return [
        `the column ${name} names several prompts alike (${JSON.stringify(value)}: ${at}), so ids are made of the prompts themselves; ` +
          `\`columns: {prompt_id: ${name}}\` refuses such rows instead`,
      ];
    }
    first.set(value, row);
  }
  return [];
}

const idsIn = (prompts: readonly UsablePrompt[], name: string): { readonly value: string; readonly row: SourceRow }[] =>
  prompts.flatMap(({ row }) => {
    const value = valueAt(row.fields, name);
    return isId(value) ? [{ value: String(value), row }] : [];
  });

const isId = (value: unknown): boolean =>
  (typeof value === 'string' && value.trim() !== '') || typeof value === 'bigint' || Number.isSafeInteger(value);

const wroteFloats = (prompts: readonly UsablePrompt[], name: string): boolean =>
  areWholeNumbers(prompts.map(({ row }) => valueAt(row.fields, name)).filter((value) => value != null));

function idIn(row: SourceRow, name: string): string | undefined {
  const id = valueAt(row.fields, name);
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'string' && id !== '') return id;
  // 64-bit integers of Parquet come as bigint.
  if (typeof id === 'bigint' || (typeof id === 'number' && Number.isSafeInteger(id))) return String(id);
  throw new SourceError(`${place(row)}the ${name} is neither a text nor a whole number`, atLine(row));
}

function refuseRepeated(prompts: readonly UsablePrompt[], ids: readonly string[], name: string): void {
  const known = new Set<string>();
  for (const [index, id] of ids.entries()) {
    if (!known.has(id)) {
      known.add(id);
      continue;
    }
    const { row } = prompts[index]!;
    throw new SourceError(`${place(row)}the ${name} ${JSON.stringify(id)} is that of another prompt, too`, {
      ...atLine(row),
      hint: `Give each prompt an id of its own, or name the column of ids: \`columns: {prompt_id: NAME}\`.`,
    });
  }
}
