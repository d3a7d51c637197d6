/** Items by prompt: a page of them in some order, and all that is known of one. */

import type { JsonObject } from '../../core/json.ts';
import type { Measure } from '../../core/kind.ts';
import type { ItemOrder } from './item-order.ts';
import { differences, INPUT_ORDER, logRatios, ordersOf, type PolicyPair, sortBy } from './item-order.ts';
import { type Column, type Measures, type PolicyColumns, rewardOf } from './measures.ts';
import type { PresentNodes } from './open-node.ts';
import type { RowTables } from './row-tables.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export const ITEM_FILTERS = ['all', 'labelled', 'failures', 'differ', 'a-better', 'b-better', 'tied'] as const;
export type ItemFilter = (typeof ITEM_FILTERS)[number];

export interface ItemQuery {
  readonly text: string;
  readonly only: ItemFilter;
  /** Two policies to compare; without both, or with the same twice, none are. */
  readonly a: string | undefined;
  readonly b: string | undefined;
  /** The judge whose scores are shown; the first where absent or unknown. */
  readonly scorer: string | undefined;
  /** An order's key; input order where absent or unknown. */
  readonly order: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

export interface ItemPage {
  readonly total: number;
  readonly selected: number;
  readonly policies: readonly string[];
  readonly logger: string | undefined;
  readonly scorers: readonly string[];
  readonly scorer: string | undefined;
  readonly orders: readonly ItemOrder[];
  readonly order: ItemOrder;
  /** The policies that are compared. */
  readonly pair: PolicyPair | undefined;
  readonly rows: readonly ItemLine[];
}

export interface ItemLine {
  readonly id: string;
  readonly index: number;
  /** Null where no text of it is there. */
  readonly prompt: string | null;
  /** What the order sorts by; null in input order. */
  readonly value: number | null;
  /** Of the policies that are compared: a's score − b's. */
  readonly difference: number | null;
  /** By policy. */
  readonly scores: readonly (number | null)[];
  readonly labels: readonly (number | null)[];
  readonly failures: number;
}

export interface NodeRow {
  readonly node: string;
  /** How the node calls the item. */
  readonly item: string;
  readonly row: JsonObject;
  readonly asks: boolean;
}

export interface ItemPolicy {
  readonly policy: string;
  readonly response: NodeRow | undefined;
  /** Of the logger's response under this policy, nats. */
  readonly logprob: NodeRow | undefined;
  readonly logprobValue: number | null;
  /** Against the logger, nats; null for the logger itself and where either is missing. */
  readonly logRatio: number | null;
  /** How many prompts have a larger log ratio, plus one, among how many. */
  readonly rank: { readonly place: number; readonly of: number } | null;
  readonly scores: readonly ItemScore[];
  readonly label: number | null;
  readonly labelRow: NodeRow | undefined;
}

export interface ItemScore {
  readonly scorer: string;
  readonly value: number | null;
  readonly row: NodeRow | undefined;
  /** The reward that the calibration makes of the score; null without one. */
  readonly reward: number | null;
  /** Undefined where the judge said nothing. */
  readonly verdict: Verdict | undefined;
}

interface ItemMeasure {
  readonly measure: Measure;
  /** Undefined for a number of the prompt itself. */
  readonly policy: string | undefined;
  readonly value: number | null;
  readonly row: NodeRow;
}

export interface ItemDetail {
  readonly id: string;
  readonly index: number;
  /** Place in the order and selection of the query, from 0; null where the query leaves the item out. */
  readonly position: number | null;
  readonly selected: number;
  readonly previous: string | undefined;
  readonly next: string | undefined;
  readonly order: ItemOrder;
  readonly prompt: string | null;
  readonly logger: string | undefined;
  readonly scorers: readonly string[];
  readonly policies: readonly ItemPolicy[];
  /** What further kinds measure of it. */
  readonly measured: readonly ItemMeasure[];
  /** Rows of the same prompt in every other node. */
  readonly others: readonly NodeRow[];
  /** Nodes that ask and have no rows yet, though what they depend on is there: some of their calls may be bought. */
  readonly unfinished: readonly string[];
}

interface Selection {
  readonly pair: PolicyPair | undefined;
  readonly differences: Float64Array | undefined;
  readonly order: ItemOrder;
  readonly orders: readonly ItemOrder[];
  readonly scorer: string | undefined;
  readonly indices: readonly number[];
  readonly values: Float64Array | undefined;
}

/** Selections of one build that are kept: going from item to item asks for the same one over and over. */
const KEPT = 8;
const selections = new WeakMap<Measures, Map<string, Selection>>();

function select(measures: Measures, query: ItemQuery, tables: RowTables): Selection {
  const { text, only, order, scorer, a, b } = query;
  const known = selections.get(measures) ?? new Map<string, Selection>();
  selections.set(measures, known);
  const key = JSON.stringify([text, only, order, scorer, a, b]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = makeSelection(measures, query, tables);
  if (known.size >= KEPT) known.delete(known.keys().next().value!);
  known.set(key, made);
  return made;
}

function makeSelection(measures: Measures, query: ItemQuery, tables: RowTables): Selection {
  const { ids, indexOf, policies, failures, scorers, texts } = measures;
  const scorer = scorers.find((name) => name === query.scorer) ?? scorers[0];
  const pair = pairOf(measures, query);
  const apart = pair && differences(measures, pair, scorer);
  const orders = ordersOf(measures, pair);
  const order = orders.find(({ key }) => key === query.order);
  let indices = ids.map((_, index) => index);
  if (query.text !== '') {
    const hits = new Set<number>();
    const wanted = query.text.toLowerCase();
    for (const [index, id] of ids.entries()) if (id.toLowerCase().includes(wanted)) hits.add(index);
    for (const table of texts) {
      for (const row of tables.search(table, query.text)) {
        const index = indexOf.get(table.prompts[row] ?? '');
        if (index !== undefined) hits.add(index);
      }
    }
    indices = indices.filter((index) => hits.has(index));
  }
  switch (query.only) {
    case 'all':
      break;
    case 'failures':
      indices = indices.filter((index) => failures[index]! > 0);
      break;
    case 'labelled':
      indices = indices.filter((index) =>
        policies.some(({ label }) => label !== undefined && !Number.isNaN(label.values[index]!)),
      );
      break;
    default: {
      const holds = DIFFERENT[query.only];
      if (apart !== undefined) indices = indices.filter((index) => holds(apart[index]!));
    }
  }
  const values = order?.values(measures, scorer);
  if (order !== undefined && values !== undefined) indices = sortBy(order, values, indices);
  const all = [INPUT_ORDER, ...orders];
  return { pair, differences: apart, order: order ?? INPUT_ORDER, orders: all, scorer, indices, values };
}

/** By a's score − b's; NaN is none of them. */
const DIFFERENT: Readonly<Record<Exclude<ItemFilter, 'all' | 'failures' | 'labelled'>, (d: number) => boolean>> = {
  differ: (difference) => difference > 0 || difference < 0,
  'a-better': (difference) => difference > 0,
  'b-better': (difference) => difference < 0,
  tied: (difference) => difference === 0,
};

function pairOf({ policies }: Measures, { a, b }: ItemQuery): PolicyPair | undefined {
  const known = (name: string | undefined): name is string =>
    policies.some(({ policy, scores }) => policy === name && scores.size > 0);
  return known(a) && known(b) && a !== b ? { a, b } : undefined;
}

/** How an address names a prompt: by its id, or by its number where the id is no text that an address can hold. */
export const nameAt = (ids: readonly string[], index: number): string =>
  /\p{Surrogate}/u.test(ids[index]!) ? `#${index}` : ids[index]!;

function indexNamed({ ids, indexOf }: Measures, name: string): number | undefined {
  const number = /^#(\d{1,9})$/.exec(name)?.[1];
  const index = indexOf.get(name) ?? (number === undefined ? undefined : Number(number));
  return index !== undefined && index < ids.length ? index : undefined;
}

const numberAt = (column: Column | undefined, index: number): number | null => finite(column?.values[index]);
const finite = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : value;

export function itemPage(measures: Measures, query: ItemQuery, tables: RowTables): ItemPage {
  const { ids, policies, logger, scorers, failures } = measures;
  const { pair, differences: apart, order, orders, scorer, indices, values } = select(measures, query, tables);
  const shown = indices.slice(query.offset, query.offset + query.limit);
  const prompts = promptsOf(measures, shown);
  return {
    total: ids.length,
    selected: indices.length,
    policies: policies.map(({ policy }) => policy),
    logger,
    scorers,
    scorer,
    orders,
    order,
    pair,
    rows: shown.map(
      (index, place): ItemLine => ({
        id: nameAt(ids, index),
        index,
        prompt: prompts[place] ?? null,
        value: finite(values?.[index]),
        difference: finite(apart?.[index]),
        scores: policies.map(({ scores }) => numberAt(scores.get(scorer ?? ''), index)),
        labels: policies.map(({ label }) => numberAt(label, index)),
        failures: failures[index]!,
      }),
    ),
  };
}

function promptsOf({ prompt }: Measures, indices: readonly number[]): (string | null)[] {
  if (prompt === undefined) return indices.map(() => null);
  const there = indices.filter((index) => prompt.rows[index] !== -1);
  const rows = prompt.table.read(there.map((index) => prompt.rows[index]!));
  const texts = new Map(there.map((index, place) => [index, rows[place]?.prompt]));
  return indices.map((index) => {
    const text = texts.get(index);
    return typeof text === 'string' ? text : null;
  });
}

export function itemDetail(
  measures: Measures,
  name: string,
  query: ItemQuery,
  present: PresentNodes,
): ItemDetail | undefined {
  const index = indexNamed(measures, name);
  if (index === undefined) return undefined;
  const { ids, logger, scorers } = measures;
  const id = ids[index]!;
  const { order, indices } = select(measures, query, present.tables);
  const position = indices.indexOf(index);
  const at = (place: number) =>
    position === -1 || indices[place] === undefined ? undefined : nameAt(ids, indices[place]);
  const policies = measures.policies.map((policy) => itemPolicy(measures, policy, index));
  const shown = new Set(
    policies.flatMap(({ response, logprob, labelRow, scores }) =>
      [response, logprob, labelRow, ...scores.map(({ row }) => row)].flatMap((row) =>
        row === undefined ? [] : [`${row.node} ${row.item}`],
      ),
    ),
  );
  const others: NodeRow[] = [];
  for (const node of present.nodes) {
    const table = present.table(node);
    for (const row of table?.rowsOf(id) ?? []) {
      const item = table!.itemOf(row);
      if (shown.has(`${node.name} ${item}`)) continue;
      others.push({ node: node.name, item, row: table!.read([row])[0]!, asks: node.asks });
    }
  }
  return {
    id,
    index,
    position: position === -1 ? null : position,
    selected: indices.length,
    previous: at(position - 1),
    next: at(position + 1),
    order,
    prompt: promptsOf(measures, [index])[0] ?? null,
    logger,
    scorers,
    policies,
    measured: measures.others.flatMap((column) => {
      const row = rowAt(column, index);
      const { policy, measure, values } = column;
      return row === undefined ? [] : [{ measure, policy, value: finite(values[index]), row }];
    }),
    others,
    unfinished: present.nodes
      .filter((node) => node.asks && node.action === undefined && node.upstream() !== undefined)
      .map((node) => node.name),
  };
}

function itemPolicy(measures: Measures, columns: PolicyColumns, index: number): ItemPolicy {
  const { policy, response, logprob, scores, label } = columns;
  const { logger, calibration } = measures;
  const base = measures.policies.find((other) => other.policy === logger);
  const ratios =
    policy === logger || logprob === undefined || base?.logprob === undefined ? undefined : logRatios(columns, base);
  const ratio = finite(ratios?.[index]);
  return {
    policy,
    response: rowAt(response, index),
    logprob: rowAt(logprob, index),
    logprobValue: numberAt(logprob, index),
    logRatio: ratio,
    rank: ratio === null ? null : placeOf(ratios!, ratio),
    scores: measures.scorers.map((scorer) => {
      const column = scores.get(scorer);
      const value = numberAt(column, index);
      const reward = value === null ? Number.NaN : rewardOf(calibration.get(scorer), value);
      const row = rowAt(column, index);
      // Of imported scores the reasons stand among the texts.
      const reasons = rowAt(response, index)?.row.rationale ?? null;
      const verdict = column && row && verdictOf({ rationale: reasons, ...row.row }, column.node, column.units);
      return { scorer, value, row, reward: finite(reward), verdict };
    }),
    label: numberAt(label, index),
    labelRow: rowAt(label, index),
  };
}

function rowAt(column: Column | undefined, index: number): NodeRow | undefined {
  const row = column?.rows[index] ?? -1;
  if (column === undefined || row === -1) return undefined;
  const { node, table } = column;
  const [content] = table.read([row]) as [JsonObject];
  return { node: node.name, item: table.itemOf(row), row: content, asks: node.asks };
}

function placeOf(values: Float64Array, value: number): { readonly place: number; readonly of: number } {
  let [larger, of] = [0, 0];
  for (const other of values) {
    if (Number.isNaN(other)) continue;
    of++;
    if (other > value) larger++;
  }
  return { place: larger + 1, of };
}
