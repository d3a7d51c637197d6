/** What is wrong with rows of imported files, all of it at once: a person mends a file in one go. */

import { ProblemError } from '../../core/problem.ts';

/** Where a row stands. */
export interface Position {
  /** The file as the user wrote it. */
  readonly file: string;
  /** Counted from 1; undefined in files that have no lines. */
  readonly line: number | undefined;
  /** Counted from 0 over the rows of the file. */
  readonly row: number;
}

/** One thing wrong with one row. */
export interface RowMistake {
  readonly at: Position;
  /** What kind of mistake, without the value: faults are counted by it. */
  readonly category: string;
  /** The mistake with its value. */
  readonly message: string;
}

/** Faults that are told one by one. */
const TOLD = 20;

const placeOf = ({ file, line, row }: Position): string =>
  line === undefined ? `${file} row ${row + 1}` : `${file}:${line}`;

const lineOf = ({ line, row }: Position): number => line ?? row;

/** One row's faults stand on one line; rows come in the order of files, then of lines. */
export function rowMistakesProblem(unordered: readonly RowMistake[], hint: string): ProblemError {
  const files = [...new Set(unordered.map(({ at }) => at.file))];
  const faults = [...unordered].sort(
    ({ at: a }, { at: b }) => files.indexOf(a.file) - files.indexOf(b.file) || lineOf(a) - lineOf(b),
  );
  const rows = new Map<string, string[]>();
  for (const { at, message } of faults) {
    const place = placeOf(at);
    rows.set(place, [...(rows.get(place) ?? []), message]);
  }
  const [first] = faults;
  const where = files.length === 1 ? files[0] : `${files.length} files`;
  const told = [...rows].slice(0, TOLD).map(([place, messages]) => [place, messages.join('; ')] as const);
  const more = rows.size - told.length;
  const line = first?.at.line;
  return new ProblemError({
    id: 'CJE-BAD-ROWS',
    headline: `${rows.size} ${rows.size === 1 ? 'row' : 'rows'} of ${where} cannot be used`,
    facts: more > 0 ? [...told, ['…', `and ${more} more`] as const] : told,
    ...(first === undefined ? {} : { place: { file: first.at.file, ...(line === undefined ? {} : { line }) } }),
    hint,
  });
}
