/** One node's work for the shapes that buy nothing, and what every shape needs: its key's parts and its output files. */

import type { GraphNode } from '../core/graph.ts';
import { canonicalJson, type Json, type JsonObject } from '../core/json.ts';
import {
  type InputSizes,
  type Kind,
  type OutputFile,
  type Outputs,
  type RegisteredKind,
  ROWS,
  SourceError,
  type SourceFile,
  type SourceKind,
  type SourceReader,
  SUMMARY,
  type TransformKind,
} from '../core/kind.ts';
import { type Problem, ProblemError } from '../core/problem.ts';
import type { BlobStore, OutputRef } from '../core/storage.ts';
import type { Summary } from '../core/summary.ts';
import type { TransformTask } from './executor.ts';
import { type NodeOutput, nodeInputs, type Upstream } from './inputs.ts';
import { type KeyParts, outputsDigest } from './keys.ts';
import { Tally } from './tally.ts';

/** Groups the finished upstream nodes by input name and label. */
export function upstreamOf(node: GraphNode, output: (name: string) => NodeOutput): Upstream {
  const groups = new Map<string, Map<string, NodeOutput>>();
  for (const [name, input] of Object.entries(node.inputs)) {
    groups.set(name, new Map(input.nodes.map(({ label, node: upstream }) => [label, output(upstream)])));
  }
  return groups;
}

export async function keyParts(
  node: GraphNode,
  { kind, code }: RegisteredKind,
  upstream: Upstream,
  sources: SourceReader,
): Promise<KeyParts> {
  const digests: Record<string, string> = {};
  let params: Json = node.params;
  if (kind.shape === 'source') {
    for (const [name, location] of Object.entries((kind as SourceKind<unknown>).locate(node.params))) {
      digests[name] = await sources.digest(location);
      // The bytes are in the key, so where they lie is not: a moved file is the same file.
      if (location.type === 'path') params = replaceText(params, location.path, `source:${name}`);
    }
  }
  return { kind: kind.name, code, params: params as JsonObject, inputs: inputDigests(upstream), sources: digests };
}

/** What a node is keyed by of what it depends on. */
export const inputDigests = (
  upstream: ReadonlyMap<string, ReadonlyMap<string, Pick<NodeOutput, 'outputs'>>>,
): KeyParts['inputs'] =>
  Object.fromEntries(
    [...upstream].map(([name, group]) => [
      name,
      Object.fromEntries([...group].map(([label, { outputs }]) => [label, outputsDigest(outputs)])),
    ]),
  );

/** The parts of a node whose inputs are not known yet: what can be said of an edit at the node itself. */
export const ownParts = (node: GraphNode, registered: RegisteredKind, sources: SourceReader): Promise<KeyParts> =>
  keyParts(node, registered, new Map(), sources);

function replaceText(value: Json, text: string, by: string): Json {
  if (value === text) return by;
  if (Array.isArray(value)) return value.map((member: Json) => replaceText(member, text, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, replaceText(member as Json, text, by)]),
  ) as JsonObject;
}

/** Runs a transform and writes its files: wherever that is, the same bytes. */
export async function evaluateTransform(
  { params, upstream }: Pick<TransformTask, 'params' | 'upstream'>,
  kind: TransformKind<unknown>,
  blobs: BlobStore,
): Promise<NodeOutput> {
  return writeOutputs(await kind.run(params, nodeInputs(upstream, blobs)), blobs);
}

/** Runs a source or a transform and writes its files. */
export async function evaluatePure(
  node: GraphNode,
  kind: SourceKind<unknown> | TransformKind<unknown>,
  upstream: Upstream,
  blobs: BlobStore,
  sources: SourceReader,
): Promise<NodeOutput> {
  if (kind.shape === 'transform') return evaluateTransform({ params: node.params, upstream }, kind, blobs);
  return withFiles(node, kind, sources, async (files) =>
    writeOutputs(await kind.parse(node.params, files, nodeInputs(upstream, blobs)), blobs),
  );
}

