/** The expanded graph: tens of nodes, resolved and checked. What `pipeline` hands to the engine. */

import type { BatchSettings, Lane } from './batch.ts';
import type { ModelRef, ProtocolName } from './call.ts';
import type { JsonObject } from './json.ts';
import type { Place } from './problem.ts';
import type { ServedModel } from './served-model.ts';

export interface GraphInput {
  /** `one`: a single upstream node. `many`: the nodes of a glob, by the part that the glob left open. */
  readonly arity: 'one' | 'many';
  /**
   * Upstream node names; for `one` exactly one entry, with the label ''. Labels are unique. The order depends on the
   * globs and on matrix lists, never on the order of keys in pipeline.yaml: by glob, then stage name, then matrix.
   */
  readonly nodes: readonly { readonly label: string; readonly node: string }[];
}

export interface GraphNode {
  /** A path such as `scores/deterministic/pi_cot`. */
  readonly name: string;
  readonly stage: string;
  readonly kind: string;
  /** Resolved and checked: values, never paths of parameter files or aliases. */
  readonly params: JsonObject;
  /** The file that a parameter was read from, by its path such as `judge.template`; absent for pipeline.yaml itself. */
  readonly files?: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, GraphInput>>;
  /** The share of items that may be missing, in [0, 1]. Not part of the key. */
  readonly tolerate: number;
  /** What the provider file says of served names; absent where it says nothing. Not part of the key. */
  readonly served?: readonly ServedModel[];
  /** How the stage's calls are bought, where the stage says it. Not part of the key. */
  readonly lane?: Lane;
  readonly place: Place;
}

/** The nodes that a node reads. */
export function upstreamNames({ inputs }: Pick<GraphNode, 'inputs'>): string[] {
  return Object.values(inputs).flatMap((input) => input.nodes.map((entry) => entry.node));
}

export interface Graph {
  /** The experiment's name. */
  readonly name: string;
  /** In topological order, otherwise in the order of pipeline.yaml. */
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly defaultTargets: readonly string[];
  readonly profile: string;
  /** All that the pipeline declares. */
  readonly profiles?: readonly string[];
  readonly vars: JsonObject;
  readonly providers: readonly Provider[];
  /** The models of the provider file by alias; for messages only, as parameters hold what an alias stands for. */
  readonly aliases?: ReadonlyMap<string, ModelRef>;
  /** Under which names models may answer; absent where the provider file says nothing of it. */
  readonly served?: readonly ServedModel[];
  /** How calls are bought where neither stage nor model says it; absent: online. */
  readonly lane?: Lane;
  /** Models of which the provider file says how their calls are bought. */
  readonly modelLanes?: readonly ModelLane[];
  /** Prices, when the provider file names a price table. */
  readonly prices: PriceTable;
  /** Set where a model of a real provider has no price in the table, and no library was asked. */
  readonly unpriced?: true;
  readonly budget: SpendingLimits;
  /** Every file that was read, and every path that was looked for and not found: what the fast path stats. */
  readonly consulted: readonly string[];
  /** Path parameters as the user wrote them, by absolute path; for messages only. */
  readonly writtenPaths?: ReadonlyMap<string, string>;
  /** Figures that a plan is shown beside, such as those of the experiment that this one repeats. */
  readonly reference?: Reference;
  /** The folder of pipeline.yaml; `.cache/` and `out/` are beside it. */
  readonly root: string;
}

/** How calls of a model are bought. */
export interface ModelLane {
  readonly identity: string;
  readonly model: string;
  readonly lane: Lane;
}

interface Reference {
  readonly name: string;
  readonly calls: number;
  readonly dollars: number;
  /** In words, such as `50–75 hours`. */
  readonly time: string;
}

export interface SpendingLimits {
  /** Dollars above which a build asks first. */
  readonly confirmAbove: number;
  readonly maxCost?: number;
  readonly maxCalls?: number;
}

/** One entry of the provider file. Nothing of it but `identity` enters a key. */
export interface Provider {
  readonly name: string;
  readonly type: 'openai' | 'anthropic' | 'simulator' | 'llama';
  /** The API it speaks; absent for OpenAI's. */
  readonly protocol?: ProtocolName;
  readonly identity: string;
  /** Absent for a simulator or an engine that the build starts itself. */
  readonly baseUrl?: string;
  /** The environment variable that holds the credential. */
  readonly keyVariable?: string;
  /** How it is reached, beyond its address. */
  readonly access?: ProviderAccess;
  readonly limits: Limits;
  /** Its batches; absent where it has none. */
  readonly batch?: BatchSettings;
  /** Settings of what the build starts itself, such as a simulator's latency or an engine's models. */
  readonly options: JsonObject;
  readonly place: Place;
}

/** The server sees none of this as a part of a question, so none of it enters a key. */
export interface ProviderAccess {
  /** Environment variables that hold further credentials, for when one is refused. */
  readonly fallbackKeys?: readonly string[];
  /** Prints the credential; a text goes through the shell. */
  readonly keyCommand?: string | readonly string[];
  /** The header that carries the credential as it is, in place of `Authorization: Bearer`. */
  readonly keyHeader?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Path of a file of certificates that are trusted beside those of the system. */
  readonly caFile?: string;
}

export interface Limits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly concurrency: number;
  readonly timeoutSeconds: number;
  /** Tries in all for one call. */
  readonly attempts: number;
}

/** Dollars per million tokens, by model id; an entry `IDENTITY/MODEL` of a provider wins over it. */
export interface PriceTable {
  /** The day on which the prices were read, YYYY-MM-DD. */
  readonly date: string;
  readonly models: Readonly<Record<string, ModelPrice>>;
}
export interface ModelPrice {
  readonly input: number;
  readonly cachedInput?: number;
  readonly output: number;
  /** The share of these prices that a call in a batch costs; absent: the provider's. */
  readonly batch?: number;
  /** The day of this price, where it is not the table's. */
  readonly date?: string;
  /** Where it was read; absent for what the table says without a word. */
  readonly source?: string;
}

/** Calls that are in flight at most, unless told: as many as the provider takes that takes most. */
export const mostInFlight = ({ providers }: Pick<Graph, 'providers'>): number =>
  Math.max(1, ...providers.map(({ limits }) => limits.concurrency));
