/** What is known of the outputs of planned nodes, and for how long their rows are kept. */

import { type GraphNode, upstreamNames } from '../../core/graph.ts';
import type { InputSizes, Inputs } from '../../core/kind.ts';
import { upstreamOf } from '../evaluate.ts';
import { type NodeOutput, nodeInputs, type Upstream } from '../inputs.ts';
import { OverlayBlobs } from './overlay.ts';
import type { PlanPorts } from './planned.ts';

export type PlannedOutput =
  /** Recorded or evaluated. */
  | { readonly type: 'known'; readonly output: NodeOutput; readonly evaluated: boolean }
  /** The rows that stored replies settle; the others wait for replies. `items` counts both. */
  | { readonly type: 'partial'; readonly output: NodeOutput; readonly items: number }
  /** Only how many items it should have. */
  | { readonly type: 'expected'; readonly items: number };

export class PlannedOutputs {
  /** Where evaluated rows lie: in memory, above the store's. */
  readonly blobs: OverlayBlobs;
  readonly #outputs = new Map<string, PlannedOutput>();
  readonly #nodes: ReadonlyMap<string, GraphNode>;
  readonly #kinds: PlanPorts['kinds'];
  /** How many nodes still have to read a node's output. */
  readonly #readers = new Map<string, number>();
  readonly #keepRows: boolean;

  /** @param keepRows whether rows stay when their last reader is planned. */
  constructor(reached: readonly GraphNode[], { kinds, store }: PlanPorts, keepRows: boolean) {
    this.blobs = new OverlayBlobs(store.blobs);
    this.#kinds = kinds;
    this.#keepRows = keepRows;
    this.#nodes = new Map(reached.map((node) => [node.name, node]));
    for (const node of reached) {
      for (const name of new Set(upstreamNames(node))) this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1);
    }
  }

  /** What planning a node gave; its inputs are read by then, unless its own rows are made from them. */
  set(node: GraphNode, output: PlannedOutput): void {
    this.#outputs.set(node.name, output);
    if (!this.#isDerived(node)) this.#doneReading(node);
  }

  /** @throws Error where the rows are not known. */
  of(name: string): NodeOutput {
    const output = this.#outputs.get(name);
    if (output === undefined || output.type === 'expected') throw new Error(`Internal error: ${name} has no output`);
    return output.output;
  }

  isRead(name: string): boolean {
    return (this.#readers.get(name) ?? 0) > 0;
  }

  /** The nodes whose outputs this one reads and nobody knows whole. */
  unknownTo(node: GraphNode): string[] {
    return [...new Set(upstreamNames(node).filter((name) => this.#outputs.get(name)?.type !== 'known'))];
  }

  /** Whether some rows of every input are known. */
  areReadable(node: GraphNode): boolean {
    return upstreamNames(node).every((name) => (this.#outputs.get(name)?.type ?? 'expected') !== 'expected');
  }

  upstreamOf(node: GraphNode): Upstream {
    return upstreamOf(node, (name) => this.of(name));
  }

  /** The inputs as far as their rows are known; undefined where nothing is. */
  inputsOf(node: GraphNode): Inputs | undefined {
    return this.areReadable(node) ? nodeInputs(this.upstreamOf(node), this.blobs) : undefined;
  }

  /** How many rows its inputs have, or should have. */
  sizesFor(node: GraphNode): InputSizes {
    const sizes = (name: string) =>
      new Map((node.inputs[name]?.nodes ?? []).map(({ label, node: upstream }) => [label, this.#sizeOf(upstream)]));
    return { one: (name) => sizes(name).values().next().value ?? 0, many: sizes };
  }

  #sizeOf(name: string): number {
    const output = this.#outputs.get(name);
    if (output === undefined) return 0;
    return output.type === 'known' ? output.output.summary.items : output.items;
  }

  /** Rows that are made from the node's inputs whenever they are read: its inputs are needed for as long as it is. */
  #isDerived(node: GraphNode): boolean {
    const output = this.#outputs.get(node.name);
    if (output?.type === 'partial') return true;
    return output?.type === 'known' && output.evaluated && this.#kinds.get(node.kind)!.kind.shape === 'calls';
  }

  #doneReading(node: GraphNode): void {
    for (const name of new Set(upstreamNames(node))) this.#wasRead(name);
  }

  #wasRead(name: string): void {
    const readers = this.#readers.get(name)! - 1;
    this.#readers.set(name, readers);
    if (readers > 0) return;
    const output = this.#outputs.get(name);
    if (!this.#keepRows && output?.type === 'known' && output.evaluated) this.blobs.release(output.output.outputs);
    const node = this.#nodes.get(name)!;
    if (this.#isDerived(node)) this.#doneReading(node);
  }
}
