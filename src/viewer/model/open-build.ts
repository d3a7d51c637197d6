/** One build, or what stands now, as the viewer reads it: rows by page, items by prompt, calls by item. */

import { closeSync, openSync, readSync } from 'node:fs';
import { writes } from '../../core/kind.ts';
import type { BuildRecord, Store } from '../../core/storage.ts';
import { LOGPROBS } from '../../datasets/row-types.ts';
import { unitsOf } from '../../datasets/units.ts';
import type { Ports } from '../../engine/ports.ts';
import { DATA, REPORT_JSON, type ReportData } from '../../report/model/data.ts';
import { type HeadQuery, type HeadToHead, headToHead } from './head-to-head.ts';
import { type ItemCalls, itemCalls, type Progress, progressOf } from './item-calls.ts';
import { logRatios } from './item-order.ts';
import { type ItemDetail, type ItemPage, type ItemQuery, itemDetail, itemPage } from './items.ts';
import { type Measures, measure } from './measures.ts';
import { describeColumn, type NumberColumn } from './number-column.ts';
import { fileOf, type OpenNode, PresentNodes, type ShownNode } from './open-node.ts';
import { pageOf, type RowPage, type RowQuery } from './row-page.ts';
import type { RowTable } from './row-table.ts';
import type { RowTables } from './row-tables.ts';
import { unitScale } from './scales.ts';

/** One build, or the experiment as it stands now. */
export interface OpenBuild {
  /** {@link NOW}, or the build's id. */
  readonly id: string;
  /** Absent for what stands now. */
  readonly record: BuildRecord | undefined;
  /** In topological order. */
  readonly nodes: readonly ShownNode[];
  node(name: string): ShownNode | undefined;
  /** The nodes of kind `report` that are there, and what they show. */
  reports(): readonly { readonly node: string; readonly data: ReportData }[];
  /** Undefined for a node without rows. */
  rows(node: string, query: RowQuery): RowPage | undefined;
  /** The numbers of a node's rows, column by column. */
  columns(node: string): readonly NumberColumn[];
  /** A file of a node's output, cut to `limit` bytes; undefined where there is none of that name. */
  file(node: string, file: string, limit: number): FileText | undefined;
  /** The items by prompt; undefined where nothing that has prompts is there. */
  items(query: ItemQuery): ItemPage | undefined;
  item(id: string, query: ItemQuery): ItemDetail | undefined;
  /** Two policies against each other; undefined where no judge has scored two. */
  headToHead(query: HeadQuery): HeadToHead | undefined;
  /** The calls behind one row; undefined for an item that the node does not have. */
  calls(node: string, item: string): ItemCalls | undefined;
  /** How many items of an unfinished node are settled; undefined where that cannot be known. */
  progress(node: string): Progress | undefined;
}

interface FileText {
  readonly text: string;
  readonly size: number;
  /** True where the text is only the beginning. */
  readonly cut: boolean;
}

type OpenPorts = Pick<Ports, 'kinds' | 'protocols'> & { readonly store: Pick<Store, 'calls' | 'blobs'> };

export function openBuild(
  id: string,
  record: BuildRecord | undefined,
  nodes: readonly OpenNode[],
  tables: RowTables,
  ports: OpenPorts,
): OpenBuild {
  const { blobs } = ports.store;
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const present = new PresentNodes(nodes, tables, blobs);
  let measures: Measures | undefined;
  const measured = () => {
    measures ??= measure(nodes, tables, blobs);
    return measures;
  };
  return {
    id,
    record,
    nodes,
    node: (name) => byName.get(name),
    reports: () =>
      nodes.flatMap((node) => {
        const ref = writes(node.definition, REPORT_JSON) ? fileOf(node, DATA) : undefined;
        if (ref === undefined || blobs.locate(ref) === undefined) return [];
        return [{ node: node.name, data: JSON.parse(new TextDecoder().decode(blobs.read(ref))) as ReportData }];
      }),
    rows(name, query) {
      const table = present.table(byName.get(name));
      return table === undefined ? undefined : pageOf(table, query, tables);
    },
    columns(name) {
      const node = byName.get(name);
      const table = present.table(node);
      return node === undefined || table === undefined ? [] : numberColumns(node, table, measured, byName);
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
      return all === undefined ? undefined : itemDetail(all, prompt, query, present);
    },
    headToHead(query) {
      const all = measured();
      return all === undefined ? undefined : headToHead(all, query);
    },
    calls(name, item) {
      const node = byName.get(name);
      return node === undefined ? undefined : itemCalls(node, item, byName, tables, ports);
    },
    progress(name) {
      const node = byName.get(name);
      return node === undefined ? undefined : progressOf(node, ports);
    },
  };
}

/** The columns of a node's rows: of what its kind measures one is drawn, the others are summed up. */
function numberColumns(
  node: OpenNode,
  table: RowTable,
  measured: () => Measures | undefined,
  byName: ReadonlyMap<string, OpenNode>,
): NumberColumn[] {
  // Rows that are no prompts', such as estimates of several policies, have no common mean.
  if (table.prompts.every((prompt) => prompt === undefined)) return [];
  const ratios = writes(node.definition, LOGPROBS) ? ratiosOf(node.name, measured()) : undefined;
  const logRatio = ratios === undefined ? undefined : describeColumn('log ratio', ratios, true);
  const drawable = node.definition?.measures?.find(({ column, drawn }) => drawn && table.numbers.has(column));
  const drawn = logRatio === undefined ? drawable?.column : undefined;
  const scale = unitScale(node, byName);
  const { level } = unitsOf(scale);
  const columns = [...table.numbers].map(([column, values]) => {
    // Rows keep scores and labels on [0, 1]; people read them on the scale that they were given on.
    const told = scale !== undefined && column === drawable?.column && drawable.scale === 'unit';
    const name = told ? `${column}, from ${scale[0]} to ${scale[1]}` : column;
    return describeColumn(name, told ? values.map(level) : values, column === drawn);
  });
  return [logRatio, ...columns]
    .filter((column) => column !== undefined)
    .sort((a, b) => b.histogram.length - a.histogram.length);
}

/** The log ratios of a policy's own node; undefined for the logger, and where the logger's log probabilities are not there. */
function ratiosOf(node: string, measures: Measures | undefined): Float64Array | undefined {
  const own = measures?.policies.find(({ logprob }) => logprob?.node.name === node);
  const base = measures?.policies.find(({ policy }) => policy === measures.logger);
  return own === undefined || own === base || base?.logprob === undefined ? undefined : logRatios(own, base);
}

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
