/** A recorded build as it can still be read: its nodes, what they were made of, and their outputs. */

import type { Kind, Kinds, RowType } from '../core/kind.ts';
import { writes } from '../core/kind.ts';
import { EXIT, ProblemError } from '../core/problem.ts';
import type { Action, BuildRecord, OutputRef, Store } from '../core/storage.ts';
import { partsOf } from '../engine/history.ts';
import { readInput } from '../engine/inputs.ts';
import { type KeyParts, outputsDigest } from '../engine/keys.ts';
import { buildName } from './build-title.ts';

export interface BuiltNode {
  readonly name: string;
  readonly action: Action;
  readonly parts: KeyParts;
}

/** What reading a past build takes. */
export interface PastPorts {
  readonly kinds: Kinds;
  readonly store: Pick<Store, 'actions' | 'blobs'>;
}

export class PastBuild {
  readonly record: BuildRecord;
  readonly nodes: ReadonlyMap<string, BuiltNode>;
  readonly #store: Pick<Store, 'blobs'>;
  readonly #kinds: Kinds;
  #byDigest: Map<string, BuiltNode> | undefined;

  /** Nodes without a record of what they were made of are left out. */
  constructor(record: BuildRecord, { kinds, store }: PastPorts) {
    this.record = record;
    this.#store = store;
    this.#kinds = kinds;
    const nodes = new Map<string, BuiltNode>();
    for (const [name, { key, outputs }] of Object.entries(record.nodes)) {
      const action = key === null ? undefined : store.actions.get(key);
      // A node that was asked again has another output under the same key: the record says which one this build had.
      if (action !== undefined) nodes.set(name, { name, action: { ...action, outputs }, parts: partsOf(action) });
    }
    this.nodes = nodes;
  }

  /** Undefined for a kind that this version of the program does not have. */
  kindOf({ action }: BuiltNode): Kind | undefined {
    return this.#kinds.get(action.kind)?.kind;
  }

  /** The nodes with a file of this type. */
  writing(type: RowType): BuiltNode[] {
    return [...this.nodes.values()].filter((node) => writes(this.kindOf(node), type));
  }

  /** The node that an input came from, by the digest of its output; undefined where the record has none. */
  upstream(node: BuiltNode, input: string, label = ''): BuiltNode | undefined {
    const digest = node.parts.inputs[input]?.[label];
    if (digest === undefined) return undefined;
    this.#byDigest ??= new Map([...this.nodes.values()].map((other) => [outputsDigest(other.action.outputs), other]));
    return this.#byDigest.get(digest);
  }

  /** @throws ProblemError where a file of the output is no longer in the cache. */
  read(node: BuiltNode) {
    for (const ref of Object.values(node.action.outputs)) this.#require(node, ref);
    return readInput(node.action, this.#store.blobs);
  }

  #require(node: BuiltNode, ref: OutputRef): void {
    if (this.#store.blobs.locate(ref) !== undefined) return;
    throw new ProblemError(
      {
        id: 'CJE-OUTPUTS-GONE',
        headline: `the outputs of ${buildName(this.record)} are no longer in the cache`,
        facts: [
          ['missing', node.name],
          ['built', new Date(this.record.finishedAt).toISOString()],
        ],
        hint: 'build that state of the experiment again: its replies are bought once, so it costs nothing unless they are gone too',
      },
      EXIT.failed,
    );
  }
}

/** @throws ProblemError for a build of which nothing can be read. */
export function openPast(record: BuildRecord, ports: PastPorts): PastBuild {
  const past = new PastBuild(record, ports);
  if (past.nodes.size > 0) return past;
  throw new ProblemError(
    {
      id: 'CJE-OUTPUTS-GONE',
      headline: `${buildName(record)} has no outputs in the cache`,
      facts: [
        ['built', new Date(record.finishedAt).toISOString()],
        ['exit', String(record.exit)],
      ],
      hint: 'see `cje log` for builds that finished nodes',
    },
    EXIT.failed,
  );
}
