/** A node as one build left it, or as it stands now, with what its rows can be made from again. */

import type { JsonObject } from '../../core/json.ts';
import { type Kind, ROWS, type RowType, writes } from '../../core/kind.ts';
import type { Action, BlobStore, OutputRef } from '../../core/storage.ts';
import type { Summary } from '../../core/summary.ts';
import { RESPONSES } from '../../datasets/row-types.ts';
import type { Upstream } from '../../engine/inputs.ts';
import type { RowTable } from './row-table.ts';
import type { RowTables } from './row-tables.ts';

export type NodeState = 'done' | 'refused' | 'incomplete' | 'failed' | 'skipped' | 'stale';

export interface ShownNode {
  readonly name: string;
  readonly stage: string;
  readonly kind: string;
  /** What its kind says of itself; undefined for a kind that this version of the program does not have. */
  readonly definition: Kind | undefined;
  readonly state: NodeState;
  /** Why it is in that state; empty where there is nothing to say. */
  readonly note: string;
  /** Undefined while the node is not finished. */
  readonly action: Action | undefined;
  readonly summary: Summary | undefined;
  readonly outputs: Readonly<Record<string, OutputRef>>;
  readonly params: JsonObject;
  /** The nodes that it depends on. */
  readonly inputs: readonly { readonly input: string; readonly label: string; readonly node: string }[];
  /** Whether it asks models. */
  readonly asks: boolean;
  /** Of this build: replies bought, and dollars billed. Null for what stands now. */
  readonly bought: number | null;
  readonly billed: number | null;
  /** Dollars to make it from nothing; null where a price is unknown or it is not finished. */
  readonly reproduce: number | null;
}

export interface OpenNode extends ShownNode {
  /** Undefined where what it depends on is not there. */
  readonly upstream: () => Upstream | undefined;
}

/** Such as `pi_cot` of `responses/pi_cot`: what the matrix filled in. */
export function suffixOf({ name }: Pick<ShownNode, 'name'>): string {
  const at = name.indexOf('/');
  return at === -1 ? name : name.slice(at + 1);
}

export const fileOf = (node: ShownNode | undefined, file: string): OutputRef | undefined => node?.outputs[file];

export const textParam = (params: JsonObject, name: string): string | undefined => {
  const value = params[name];
  return typeof value === 'string' ? value : undefined;
};

/** Nodes as far as their rows are in the cache. */
export class PresentNodes {
  readonly nodes: readonly OpenNode[];
  readonly byName: ReadonlyMap<string, OpenNode>;
  readonly tables: RowTables;
  readonly #blobs: Pick<BlobStore, 'locate'>;

  constructor(nodes: readonly OpenNode[], tables: RowTables, blobs: Pick<BlobStore, 'locate'>) {
    this.nodes = nodes;
    this.byName = new Map(nodes.map((node) => [node.name, node]));
    this.tables = tables;
    this.#blobs = blobs;
  }

  table(node: OpenNode | undefined, file = ROWS): RowTable | undefined {
    const ref = fileOf(node, file);
    return ref === undefined || this.#blobs.locate(ref) === undefined
      ? undefined
      : this.tables.get(ref, node?.definition);
  }

  /** The nodes with a file of this type whose rows are there. */
  writing(type: RowType): OpenNode[] {
    return this.nodes.filter((node) => writes(node.definition, type) && this.table(node) !== undefined);
  }

  /** The node whose responses this one reads; undefined where it reads none, or those of several. */
  responder(node: OpenNode): OpenNode | undefined {
    const read = node.inputs.filter(({ label, node: name }) => {
      return label === '' && writes(this.byName.get(name)?.definition, RESPONSES);
    });
    // A comparison reads those of a second policy too, under another name.
    const own = read.find(({ input }) => input === 'responses') ?? read[0];
    return own === undefined ? undefined : this.byName.get(own.node);
  }
}
