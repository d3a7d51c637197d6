/**
 * Kinds: the pure functions that stages run, with the world taken out. A kind sees neither the cache, the network, the
 * clock nor the file system; it is given its parameters and its inputs, and hands back rows or files.
 */

import type { ZodType } from 'zod';
import type { Answer, ModelRef, Request } from './call.ts';
import type { ProblemId } from './catalogue.ts';
import type { JsonObject } from './json.ts';
import type { Summary } from './summary.ts';

/** The file that holds a node's rows, one JSON object a line. */
export const ROWS = 'rows.jsonl';
/** The file that holds a node's {@link Summary}; written by the engine. */
export const SUMMARY = 'summary.json';

/** What each line of a `.jsonl` file is, or the whole of a `.json` file. Stages are wired by its name. */
export interface RowType<R extends JsonObject = JsonObject> {
  readonly name: string;
  /** Made when it is asked for: builds trust what kinds write, tests hold it to this. */
  readonly schema: () => ZodType<R>;
}

/** The finished output of one upstream node. */
export interface Input {
  readonly summary: Summary;
  /**
   * Streams the rows of a file, `rows.jsonl` unless told, in the order of writing; may be called more than once.
   *
   * @param type what the rows are: one of the types that the kind declares for this input. They are not checked.
   */
  rows<R extends JsonObject = JsonObject>(type?: RowType<R>, file?: string): Iterable<R>;
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
type InputArity = 'one' | 'many' | 'optional' | 'optional-many';
export const takesMany = (arity: InputArity): boolean => arity === 'many' || arity === 'optional-many';
export const mayBeAbsent = (arity: InputArity): boolean => arity === 'optional' || arity === 'optional-many';

/** What a kind takes under one name. */
export interface InputSlot {
  readonly arity: InputArity;
  /** A node fits if one of its files is of one of these types; absent: any node fits. */
  readonly rows?: readonly RowType[];
  /** Set where nodes are wired for the calls behind them: one at least of each pattern asks a model. */
  readonly asking?: true;
}

/** A number that each row of a kind holds. */
export interface Measure {
  readonly column: string;
  /** What people call the number. */
  readonly label: string;
  /** `unit`: on [0, 1]. `nats`: a log probability. */
  readonly scale: 'unit' | 'nats';
  /** Drawn as a histogram above the node's rows. */
  readonly drawn?: true;
  /** Compared between two builds, row by row, by `cje diff` and in the viewer. */
  readonly compared?: true;
}

/** What an item or its row is called. */
export interface ItemName {
  /** Its name among those of its policy; absent for rows that have none, which go by their number. */
  readonly id?: string;
  readonly policy?: string;
  /** The id of the prompt that it is of; the viewer lines up by it what was asked and answered. */
  readonly prompt?: string;
}

/** A file of an output: rows that are streamed, or a whole text. */
export type OutputFile = string | Uint8Array | Iterable<JsonObject>;

export interface Outputs {
  readonly files: Readonly<Record<string, OutputFile>>;
  /** Set when the node refuses to give any number. */
  readonly refusal?: string;
  /** What a person should know of how the files came about: rows that were left out, counted and named. */
  readonly notes?: readonly string[];
}

/** What a node will need, before its inputs exist. */
interface Expectation {
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
  /** Where it is sent, below the base URL, and whether it asks for the log probabilities of its prompt. */
  readonly path?: string;
  readonly echoes?: true;
}

/** How many items each upstream node has or is expected to have, by input name; `many` inputs by label. */
export interface InputSizes {
  one(name: string): number;
  many(name: string): ReadonlyMap<string, number>;
}

/** A node as the kind of one that depends on it may look at it before anything runs. */
export interface WiredNode {
  readonly name: string;
  /** What the glob of the input left open. */
  readonly label: string;
  readonly kind: Kind;
  readonly params: JsonObject;
  inputs(name: string): readonly WiredNode[];
}

/** What is wrong with how a node is wired or set, seen with what it depends on. */
export interface WiringFault {
  /** Where the mistake is: an input by name, or a parameter by its path. */
  readonly at: { readonly input: string } | { readonly param: readonly (string | number)[] };
  readonly id?: ProblemId;
  readonly message: string;
  readonly hint?: string;
}

interface KindBase<P> {
  readonly name: string;
  /** One sentence for help and for the documentation. */
  readonly about: string;
  /** How to do it several times over, for who has made a matrix of that. */
  readonly again?: string;
  readonly params: ZodType<P>;
  /** Kinds that are written under one name are told apart by the word that this parameter has: `as: labels`. */
  readonly variant?: { readonly of: string; readonly param: string; readonly word: string };
  readonly inputs: Readonly<Record<string, InputSlot>>;
  /** By file, without the summary, which every node has. */
  readonly outputs: Readonly<Record<string, RowType | 'text' | 'json'>>;
  /** The numbers of its rows that are worth comparing, the first of them above all. */
  readonly measures?: readonly Measure[];
  expect(params: P, sizes: InputSizes): Expectation;
  /** Mistakes that show only where a node is seen together with what it depends on; asked when a pipeline is loaded. */
  check?(params: P, inputs: (name: string) => readonly WiredNode[]): readonly WiringFault[];
  /** Absent where rows go by their numbers alone. For kinds of shape `calls`, of items and of their rows alike. */
  item?(row: JsonObject): ItemName;
}

/** Where a source's bytes are. */
export type Location =
  | {
      readonly type: 'path';
      readonly path: string;
      /** A file that is not there is an empty one. */
      readonly optional?: true;
    }
  | { readonly type: 'url'; readonly url: string; readonly sha256: string; readonly tokenVariable?: string };

export interface SourceKind<P = never> extends KindBase<P> {
  readonly shape: 'source';
  /** What to fetch, by name; nothing for built-in data. */
  locate(params: P): Readonly<Record<string, Location>>;
  /**
   * Pure but for being async: decoders of columnar files are.
   *
   * @param inputs what the node depends on, for a source that is read together with it
   */
  parse(params: P, files: Readonly<Record<string, SourceFile>>, inputs: Inputs): Promise<Outputs> | Outputs;
  /**
   * For a source with inputs: finds what is wrong with the files themselves, before what they are read together with is bought.
   *
   * @throws as `parse`
   */
  examine?(params: P, files: Readonly<Record<string, SourceFile>>): Promise<void>;
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

/** Work in units that are made one after another and may begin at any of them, so that blocks of them can be made apart. */
interface DivisibleWork<P> {
  /** How many units there are; work of one unit is not cut. */
  units(params: P): number;
  /** The rows of each unit, beginning with the unit of this number. */
  rows(params: P, inputs: Inputs, from: number): Iterable<readonly JsonObject[]>;
  /** What the whole writes, from the rows of all units in their order: the bytes of {@link TransformKind.run}. */
  join(params: P, inputs: Inputs, rows: Iterable<JsonObject>): Outputs;
}

export interface TransformKind<P = never> extends KindBase<P> {
  readonly shape: 'transform';
  /**
   * Whether this run may hold its thread for long: it then gets one of its own, where the engine has threads. Its
   * outputs are the same bytes either way.
   */
  heavy?(params: P, sizes: InputSizes): boolean;
  /** For heavy work that can be cut into blocks. */
  readonly blocks?: DivisibleWork<P>;
  run(params: P, inputs: Inputs): Promise<Outputs> | Outputs;
}

export type RowGenerator = Generator<Request, JsonObject, Answer<unknown>>;

export interface CallsKind<P = never, I = unknown> extends KindBase<P> {
  readonly shape: 'calls';
  /** The items in output order. Restartable: called once for buying and once for writing. */
  items(params: P, inputs: Inputs): Iterable<I>;
  /** Asks and is answered; returns the item's row. A deterministic function of item, params and answers. */
  row(item: I, params: P): RowGenerator;
}

// A registry holds kinds of every parameter type; `any` is confined to this one line.
// biome-ignore lint/suspicious/noExplicitAny: existential type
export type Kind = SourceKind<any> | TransformKind<any> | CallsKind<any, any>;

/** All kinds, by name. */
export type Kinds = ReadonlyMap<string, RegisteredKind>;

/** Whether a file that the kind writes is of this type: it makes prompts, responses, a dataset, a report. */
export function writes(kind: Kind | undefined, type: RowType): boolean {
  return typesOf(kind).some(({ name }) => name === type.name);
}

export function typesOf(kind: Kind | undefined): RowType[] {
  return Object.values(kind?.outputs ?? {}).filter((type) => typeof type !== 'string');
}

/** Whether a node of this kind may be wired to the input. */
export const fits = ({ rows }: InputSlot, kind: Kind): boolean => rows?.some((type) => writes(kind, type)) ?? true;

/** A kind together with the digest of the code behind it. */
export interface RegisteredKind {
  readonly kind: Kind;
  readonly code: string;
}

/** Raised by a source's parser; the engine adds the file's name. */
export class SourceError extends Error {
  readonly line: number | undefined;
  readonly hint: string | undefined;
  /** The same for whoever has the file and no pipeline yet; absent where the hint is of the file alone. */
  readonly fileHint: string | undefined;
  constructor(message: string, options: { line?: number; hint?: string; fileHint?: string } = {}) {
    super(message);
    this.name = 'SourceError';
    this.line = options.line;
    this.hint = options.hint;
    this.fileHint = options.fileHint;
  }
}
