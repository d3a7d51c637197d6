/** Cuts divisible work into blocks for an executor that has many places. However it is cut, the whole has the same bytes. */

import type { JsonObject } from '../core/json.ts';
import { type RegisteredKind, ROWS, type TransformKind } from '../core/kind.ts';
import type { BlobStore } from '../core/storage.ts';
import { evaluateTransform, writeOutputs } from './evaluate.ts';
import type { Block, Executor, TransformResult, TransformTask } from './executor.ts';
import { nodeInputs } from './inputs.ts';

/** A block may take so much longer than was thought before it is handed back in part. */
const SLACK = 2;

/** Runs a task, whole, a block of it, or what its blocks come to. */
export async function evaluateTask(
  task: TransformTask,
  kind: TransformKind<unknown>,
  blobs: BlobStore,
  now: () => number,
): Promise<TransformResult> {
  const started = now();
  const { block, joins, params, upstream } = task;
  if (block === undefined && joins === undefined) {
    const output = await evaluateTransform(task, kind, blobs);
    return { output, milliseconds: now() - started };
  }
  if (kind.blocks === undefined) throw new Error(`Internal error: ${task.kind} cannot be cut`);
  const inputs = nodeInputs(upstream, blobs);
  if (block === undefined) {
    const made = joins!.map((ref) => blobs.rows(ref));
    const output = await writeOutputs(kind.blocks.join(params, inputs, chained(made)), blobs);
    return { output, milliseconds: now() - started };
  }
  const units = kind.blocks.rows(params, inputs, block.from);
  let to = block.from;
  function* rows(): Generator<JsonObject> {
    for (const unit of units) {
      yield* unit;
      to++;
      if (to >= block!.to || now() - started >= block!.milliseconds) return;
    }
  }
  const output = await writeOutputs({ files: { [ROWS]: rows() } }, blobs);
  return { output, block: { from: block.from, to }, milliseconds: now() - started };
}

function* chained<T>(parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part;
}

interface BlockOptions {
  readonly kinds: ReadonlyMap<string, RegisteredKind>;
  /** Where blocks are joined: what they come to is read from the blobs of this machine. */
  readonly here: Executor;
  /** How long a block should take. */
  readonly milliseconds: number;
}

/** An executor that makes divisible work in blocks on another. */
export function inBlocks(executor: Executor, options: BlockOptions): Executor {
  return {
    async run(task, admit) {
      const kind = options.kinds.get(task.kind)?.kind;
      if (kind?.shape !== 'transform' || kind.blocks === undefined) return executor.run(task, admit);
      const units = kind.blocks.units(task.params);
      if (units === 1) return executor.run(task, admit);
      const made = await runBlocks(executor, task, units, options.milliseconds, admit);
      if (made === undefined) return undefined;
      const whole = await options.here.run({ ...task, joins: made.map(({ output }) => output.outputs[ROWS]!) }, admit);
      if (whole === undefined) return undefined;
      const milliseconds = [...made, whole].reduce((sum, each) => sum + each.milliseconds, 0);
      return { output: whole.output, milliseconds };
    },
  };
}

/** All blocks in order; undefined where one was dropped. The first tells the pace by which the rest is cut. */
async function runBlocks(
  executor: Executor,
  task: TransformTask,
  units: number,
  milliseconds: number,
  admit: () => boolean,
): Promise<TransformResult[] | undefined> {
  const first = await executor.run({ ...task, block: { from: 0, to: units, milliseconds } }, admit);
  if (first?.block === undefined) return undefined;
  const done = first.block.to;
  const pace = first.milliseconds / done;
  const longest = SLACK * milliseconds;
  const range = async ({ from, to }: Block): Promise<TransformResult[] | undefined> => {
    const made: TransformResult[] = [];
    for (let at = from; at < to; at = made.at(-1)!.block!.to) {
      const result = await executor.run({ ...task, block: { from: at, to, milliseconds: longest } }, admit);
      if (result?.block === undefined) return undefined;
      made.push(result);
    }
    return made;
  };
  const rest = await Promise.all(evenBlocks(done, units, (pace * (units - done)) / milliseconds).map(range));
  const all = [first];
  for (const made of rest) {
    if (made === undefined) return undefined;
    all.push(...made);
  }
  return all;
}

/** The units in blocks of about the same size, as many as `wanted` rounded up; none without units. */
function evenBlocks(from: number, to: number, wanted: number): Block[] {
  const number = Math.min(to - from, Math.max(1, Math.ceil(wanted)));
  const edge = (index: number) => from + Math.round(((to - from) * index) / number);
  return Array.from({ length: Math.max(0, number) }, (_, index) => ({ from: edge(index), to: edge(index + 1) }));
}
