/** Models that run on this machine: what a provider of type `llama` says of the engine, and what a model's file brings. */

import { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import { ENGINE, type LocalModel, localModelId, type ReadModelFile } from '../core/local-engine.ts';
import type { Files } from './files.ts';
import { type Tree, textOf } from './tree.ts';

const count = z.int().min(1);

/** A text needs minutes where a server needs seconds, and each that is under way has memory of its own. */
export const localProvider = z.strictObject({
  type: z.literal('llama'),
  /** The release of node-llama-cpp; another one is another engine, with other keys. */
  engine: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, `must be a release of ${ENGINE.name}, such as ${ENGINE.version}`)
    .default(ENGINE.version),
  /** Tokens that prompt and answer may have together. */
  context: count.default(8192),
  threads: count.optional(),
  /** Another device rounds otherwise, so it is another engine. */
  gpu: z.boolean().default(false),
  /** Texts that are evaluated at once. */
  concurrency: count.default(1),
  timeout_seconds: z.number().gt(0).default(1800),
  attempts: count.default(2),
  identity: z.string().min(1).optional(),
});

interface WrittenEngine {
  readonly engine: string;
  readonly context: number;
  readonly threads?: number | undefined;
  readonly gpu: boolean;
}

export const localIdentity = ({ engine, gpu }: WrittenEngine): string =>
  `llama:${ENGINE.name}@${engine}${gpu ? '/gpu' : ''}`;

export const engineOptions = ({ engine, context, threads, gpu }: WrittenEngine): JsonObject => ({
  engine,
  context,
  gpu,
  ...(threads === undefined ? {} : { threads }),
});

/** The model behind the path that `model:` names; undefined for one that cannot be used, which is then reported. */
export function readLocalModel(
  tree: Tree,
  files: Files,
  read: ReadModelFile | undefined,
): { readonly id: string; readonly model: LocalModel } | undefined {
  if (read === undefined) throw new Error('Internal error: nobody reads model files');
  const written = textOf(tree) ?? '';
  const path = files.locate(written, tree);
  const trouble = files.trouble(path);
  if (trouble !== undefined) {
    files.complain(tree.span, written, path, trouble);
    return undefined;
  }
  const found = read(path);
  if (found.ok) return { id: localModelId(found.file), model: { path, file: found.file } };
  files.complain(tree.span, written, path, found.reason);
  return undefined;
}
