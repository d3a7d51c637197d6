/**
 * What the viewer shows, as it asks for it: builds, their nodes, rows, items and calls. The command line implements this
 * over the store and the engine; nothing here can change anything.
 */

import type { Agreement } from '../../compare/agreement.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Action, BuildRecord, LockHolder, OutputRef } from '../../core/storage.ts';
import type { Summary } from '../../core/summary.ts';
import type { ReportData } from '../../report/model/data.ts';
import type { EstimateChange } from '../../report/model/difference.ts';

/** The name of the experiment as its files stand now, beside the ids of recorded builds. */
export const NOW = 'now';

export interface RunSource {
  readonly experiment: string;
  /** Called before each page: what is open may have been replaced since the last one. */
  refresh(): Promise<void>;
  /** Newest first. */
  builds(): readonly BuildRecord[];
  /** The id that a name (`last~1`, a tag, the beginning of an id, `now`) means; undefined where it means none. */
  resolve(name: string): string | undefined;
  /** What is shown to who asks for nothing in particular. */
  start(): string;
  /** @throws ProblemError where the pipeline's files cannot be read as they are now */
  open(id: string): Promise<Run | undefined>;
  /** Who builds at the moment. */
  building(): LockHolder | undefined;
  /** @throws ProblemError where outputs of either are gone */
  compare(before: BuildRecord, after: BuildRecord): Promise<Comparison>;
}

/** One build, or the experiment as it stands now. */
export interface Run {
  /** {@link NOW}, or the build's id. */
  readonly id: string;
  /** Absent for what stands now. */
  readonly record: BuildRecord | undefined;
  /** In topological order. */
  readonly nodes: readonly RunNode[];
  node(name: string): RunNode | undefined;
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
  /** The calls behind one row; undefined for an item that the node does not have. */
  calls(node: string, item: string): ItemCalls | undefined;
  /** How many items of an unfinished node are settled; undefined where that cannot be known. */
  progress(node: string): Progress | undefined;
}

export type NodeState = 'done' | 'refused' | 'incomplete' | 'failed' | 'skipped' | 'stale';

export interface RunNode {
  readonly name: string;
  readonly stage: string;
  readonly kind: string;
  readonly state: NodeState;
  /** Why it is in that state; empty where there is nothing to say. */
  readonly note: string;
  /** Undefined while the node is not finished. */
  readonly action: Action | undefined;
  readonly summary: Summary | undefined;
  readonly outputs: Readonly<Record<string, OutputRef>>;
  readonly params: JsonObject;
  /** The nodes that it stands on. */
  readonly inputs: readonly { readonly input: string; readonly label: string; readonly node: string }[];
  /** Whether it asks models. */
  readonly asks: boolean;
  /** Of this build: replies bought, and dollars billed. Null for what stands now. */
  readonly bought: number | null;
  readonly billed: number | null;
  /** Dollars to make it from nothing; null where a price is unknown or it is not finished. */
  readonly reproduce: number | null;
}

export interface Progress {
  readonly done: number;
  readonly items: number;
  /** True where only a part of the items was looked at, so that `done` is extrapolated. */
  readonly estimated: boolean;
}

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

export interface NumberColumn {
  readonly name: string;
  readonly n: number;
  readonly mean: number;
  readonly standardDeviation: number;
  /** Minimum, quartiles and maximum. */
  readonly quantiles: readonly [number, number, number, number, number];
  /** Counts in equal bins from the minimum to the maximum; empty unless this is what the node measures. */
  readonly histogram: readonly number[];
}

export interface FileText {
  readonly text: string;
  readonly size: number;
  /** True where the text is only the beginning. */
  readonly cut: boolean;
}

export interface ItemQuery {
  readonly text: string;
  readonly only: 'all' | 'labelled' | 'failures';
  /** The judge whose scores are shown; the first where absent or unknown. */
  readonly scorer: string | undefined;
  /** An order's key; input order where absent or unknown. */
  readonly order: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** A way to sort items, extremes first. */
export interface ItemOrder {
  readonly key: string;
  readonly label: string;
  /** What the sorted numbers are called; empty for input order. */
  readonly value: string;
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
  readonly rows: readonly ItemLine[];
}

export interface ItemLine {
  readonly id: string;
  readonly index: number;
  /** Null where no text of it is there. */
  readonly prompt: string | null;
  /** What the order sorts by; null in input order. */
  readonly value: number | null;
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
  /** Rows of the same prompt in every other node. */
  readonly others: readonly NodeRow[];
  /** Nodes that ask and have no rows yet, though what they stand on is there: some of their calls may be bought. */
  readonly unfinished: readonly string[];
}

export interface ShownCall {
  readonly key: string;
  readonly identity: string;
  readonly path: string;
  readonly body: JsonObject;
  readonly draw: string;
  readonly raw: string | null;
  readonly parsed: unknown;
  readonly failure: string | null;
  readonly failedAt: number | null;
  readonly bought: {
    readonly model: string;
    readonly identity: string;
    /** Dollars; null where the price was unknown. */
    readonly cost: number | null;
    readonly boughtAt: number;
    readonly node: string;
    readonly usage: { readonly inputTokens: number; readonly cachedInputTokens: number; readonly outputTokens: number };
  } | null;
}

export interface ItemCalls {
  readonly item: string;
  /** The prompt that the item is of, where it has one. */
  readonly prompt: string | undefined;
  /** Null while a reply is missing. */
  readonly row: JsonObject | null;
  readonly calls: readonly ShownCall[];
}

export interface Comparison {
  readonly before: BuildRecord;
  readonly after: BuildRecord;
  readonly edits: readonly {
    readonly nodes: readonly string[];
    readonly kind: string;
    readonly parts: readonly string[];
    /** Unified differences of the parts that changed, by their path; code has none. */
    readonly differences: readonly { readonly path: string; readonly text: string }[];
  }[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly same: number;
  readonly different: number;
  readonly scores: MeasuredChanges;
  readonly labels: MeasuredChanges;
  readonly estimates: {
    readonly changes: readonly (EstimateChange & {
      readonly leading: boolean;
      readonly paired: { readonly lower: number; readonly upper: number } | null;
    })[];
    readonly unchanged: number;
  };
  readonly rankings: readonly {
    readonly scorer: string;
    readonly ablation: string;
    readonly before: readonly string[];
    readonly after: readonly string[];
    readonly changed: boolean;
  }[];
}

export interface MeasuredChanges {
  readonly changes: readonly {
    readonly node: string;
    readonly agreement: Agreement;
    readonly leftOut: number;
  }[];
  readonly unchanged: number;
}
