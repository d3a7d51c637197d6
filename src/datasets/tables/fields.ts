/** Rows of a table by what their columns mean: those that were named, else the usual ones. */

import type { SourceFile } from '../../core/kind.ts';
import { nearest, type Place, type Problem, ProblemError } from '../../core/problem.ts';
import { askedIn, type Turn } from '../conversation.ts';
import { type SourceRecord, type Table, textIn, valueAt } from '../files/records.ts';
import { type RowMistake, rowMistakesProblem } from '../files/row-mistakes.ts';
import { readTable } from '../files/table.ts';
import { where } from '../import/odd-rows.ts';

type FieldNames<F extends string> = Readonly<Record<F, readonly string[]>>;

export interface TableSettings {
  readonly missing: readonly string[];
  readonly where: Readonly<Record<string, string>>;
  readonly onBadRow: 'refuse' | 'drop';
}

/** The columns of one file that hold the fields. */
export class TableFields<F extends string> {
  readonly records: readonly SourceRecord[];
  readonly columns: readonly string[];
  readonly label: string;
  readonly #settings: TableSettings;
  readonly #paths: ReadonlyMap<F, string>;
  /** Where the columns are named: the header, or the first row. */
  readonly #place: Place;
  readonly #mistakes: RowMistake[];
  readonly #dropped = new Set<SourceRecord>();
  readonly notes: string[] = [];

  private constructor(
    label: string,
    table: Table,
    settings: TableSettings,
    usual: FieldNames<F>,
    named: Partial<Record<F, string | undefined>>,
  ) {
    this.label = label;
    this.records = where(table.records, settings.where);
    this.columns = table.columns ?? [...new Set(table.records.flatMap(({ fields }) => Object.keys(fields)))];
    this.#settings = settings;
    const line = table.records[0]?.at.line;
    this.#place = { file: label, ...(line === undefined ? {} : { line: table.columns === undefined ? line : 1 }) };
    this.#mistakes = [...table.faults];
    const paths = new Map<F, string>();
    for (const field of Object.keys(usual) as F[]) {
      const path = named[field];
      if (path !== undefined && this.records.length > 0 && !this.hasColumn(path)) throw this.unknownColumn(path, field);
      const found = path ?? usual[field].find((name) => this.hasColumn(name));
      if (found !== undefined) paths.set(field, found);
    }
    this.#paths = paths;
  }

  /**
   * @param usual names that are looked for where none is named
   * @throws ProblemError for a file that cannot be read, or that lacks a column which was named
   */
  static async read<F extends string>(
    file: SourceFile,
    settings: TableSettings,
    usual: FieldNames<F>,
    named: Partial<Record<F, string | undefined>>,
  ): Promise<TableFields<F>> {
    const table = await readTable(file, { missing: new Set(settings.missing), wanted: () => true });
    return new TableFields(file.label, table, settings, usual, named);
  }

  /** Whether any row has a column of this name, or a nested one. */
  hasColumn(path: string): boolean {
    return this.columns.includes(path) || this.records.some(({ fields }) => valueAt(fields, path) !== undefined);
  }

  has(field: F): boolean {
    return this.#paths.has(field);
  }

  /** The value of a field; null where the row or the file has none. */
  read(record: SourceRecord, field: F): unknown {
    const path = this.#paths.get(field);
    return path === undefined ? null : (valueAt(record.fields, path) ?? null);
  }

  /** The text of a field; a number is its digits. Undefined where there is none. */
  text(record: SourceRecord, field: F): string | undefined {
    return textIn(this.read(record, field));
  }

  /** What a field asks, which may stand in a conversation; undefined where there is none. */
  asked(record: SourceRecord, field: F): { readonly prompt: string; readonly turns?: readonly Turn[] } | undefined {
    const prompt = this.text(record, field);
    return askedIn(this.read(record, field)) ?? (prompt === undefined ? undefined : { prompt });
  }

  /** @throws ProblemError: the file lacks what every row needs. */
  require(...fields: readonly F[]): void {
    const absent = fields.find((field) => !this.has(field));
    if (absent !== undefined && this.records.length > 0) throw this.absentColumn(absent, []);
  }

  absentColumn(field: string, lookedFor: readonly string[]): ProblemError {
    return new ProblemError({
      id: 'CJE-NO-COLUMN',
      headline: `${this.label} has no column for ${field}`,
      facts: [
        ...(lookedFor.length === 0 ? [] : [['looked for', lookedFor.join(', ')] as const]),
        ['it has', this.columns.slice(0, 30).join(', ')],
      ],
      place: this.#place,
      hint: this.#whichIs(field, lookedFor),
    });
  }

  #whichIs(field: string, lookedFor: readonly string[]): string {
    const near = [field, ...lookedFor].map((name) => nearest(name, this.columns)).find((name) => name !== undefined);
    return near === undefined
      ? `Say which it is: \`columns: {${field}: NAME}\`.`
      : `Did you mean '${near}'? Name it so, or say which it is: \`columns: {${field}: NAME}\`.`;
  }

  unknownColumn(path: string, field: string): ProblemError {
    const near = nearest(path, this.columns);
    return new ProblemError({
      id: 'CJE-NO-COLUMN',
      headline: `${this.label} has no column '${path}', which is to be the ${field}`,
      facts: [['it has', this.columns.slice(0, 30).join(', ')]],
      place: this.#place,
      ...(near === undefined ? {} : { hint: `Did you mean '${near}'?` }),
    });
  }

  /** A row that cannot be used: told with all others, or left out and counted. */
  mistake(record: SourceRecord, category: string, message: string): undefined {
    this.#mistakes.push({ at: record.at, category, message });
    this.#dropped.add(record);
    return undefined;
  }

  /** @throws ProblemError with the rows that cannot be used, unless they are to be left out. */
  settle(hint: (categories: ReadonlySet<string>) => string): void {
    if (this.#mistakes.length === 0) return;
    if (this.#settings.onBadRow === 'refuse') {
      const more = hint(new Set(this.#mistakes.map(({ category }) => category)));
      throw rowMistakesProblem(
        this.#mistakes,
        `${more}Mend the rows, or leave them out and have them counted with \`on_bad_row: drop\`.`,
      );
    }
    const counts = new Map<string, number>();
    for (const { category } of this.#mistakes) counts.set(category, (counts.get(category) ?? 0) + 1);
    for (const [what, count] of counts) this.notes.push(`${rows(count)} of ${this.label} left out: ${what}`);
  }
}

export const rows = (count: number): string => (count === 1 ? '1 row' : `${count} rows`);

/** A fault of a whole file, for whoever builds. */
export const fileProblem = (label: string, problem: Omit<Problem, 'place'>): ProblemError =>
  new ProblemError({ ...problem, place: { file: label } });
