/** What is odd about rows that can each be read: the same row again, and one row for each of several filters. */

import { canonicalJson, type Json } from '../../core/json.ts';
import type { Problem } from '../../core/problem.ts';
import { type SourceRecord, valueAt } from '../files/records.ts';
import type { RowMistake } from '../files/row-mistakes.ts';
import type { Columns } from './columns.ts';

/** The rows that have these values in these columns, compared as texts. */
export function where(
  records: readonly SourceRecord[],
  values: Readonly<Record<string, string>>,
): readonly SourceRecord[] {
  const wanted = Object.entries(values);
  if (wanted.length === 0) return records;
  return records.filter(({ fields }) => wanted.every(([column, value]) => String(valueAt(fields, column)) === value));
}

/** The column in which lm-evaluation-harness says which filter an answer went through before it was graded. */
const FILTER = 'filter';

/** A prompt that has a row for each filter has one answer graded twice, and not two draws. */
export function severalFilters(records: readonly SourceRecord[], columns: Columns): Omit<Problem, 'place'> | undefined {
  const filters = new Map<string, Set<string>>();
  for (const { fields } of records) {
    const filter = fields[FILTER];
    if (typeof filter !== 'string') continue;
    const prompt = `${columns.read(fields, 'policy')}\n${columns.read(fields, 'prompt_id') ?? columns.read(fields, 'prompt')}`;
    const of = filters.get(prompt);
    if (of === undefined) filters.set(prompt, new Set([filter]));
    else of.add(filter);
  }
  if ([...filters.values()].every((of) => of.size < 2)) return undefined;
  const names = [...new Set([...filters.values()].flatMap((of) => [...of]))];
  return {
    id: 'CJE-BAD-DATA',
    headline: `each answer stands here once for each filter: ${names.join(', ')}`,
    hint: `Say which filter's grades to take: \`where: {${FILTER}: ${names[0]}}\`.`,
  };
}

export const SAME_AGAIN = 'the same row again';

interface Repeated {
  readonly records: readonly SourceRecord[];
  readonly faults: readonly RowMistake[];
  readonly note: string | undefined;
}

/**
 * Rows that stand there before, to the byte. Where every row does, a file was put behind itself, and each repetition is a
 * mistake. Where some do, they may be draws with the same score, and are kept.
 */
export function repeatedRows(records: readonly SourceRecord[]): Repeated {
  const seen = new Map<string, { readonly first: SourceRecord; count: number }>();
  const again: { readonly record: SourceRecord; readonly first: SourceRecord }[] = [];
  for (const record of records) {
    const text = textOf(record.fields);
    const known = seen.get(text);
    if (known === undefined) seen.set(text, { first: record, count: 1 });
    else {
      known.count++;
      again.push({ record, first: known.first });
    }
  }
  if (again.length === 0) return { records, faults: [], note: undefined };
  const counts = new Set([...seen.values()].map(({ count }) => count));
  // One row twice is a draw like any other; all of several are not.
  if (counts.size === 1 && seen.size > 1) {
    const faults = again.map(({ record, first }) => ({
      at: record.at,
      category: SAME_AGAIN,
      message: `this is the same row as ${nameOf(first)}, to the byte`,
    }));
    return { records: [...seen.values()].map(({ first }) => first), faults, note: undefined };
  }
  const [{ record, first }] = again as [(typeof again)[number]];
  const note =
    `${again.length} ${again.length === 1 ? 'row repeats an earlier one' : 'rows repeat earlier ones'} of ` +
    `${record.at.file}, to the byte (${nameOf(record)} is ${nameOf(first)} again): taken as draws of their own`;
  return { records, faults: [], note };
}

const nameOf = ({ at }: SourceRecord): string => (at.line === undefined ? `row ${at.row + 1}` : `line ${at.line}`);

/** Columnar files have 64-bit integers, and Python's numbers that JSON has not. */
function textOf(fields: SourceRecord['fields']): string {
  const plain = JSON.stringify(fields, (_, value: unknown) =>
    typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value,
  );
  return canonicalJson(JSON.parse(plain) as Json);
}
