/** A page of a node's rows: searched, of one status, sorted by a column of numbers. */

import type { JsonObject } from '../../core/json.ts';
import type { RowTable } from './row-table.ts';
import type { RowTables } from './row-tables.ts';

export interface RowQuery {
  readonly text: string;
  readonly status: string | undefined;
  /** A column of numbers; input order where absent. */
  readonly sort: string | undefined;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface RowPage {
  /** Rows of the node, and those that the query selects. */
  readonly total: number;
  readonly selected: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Columns of numbers to sort by. */
  readonly sortable: readonly string[];
  readonly rows: readonly { readonly index: number; readonly item: string; readonly row: JsonObject }[];
}

export function pageOf(table: RowTable, query: RowQuery, tables: RowTables): RowPage {
  const { text, status, sort, descending, offset, limit } = query;
  const statuses: Record<string, number> = {};
  for (const name of table.statuses) statuses[name] = (statuses[name] ?? 0) + 1;
  let selected: number[] | undefined;
  if (text !== '') selected = [...tables.search(table, text)];
  if (status !== undefined) {
    selected = (selected ?? all(table.length)).filter((index) => table.statuses[index] === status);
  }
  const column = sort === undefined ? undefined : table.numbers.get(sort);
  if (column !== undefined) {
    selected = (selected ?? all(table.length)).sort((a, b) => {
      const [left, right] = [column[a]!, column[b]!];
      if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
      return descending ? right - left : left - right;
    });
  }
  const count = selected?.length ?? table.length;
  const indices =
    selected?.slice(offset, offset + limit) ?? all(Math.min(limit, Math.max(0, table.length - offset)), offset);
  const rows = table.read(indices);
  return {
    total: table.length,
    selected: count,
    statuses,
    sortable: [...table.numbers.keys()],
    rows: indices.map((index, place) => ({ index, item: table.itemOf(index), row: rows[place]! })),
  };
}

const all = (length: number, from = 0): number[] => Array.from({ length }, (_, index) => from + index);
