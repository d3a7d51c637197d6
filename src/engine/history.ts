/** What earlier builds made of each node: what a plan, an explanation and a canary compare with. */

import type { GraphNode } from '../core/graph.ts';
import { ROWS, SUMMARY } from '../core/kind.ts';
import type { Action, BuildRecord, OutputRef, Store } from '../core/storage.ts';
import type { Summary } from '../core/summary.ts';
import type { NodeOutput, Upstream } from './inputs.ts';
import type { KeyParts } from './keys.ts';

/** A node as a build left it. */
export interface PastNode {
  readonly record: BuildRecord;
  readonly action: Action;
}

/** Builds older than this many say little about the next one. */
const BUILDS = 50;

type HistoryStore = Pick<Store, 'builds' | 'actions' | 'blobs'>;

/** The records of recent builds, newest first, read once. */
export class History {
  readonly #store: HistoryStore;
  readonly #records: readonly BuildRecord[];
  readonly #found = new Map<string, PastNode | undefined>();

  /**
   * @param profile builds of this profile are preferred: another profile's model is no edit of yours.
   * @param only looks at this build alone.
   */
  constructor(store: HistoryStore, profile: string, only?: BuildRecord) {
    this.#store = store;
    const recent = only === undefined ? [...store.builds.list(BUILDS)] : [only];
    this.#records = [
      ...recent.filter((record) => record.profile === profile),
      ...recent.filter((record) => record.profile !== profile),
    ];
  }

  get records(): readonly BuildRecord[] {
    return this.#records;
  }

  /** The newest build that left this node finished, and how. */
  of(node: string): PastNode | undefined {
    if (!this.#found.has(node)) this.#found.set(node, this.#find(node));
    return this.#found.get(node);
  }

  /** Why the newest build that knew this node failed it; undefined where it did not. */
  whyFailed(node: string): string | undefined {
    return this.#records.find((record) => record.nodes[node] !== undefined)?.nodes[node]?.reason;
  }

  #find(node: string): PastNode | undefined {
    for (const record of this.#records) {
      const key = record.nodes[node]?.key;
      if (key === undefined || key === null) continue;
      const action = this.#store.actions.get(key);
      if (action !== undefined) return { record, action };
    }
    return undefined;
  }
}

export const partsOf = (action: Action): KeyParts => action.parts as KeyParts;

/** The outputs that a build left for a node, if their bytes are still there. */
function pastOutput(record: BuildRecord, node: string, store: HistoryStore): NodeOutput | undefined {
  const outputs = record.nodes[node]?.outputs;
  if (outputs === undefined || !present(outputs, store)) return undefined;
  const ref = outputs[SUMMARY];
  const summary = ref === undefined ? EMPTY : (JSON.parse(new TextDecoder().decode(store.blobs.read(ref))) as Summary);
  return { outputs, summary };
}

const EMPTY: Summary = { items: 0, statuses: {}, calls: [] };

function present(outputs: Readonly<Record<string, OutputRef>>, { blobs }: HistoryStore): boolean {
  const refs = Object.values(outputs);
  return refs.length > 0 && refs.every((ref) => blobs.locate(ref) !== undefined);
}

/** What the node's inputs were in that build; undefined where any of them is gone. */
export function pastUpstream(record: BuildRecord, node: GraphNode, store: HistoryStore): Upstream | undefined {
  const groups = new Map<string, Map<string, NodeOutput>>();
  for (const [name, input] of Object.entries(node.inputs)) {
    const group = new Map<string, NodeOutput>();
    for (const { label, node: upstream } of input.nodes) {
      const output = pastOutput(record, upstream, store);
      // A node that a glob did not match then was no input of the build then.
      if (output === undefined && record.nodes[upstream] === undefined && input.arity === 'many') continue;
      if (output?.outputs[ROWS] === undefined) return undefined;
      group.set(label, output);
    }
    groups.set(name, group);
  }
  return groups;
}
