/** Where the work of heavy transforms runs: on a thread of this machine, or on a worker on another. */

import type { JsonObject } from '../core/json.ts';
import type { OutputRef } from '../core/storage.ts';
import type { NodeOutput, Upstream } from './inputs.ts';

/** A transform's work as values alone, so that it can cross to another thread or machine. */
export interface TransformTask {
  readonly node: string;
  readonly kind: string;
  readonly params: JsonObject;
  readonly upstream: Upstream;
  /** The part that is wanted of work that can be cut; absent: all of it, as the kind's files. */
  readonly block?: Block & { readonly milliseconds: number };
  /** The rows of all blocks in their order, where what is wanted is the whole that they come to. */
  readonly joins?: readonly OutputRef[];
}

/** Units of divisible work, `to` left out. Whoever makes them stops when `milliseconds` are over, with at least one. */
export interface Block {
  readonly from: number;
  readonly to: number;
}

export interface TransformResult {
  /** Of a block, the rows alone. */
  readonly output: NodeOutput;
  /** What was made of a block in its time; absent for the whole. */
  readonly block?: Block;
  /** How long the work took by itself. */
  readonly milliseconds: number;
}

export interface Executor {
  /**
   * @param admit asked when there is a place for the task; false drops it, and its result is then undefined
   * @throws whatever the transform throws, ProblemError and DamageError as such
   */
  run(task: TransformTask, admit: () => boolean): Promise<TransformResult | undefined>;
}