/** Looks at the files of a source whose inputs are not there yet. @throws ProblemError for files that no input would mend */
export async function examineSource(node: GraphNode, kind: SourceKind<unknown>, sources: SourceReader): Promise<void> {
  if (kind.examine === undefined) return;
  await withFiles(node, kind, sources, (files) => kind.examine!(node.params, files));
}

/** Reads what a source names; what is wrong with it is told of its first file. */
async function withFiles<T>(
  node: GraphNode,
  kind: SourceKind<unknown>,
  sources: SourceReader,
  read: (files: Readonly<Record<string, SourceFile>>) => Promise<T>,
): Promise<T> {
  const files: Record<string, SourceFile> = {};
  for (const [name, location] of Object.entries(kind.locate(node.params))) files[name] = await sources.read(location);
  try {
    return await read(files);
  } catch (error) {
    if (error instanceof ProblemError) throw ofNode(error, node);
    if (!(error instanceof SourceError)) throw error;
    const label = Object.values(files)[0]?.label;
    throw new ProblemError({
      id: 'CJE-BAD-DATA',
      headline: error.message,
      facts: [['node', node.name]],
      ...(label === undefined ? { place: node.place } : { place: { file: label, ...lineOf(error) } }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

/** Whoever reads a file does not know for which node. */
function ofNode({ problems, exit }: ProblemError, { name }: GraphNode): ProblemError {
  const named = problems.map((problem): Problem => ({ ...problem, facts: [['node', name], ...(problem.facts ?? [])] }));
  return new ProblemError(named, exit);
}

const lineOf = (error: SourceError) => (error.line === undefined ? {} : { line: error.line });

export async function writeOutputs(outputs: Outputs, blobs: BlobStore): Promise<NodeOutput> {
  const refs: Record<string, OutputRef> = {};
  const tally = new Tally();
  for (const [file, content] of Object.entries(outputs.files)) {
    refs[file] = isText(content)
      ? await blobs.put(content)
      : await writeRows(content, blobs, file === ROWS ? tally : undefined);
  }
  const counted = tally.summary();
  const { refusal, notes } = outputs;
  const summary: Summary = {
    ...counted,
    ...(refusal === undefined ? {} : { refusal }),
    ...(notes === undefined ? {} : { notes }),
  };
  return withSummary(refs, summary, blobs);
}

const isText = (content: OutputFile): content is string | Uint8Array =>
  typeof content === 'string' || content instanceof Uint8Array;

async function writeRows(rows: Iterable<JsonObject>, blobs: BlobStore, tally: Tally | undefined): Promise<OutputRef> {
  const writer = blobs.writer();
  try {
    for (const row of rows) {
      tally?.row(row);
      writer.write(`${canonicalJson(row)}\n`);
    }
    return await writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** Adds the summary as a file of its own, so that dependants are keyed by it too. */
export async function withSummary(
  refs: Readonly<Record<string, OutputRef>>,
  summary: Summary,
  blobs: BlobStore,
): Promise<NodeOutput> {
  const text = `${canonicalJson(summary)}\n`;
  return { outputs: { ...refs, [SUMMARY]: await blobs.put(text) }, summary };
}

/** Whether a node may hold its thread for long. */
export function isHeavy(kind: Kind, node: GraphNode, upstream: Upstream): boolean {
  return kind.shape === 'transform' && (kind.heavy?.(node.params as never, sizesOf(upstream)) ?? false);
}

export function sizesOf(upstream: Upstream): InputSizes {
  const group = (name: string) => upstream.get(name) ?? new Map<string, NodeOutput>();
  return {
    one: (name) => group(name).values().next().value?.summary.items ?? 0,
    many: (name) => new Map([...group(name)].map(([label, output]) => [label, output.summary.items])),
  };
}
