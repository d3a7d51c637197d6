/** A table of the report as data. It is made once; each rendering words, escapes and lays out its cells. */

/** Where a report is read. */
export type Medium = 'markdown' | 'html' | 'terminal';

export type NumberForm = 'count' | 'decimal' | 'significant' | 'percent' | 'dollars' | 'margin' | 'error' | 'rate';

/** What a cell says; null leaves it empty. A text may come from data, so every rendering escapes it. */
export type Cell =
  | null
  | ((
      | {
          readonly text: string;
          /** The same in fewer words, for Markdown and for a terminal without room. */
          readonly brief?: string;
        }
      | { readonly value: number | null; readonly as: NumberForm }
    ) & {
      readonly tone?: 'strong' | 'good' | 'bad' | 'quiet';
      /** Adds the mark of a tempered number. */
      readonly tempered?: boolean;
    })
  | { readonly lower: number | null; readonly upper: number | null; readonly as?: 'decimal' | 'significant' }
  | {
      readonly estimate: number;
      readonly reach: number;
      /** The interval is known not to hold the truth. */
      readonly misses: boolean;
      readonly tempered: boolean;
    }
  | { readonly refusedBy: string }
  /** The true value, in the column of a policy's estimates. */
  | { readonly truth: number | null }
  /** How far an estimate moved: 0 where only its uncertainty changed, null where nothing did. */
  | { readonly delta: number | null }
  | { readonly list: readonly Cell[]; readonly between: ' ' | ', ' | ' − ' };

/** Renderings put a space between any two. */
export type Words = readonly (string | { readonly strong: string })[];

interface TableColumn {
  /** A cell where a number is in it. */
  readonly name: string | Cell;
  /** The name in Markdown, where no caption explains the table, and in a terminal. */
  readonly brief?: string;
  readonly align: 'left' | 'right';
  /** Absent: everywhere. */
  readonly in?: readonly Medium[];
}

export interface TableRow {
  /** One a column; the first is the row's heading. */
  readonly cells: readonly Cell[];
  readonly role?: 'truth' | 'total';
}

/** A rendering leaves a table without rows out. */
export interface Table {
  /** Without a full stop; absent where the first column's name says it all. */
  readonly title?: Words;
  /** Sentences that explain the table. */
  readonly note?: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

/** A column together with what it says of each row. */
export interface CellColumn<Row> extends TableColumn {
  readonly cell: (row: Row) => Cell;
}

type ColumnOptions = Pick<TableColumn, 'brief' | 'in'>;

export function left<Row>(
  name: TableColumn['name'],
  cell: (row: Row) => Cell,
  options: ColumnOptions = {},
): CellColumn<Row> {
  return { name, align: 'left', cell, ...options };
}

/** For numbers. */
export function right<Row>(
  name: TableColumn['name'],
  cell: (row: Row) => Cell,
  options: ColumnOptions = {},
): CellColumn<Row> {
  return { name, align: 'right', cell, ...options };
}

/** The cells of each row, by the columns. */
export function tableOf<Row>(
  columns: readonly CellColumn<Row>[],
  rows: readonly Row[],
  words: Pick<Table, 'title' | 'note'> = {},
): Table {
  return { ...words, columns, rows: rows.map((row) => ({ cells: columns.map(({ cell }) => cell(row)) })) };
}

export const text = (words: string, brief?: string): Cell => ({ text: words, ...(brief !== undefined && { brief }) });
export const number = (value: number | null, as: NumberForm): Cell => ({ value, as });

/** The table as one medium shows it. */
export function tableIn(table: Table, medium: Medium): Table {
  const shown = table.columns.map((column) => column.in?.includes(medium) !== false);
  return {
    ...table,
    columns: table.columns.filter((_, index) => shown[index]),
    rows: table.rows.map((row) => ({ ...row, cells: row.cells.filter((_, index) => shown[index]) })),
  };
}
