/** What travels between builds and workers over the queue: work whose inputs are named by their digests, and how it ended. */

import { z } from 'zod';
import { type Digest, digestText, isDigest } from '../core/digest.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { type Kinds, SUMMARY } from '../core/kind.ts';
import type { BlobStore, OutputRef } from '../core/storage.ts';
import type { Summary } from '../core/summary.ts';
import { inputDigests } from '../engine/evaluate.ts';
import type { Block, TransformTask } from '../engine/executor.ts';
import type { Upstream } from '../engine/inputs.ts';
import { type KeyParts, nodeKey } from '../engine/keys.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const count = z.int().min(0);
const outputRef = z.strictObject({ digest, size: count });
/** Pairs, because an object would put labels that are numbers first. */
const pairs = <T extends z.ZodType>(value: T) => z.array(z.tuple([z.string(), value]));

const jobShape = z.strictObject({
  node: z.string(),
  kind: z.string(),
  /** Digest of the kind's code: a worker that has another refuses. */
  code: z.string(),
  params: z.custom<JsonObject>(isJsonObject),
  /** Files of the upstream outputs, by input and label. */
  upstream: pairs(pairs(z.record(z.string(), outputRef).refine((outputs) => SUMMARY in outputs))),
  block: z.strictObject({ from: count, to: count, milliseconds: z.number().gt(0) }).optional(),
  /** Indexes of the shared cache behind which the inputs are. */
  segments: z.array(z.string()).max(1000),
});

/** As it lies on the queue. It is not signed: a worker believes no more of it than its digests can prove. */
export type WorkJob = z.output<typeof jobShape>;

/** Undefined for what is no job of this version. */
export const readJob = (data: unknown): WorkJob | undefined => jobShape.safeParse(data).data;

const outcomeShape = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('made'),
    /** The index of the segment with the outputs, and a record of them under the work's key. */
    index: z.string(),
    /** How far the block came; absent for whole work. */
    to: count.optional(),
    milliseconds: z.number(),
  }),
  z.object({ type: z.literal('refused'), reason: z.string() }),
]);

/** How a job ended. Its outputs are in the shared cache, signed there by the worker; what this says is checked against them. */
export type WorkOutcome = Readonly<z.output<typeof outcomeShape>>;

/** Undefined for what is no outcome of this version. */
export const readOutcome = (data: unknown): WorkOutcome | undefined => outcomeShape.safeParse(data).data;

export function jobOf(task: TransformTask, code: string, segments: readonly string[]): WorkJob {
  const { node, kind, params, upstream, block } = task;
  return {
    node,
    kind,
    code,
    params,
    upstream: [...upstream].map(([name, group]) => [
      name,
      [...group].map(([label, { outputs }]) => [label, { ...outputs }]),
    ]),
    ...(block === undefined ? {} : { block }),
    segments: [...segments],
  };
}

/** What the job is keyed by, as a node is. */
export const jobParts = ({ kind, code, params, upstream }: Omit<WorkJob, 'segments' | 'node'>): KeyParts => ({
  kind,
  code,
  params,
  inputs: inputDigests(
    new Map(upstream.map(([name, group]) => [name, new Map(group.map(([label, outputs]) => [label, { outputs }]))])),
  ),
  sources: {},
});

/** The key of work: the node's own, or that of a block of it. */
export function workKey(node: Digest, block: Block | undefined): Digest {
  return block === undefined ? node : digestText(`${node} ${block.from}-${block.to}`);
}

export const jobKey = (job: WorkJob): Digest => workKey(nodeKey(jobParts(job)), job.block);

export const inputRefs = ({ upstream }: Pick<WorkJob, 'upstream'>): OutputRef[] =>
  upstream.flatMap(([, group]) => group.flatMap(([, outputs]) => Object.values(outputs)));

/**
 * The task behind a job. What upstream nodes say of themselves is read from their outputs, whose digests are in the key.
 *
 * @throws DamageError where an input is not what its digest says
 */
export function taskOf({ node, kind, params, upstream, block }: WorkJob, blobs: BlobStore): TransformTask {
  const output = (outputs: Readonly<Record<string, OutputRef>>) => ({
    outputs,
    summary: JSON.parse(new TextDecoder().decode(blobs.read(outputs[SUMMARY]!))) as Summary,
  });
  const groups: Upstream = new Map(
    upstream.map(([name, group]) => [name, new Map(group.map(([label, outputs]) => [label, output(outputs)]))]),
  );
  return { node, kind, params, upstream: groups, ...(block === undefined ? {} : { block }) };
}

/**
 * One digest for the code of all kinds whose work may be heavy. Builds and workers of the same code share a queue, so that
 * work waits for those who can do it.
 */
export function codeOf(kinds: Kinds): string {
  const lines = [...kinds.values()]
    .filter(({ kind }) => kind.shape === 'transform' && kind.heavy !== undefined)
    .map(({ kind, code }) => `${kind.name} ${code}\n`);
  return digestText(lines.sort().join('')).slice(0, 16);
}
