/** A node's inputs as its kind sees them: rows and texts, read from blobs on demand. */

import type { JsonObject } from '../core/json.ts';
import { type Input, type Inputs, ROWS, type RowType } from '../core/kind.ts';
import type { BlobStore, OutputRef } from '../core/storage.ts';
import type { Summary } from '../core/summary.ts';

/** What is known of a finished node by those who depend on it. */
export interface NodeOutput {
  readonly outputs: Readonly<Record<string, OutputRef>>;
  readonly summary: Summary;
}

/** The finished nodes that a node depends on, by input name and label. */
export type Upstream = ReadonlyMap<string, ReadonlyMap<string, NodeOutput>>;

export function readInput(output: NodeOutput, blobs: BlobStore): Input {
  const ref = (file: string): OutputRef => {
    const found = output.outputs[file];
    if (found === undefined) throw new Error(`Internal error: the output has no file ${file}`);
    return found;
  };
  return {
    summary: output.summary,
    rows: <R extends JsonObject = JsonObject>(_?: RowType<R>, file = ROWS) => blobs.rows(ref(file)) as Iterable<R>,
    text: (file) => new TextDecoder().decode(blobs.read(ref(file))),
    files: () => Object.keys(output.outputs),
  };
}

/** @param groups `one` inputs have the single label ''. */
export function nodeInputs(groups: Upstream, blobs: BlobStore): Inputs {
  const group = (name: string) => {
    const found = groups.get(name);
    if (found === undefined) throw new Error(`Internal error: the kind did not declare the input ${name}`);
    return found;
  };
  return {
    one: (name) => {
      const output = group(name).values().next().value;
      if (output === undefined) throw new Error(`Internal error: the input ${name} is empty`);
      return readInput(output, blobs);
    },
    many: (name) => new Map([...group(name)].map(([label, output]) => [label, readInput(output, blobs)])),
    has: (name) => groups.has(name),
  };
}
