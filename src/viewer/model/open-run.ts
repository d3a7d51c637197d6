/** One build, or what stands now, as the viewer reads it: rows by page, items by prompt, calls by item. */

import { closeSync, openSync, readSync } from 'node:fs';
import { ROWS } from '../../core/kind.ts';
import type { BuildRecord, Store } from '../../core/storage.ts';
import type { Ports } from '../../engine/ports.ts';
import { DATA, type ReportData } from '../../report/model/data.ts';
import { itemCalls, progressOf } from './item-calls.ts';
import { logRatios } from './item-order.ts';
import { itemDetail, itemPage } from './items.ts';
import { type Measures, measure } from './measures.ts';
import { describeColumn } from './number-column.ts';
import { fileOf, type OpenNode } from './open-node.ts';
import type { RowTable } from './row-table.ts';
import type { RowTables } from './row-tables.ts';
import type { FileText, NumberColumn, RowPage, RowQuery, Run } from './types.ts';

type RunPorts = Pick<Ports, 'kinds'> & { readonly store: Pick<Store, 'calls' | 'blobs'> };

/** What a node measures is drawn; its other numbers are summed up. */
const DRAWN = ['score', 'label', 'logprob', 'judge_score'];

export function openRun(
  id: string,
  record: BuildRecord | undefined,
  nodes: readonly OpenNode[],
  tables: RowTables,
  ports: RunPorts,
): Run {
  const { blobs } = ports.store;
  const byName = new Map(nodes.map((node) => [node.name, node]));
  let measures: Measures | undefined;
  const measured = () => {
    measures ??= measure(nodes, tables, blobs);
    return measures;
  };
  const tableOf = (name: string): RowTable | undefined => {
    const ref = fileOf(byName.get(name), ROWS);
    return ref === undefined || blobs.locate(ref) === undefined ? undefined : tables.get(ref);
  };
  return {
    id,
    record,
    nodes,
    node: (name) => byName.get(name),
    reports: () =>
      nodes.flatMap((node) => {
        const ref = node.kind === 'report' ? fileOf(node, DATA) : undefined;
        if (ref === undefined || blobs.locate(ref) === undefined) return [];
        return [{ node: node.name, data: JSON.parse(new TextDecoder().decode(blobs.read(ref))) as ReportData }];
      }),
    rows(name, query) {
      const table = tableOf(name);
      return table === undefined ? undefined : pageOf(table, query, tables);
    },
    columns(name) {
      const table = tableOf(name);
      // Rows that are no prompts', such as estimates of several policies, have no common mean.
      if (table?.prompts.every((prompt) => prompt === undefined) === true) return [];
      const columns: NumberColumn[] = [];
      const ratios = byName.get(name)?.kind === 'logprobs' ? ratiosOf(name, measured()) : undefined;
      const described = ratios === undefined ? undefined : describeColumn('log ratio', ratios, true);
      if (described !== undefined) columns.push(described);
      const drawn = described !== undefined ? undefined : DRAWN.find((column) => table?.numbers.has(column));
      for (const [column, values] of table?.numbers ?? []) {
        const summed = describeColumn(column, values, column === drawn);
        if (summed !== undefined) columns.push(summed);
      }
      return columns.sort((a, b) => b.histogram.length - a.histogram.length);
    },
    file(name, file, limit): FileText | undefined {
      const node = byName.get(name);
      const ref = node !== undefined && Object.hasOwn(node.outputs, file) ? fileOf(node, file) : undefined;
      const path = ref === undefined ? undefined : blobs.locate(ref);
      if (ref === undefined || path === undefined) return undefined;
      return { text: beginning(path, Math.min(limit, ref.size)), size: ref.size, cut: ref.size > limit };
    },
    items(query) {
      const all = measured();
      return all === undefined ? undefined : itemPage(all, query, tables);
    },
    item(prompt, query) {
      const all = measured();
      return all === undefined ? undefined : itemDetail(all, prompt, query, nodes, tables, blobs);
    },
    calls(name, item) {
      const node = byName.get(name);
      return node === undefined ? undefined : itemCalls(node, item, tables, ports);
    },
    progress(name) {
      const node = byName.get(name);
      return node === undefined ? undefined : progressOf(node, ports);
    },
  };
}

/** The log ratios of a policy's own node; undefined for the logger, and where the logger's log probabilities are not there. */
function ratiosOf(node: string, measures: Measures | undefined): Float64Array | undefined {
  const own = measures?.policies.find(({ logprob }) => logprob?.node.name === node);
  const base = measures?.policies.find(({ policy }) => policy === measures.logger);
  return own === undefined || own === base || base?.logprob === undefined ? undefined : logRatios(own, base);
}

function pageOf(table: RowTable, query: RowQuery, tables: RowTables): RowPage {
  const { text, status, sort, descending, offset, limit } = query;
  const statuses: Record<string, number> = {};
  for (const name of table.statuses) statuses[name] = (statuses[name] ?? 0) + 1;
  let selected: number[] | undefined;
  if (text !== '') selected = [...tables.search(table.ref, text)];
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

/** A character that the limit cuts in two is left out. */
function beginning(path: string, length: number): string {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    const read = readSync(descriptor, bytes, 0, length, 0);
    return new TextDecoder().decode(bytes.subarray(0, read), { stream: true });
  } finally {
    closeSync(descriptor);
  }
}
