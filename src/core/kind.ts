/**
 * Kinds: the pure functions that stages run, with the world taken out. A kind sees neither the cache, the network, the
 * clock nor the file system; it is given its parameters and its inputs, and hands back rows or files.
 */

import type { ZodType } from 'zod';
import type { Answer, ModelRef, Request } from './call.ts';
import type { JsonObject } from './json.ts';
import type { Summary } from './summary.ts';

/** The file that holds a node's rows, one JSON object a line. */
export const ROWS = 'rows.jsonl';
/** The file that holds a node's {@link Summary}; written by the engine. */
export const SUMMARY = 'summary.json';

/** The finished output of one upstream node. */
export interface Input {
  readonly summary: Summary;
  /** Streams the rows of a file, `rows.jsonl` unless told, in the order of writing; may be called more than once. */
  rows<T = JsonObject>(file?: string): Iterable<T>;
  /** Another file of the output, whole. */
  text(file: string): string;
  files(): readonly string[];
}

/** All inputs of a node, by the names its kind gives them. */
export interface Inputs {
  /** @throws on a name that the kind did not declare. */
  one(name: string): Input;
  /** The nodes that a glob matched, by the part that the glob left open, in the graph's order. */
  many(name: string): ReadonlyMap<string, Input>;
  has(name: string): boolean;
}

/** `optional` and `optional-many` may be left out; `Inputs.has` then says so. */
export type InputArity = 'one' | 'many' | 'optional' | 'optional-many';
export const takesMany = (arity: InputArity): boolean => arity === 'many' || arity === 'optional-many';
export const mayBeAbsent = (arity: InputArity): boolean => arity === 'optional' || arity === 'optional-many';

/** A file of an output: rows that are streamed, or a whole text. */
export type OutputFile = string | Uint8Array | Iterable<JsonObject>;

export interface Outputs {
  readonly files: Readonly<Record<string, OutputFile>>;
  /** Set when the node refuses to give any number. */
  readonly refusal?: string;
}

/** What a node will need, before its inputs exist. */
export interface Expectation {
  readonly items: number;
  readonly calls: readonly ExpectedCalls[];
}
export interface ExpectedCalls {
  readonly model: ModelRef;
  readonly calls: number;
  /** Typical tokens of one call. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The most that one call can answer (`max_tokens`). */
  readonly outputTokensAtMost: number;
}

/** How many items each upstream node has or is expected to have, by input name; `many` inputs by label. */
export interface InputSizes {
  one(name: string): number;
  many(name: string): ReadonlyMap<string, number>;
}

interface KindCommon<P> {
  readonly name: string;
  /** One sentence for help and for the documentation. */
  readonly about: string;
  readonly params: ZodType<P>;
  readonly inputs: Readonly<Record<string, InputArity>>;
  expect(params: P, sizes: InputSizes): Expectation;
}

/** Where a source's bytes are. */
export type Location =
  | { readonly type: 'path'; readonly path: string }
  | { readonly type: 'url'; readonly url: string; readonly sha256: string; readonly tokenVariable?: string };

export interface SourceKind<P = never> extends KindCommon<P> {
  readonly shape: 'source';
  /** What to fetch, by name; nothing for built-in data. */
  locate(params: P): Readonly<Record<string, Location>>;
  /** Pure but for being async: decoders of columnar files are. */
  parse(params: P, files: Readonly<Record<string, SourceFile>>): Promise<Outputs> | Outputs;
}
export interface SourceFile {
  readonly bytes: Uint8Array;
  /** The location as the user wrote it, for messages only. */
  readonly label: string;
}

/** Reads sources. The caller decides how to fetch. */
export interface SourceReader {
  /** A digest of the bytes, without fetching where the location carries one. */
  digest(location: Location): Promise<string>;
  read(location: Location): Promise<SourceFile>;
}

export interface TransformKind<P = never> extends KindCommon<P> {
  readonly shape: 'transform';
  /**
   * Whether this run may hold its thread for long: it then gets one of its own, where the engine has threads. Its
   * outputs are the same bytes either way.
   */
  heavy?(params: P, sizes: InputSizes): boolean;
  run(params: P, inputs: Inputs): Promise<Outputs> | Outputs;
}

export type RowGenerator = Generator<Request, JsonObject, Answer<unknown>>;

export interface CallsKind<P = never, I = unknown> extends KindCommon<P> {
  readonly shape: 'calls';
  /** The items in output order. Restartable: called once for buying and once for writing. */
  items(params: P, inputs: Inputs): Iterable<I>;
  /** Asks and is answered; returns the item's row. A deterministic function of item, params and answers. */
  row(item: I, params: P): RowGenerator;
}

// A registry holds kinds of every parameter type; `any` is confined to this one line.
// biome-ignore lint/suspicious/noExplicitAny: existential type
export type Kind = SourceKind<any> | TransformKind<any> | CallsKind<any, any>;

/** A kind together with the digest of the code behind it. */
export interface RegisteredKind {
  readonly kind: Kind;
  readonly code: string;
}

/** Raised by a source's parser; the engine adds the file's name. */
export class SourceError extends Error {
  readonly line: number | undefined;
  readonly hint: string | undefined;
  constructor(message: string, options: { line?: number; hint?: string } = {}) {
    super(message);
    this.name = 'SourceError';
    this.line = options.line;
    this.hint = options.hint;
  }
}
