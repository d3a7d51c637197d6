/** What planned calls would use, cost and take: from recorded usage of like calls, else from what can be guessed. */

import type { Lane } from '../../core/batch.ts';
import { type KeyedCall, type ModelRef, NO_USAGE, type Usage } from '../../core/call.ts';
import { inputTokensAtMost } from '../../core/cost.ts';
import type { Graph } from '../../core/graph.ts';
import type { ExpectedCalls } from '../../core/kind.ts';
import type { Protocols } from '../../core/protocol.ts';
import type { PriceBook } from '../../core/provider-port.ts';
import { type CanBatch, NO_BATCHES } from '../lanes.ts';
import type { TypicalCall } from './usage.ts';

/** What one model would be asked by one node. */
export interface PlannedCalls {
  readonly identity: string;
  readonly model: string;
  readonly calls: number;
  /** Tokens as expected. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Dollars; null where the price is unknown. */
  readonly low: number | null;
  readonly expected: number | null;
  readonly high: number | null;
  /** Dollars that the calls cannot pass: every byte a token, every answer as long as its cap; null where there is none. */
  readonly atMost: number | null;
  /** Those of the calls that can be bought in batches; absent where none can. */
  readonly batch?: BatchedCalls;
  /** Where the tokens come from: replies to like calls, or a guess from bytes and the kind's own expectation. */
  readonly basis: 'recorded' | 'guessed';
}

/** Calls that can wait, and what they are expected to cost either way; null where the price is unknown. */
export interface BatchedCalls {
  readonly calls: number;
  readonly online: number | null;
  readonly expected: number | null;
}

/** Requests to one model that are built and not stored: counted, not kept. */
interface Demand {
  readonly identity: string;
  readonly model: string;
  calls: number;
  bytes: number;
  /** Those of them that can be bought in batches; absent where none can. */
  batch?: { calls: number; bytes: number };
  /** Null once a request sets no cap. */
  outputCap: number | null;
}

/** Sums up built requests by model. */
export class Demands {
  readonly #byModel = new Map<string, Demand>();
  readonly #protocols: Protocols;
  readonly #canBatch: CanBatch;

  constructor(protocols: Protocols, canBatch: CanBatch = NO_BATCHES) {
    this.#protocols = protocols;
    this.#canBatch = canBatch;
  }

  add(call: KeyedCall): void {
    const { identity, path, body } = call.request;
    const protocol = this.#protocols(path);
    const model = protocol.modelOf(body);
    const name = `${identity}\n${model}`;
    let demand = this.#byModel.get(name);
    if (demand === undefined) {
      demand = { identity, model, calls: 0, bytes: 0, outputCap: 0 };
      this.#byModel.set(name, demand);
    }
    demand.calls++;
    demand.bytes += call.bytes;
    if (this.#canBatch(identity, path, protocol.echoes(body))) {
      demand.batch ??= { calls: 0, bytes: 0 };
      demand.batch.calls++;
      demand.batch.bytes += call.bytes;
    }
    const cap = protocol.outputCap(body);
    demand.outputCap = cap === undefined || demand.outputCap === null ? null : demand.outputCap + cap;
  }

  /** Tokens of a request to a model as those that were built let expect; undefined where none was. */
  inputTokens({ identity, model }: Pick<ModelRef, 'identity' | 'model'>): number | undefined {
    const demand = this.#byModel.get(`${identity}\n${model}`);
    return demand === undefined ? undefined : demand.bytes / demand.calls / BYTES_PER_TOKEN;
  }

  values(): Iterable<Readonly<Demand>> {
    return this.#byModel.values();
  }
}

/** Bytes of a request a token, on average; only where no server has counted a like one. */
const BYTES_PER_TOKEN = 4;
/** How far the tokens of built requests have been seen to stray from a recorded ratio of tokens and bytes. */
const RATIO_SLACK = 0.05;

/** The calls of built requests, of which the bytes are known. */
export function builtCalls(
  { identity, model, calls, bytes, batch, outputCap }: Readonly<Demand>,
  typical: TypicalCall | undefined,
  expected: readonly ExpectedCalls[],
  prices: PriceBook,
): PlannedCalls {
  const cost = (inputTokens: number, outputTokens: number) =>
    prices.cost(identity, model, { ...NO_USAGE, inputTokens, outputTokens }) ?? null;
  const atMost =
    outputCap === null ? null : dearest(identity, model, inputTokensAtMost(bytes, calls), outputCap, prices);
  const common = { identity, model, calls, atMost };
  const batched = (input: number, output: number) => {
    if (batch === undefined) return {};
    const tokens = { input: (input * batch.bytes) / bytes, output: (output * batch.calls) / calls };
    return { batch: batchedCalls({ identity, model }, batch.calls, tokens, prices) };
  };
  if (typical === undefined) {
    const input = Math.ceil(bytes / BYTES_PER_TOKEN);
    const guess = expected.find(({ model: ref }) => ref.identity === identity && ref.model === model);
    const output = calls * (guess?.outputTokens ?? 0);
    return {
      ...common,
      inputTokens: input,
      outputTokens: output,
      low: cost(input / 2, output / 2),
      expected: cost(input, output),
      high: atMost,
      ...batched(input, output),
      basis: 'guessed',
    };
  }
  const { inputTokensPerByte: ratio } = typical;
  const input = Math.ceil(ratio === null ? calls * typical.inputTokens : bytes * ratio);
  const output = Math.ceil(calls * typical.outputTokens);
  return {
    ...common,
    inputTokens: input,
    outputTokens: output,
    low: cost(input * (1 - RATIO_SLACK), calls * Math.min(typical.outputLow, typical.outputTokens)),
    expected: cost(input, output),
    high: cost(input * (1 + RATIO_SLACK), calls * Math.max(typical.outputHigh, typical.outputTokens)),
    ...batched(input, output),
    basis: 'recorded',
  };
}

function batchedCalls(
  { identity, model }: Pick<PlannedCalls, 'identity' | 'model'>,
  calls: number,
  { input, output }: { readonly input: number; readonly output: number },
  prices: PriceBook,
): BatchedCalls {
  const usage = { ...NO_USAGE, inputTokens: input, outputTokens: output };
  const cost = (lane: Lane) => prices.cost(identity, model, usage, lane) ?? null;
  return { calls, online: cost('online'), expected: cost('batch') };
}

/** The calls of requests that cannot be built yet. */
export function expectedCalls(
  { model: ref, ...expected }: ExpectedCalls,
  typical: TypicalCall | undefined,
  prices: PriceBook,
  canBatch: CanBatch = NO_BATCHES,
): PlannedCalls {
  const { identity, model } = ref;
  const { calls } = expected;
  const cost = (inputTokens: number, outputTokens: number) =>
    prices.cost(identity, model, { ...NO_USAGE, inputTokens, outputTokens }) ?? null;
  const input = Math.ceil(calls * (typical?.inputTokens ?? expected.inputTokens));
  const output = Math.ceil(calls * (typical?.outputTokens ?? expected.outputTokens));
  const { path, echoes = false } = expected;
  const can = calls > 0 && path !== undefined && canBatch(identity, path, echoes);
  const common = {
    identity,
    model,
    calls,
    inputTokens: input,
    outputTokens: output,
    expected: cost(input, output),
    ...(can ? { batch: batchedCalls(ref, calls, { input, output }, prices) } : {}),
  };
  // What is not built has no bound on its input.
  if (typical === undefined) {
    const most = cost(2 * input, calls * expected.outputTokensAtMost);
    return { ...common, low: cost(input / 2, output / 2), high: most, atMost: null, basis: 'guessed' };
  }
  return {
    ...common,
    low: cost(input * (1 - RATIO_SLACK), calls * Math.min(typical.outputLow, typical.outputTokens)),
    high: cost(input * (1 + RATIO_SLACK), calls * Math.max(typical.outputHigh, typical.outputTokens)),
    atMost: null,
    basis: 'recorded',
  };
}

/** Dollars when all input, or none of it, is billed as cached: some tables price the one higher, some the other. */
function dearest(identity: string, model: string, inputTokens: number, outputTokens: number, prices: PriceBook) {
  const usage: Usage = { inputTokens, cachedInputTokens: 0, outputTokens };
  const fresh = prices.cost(identity, model, usage);
  const cached = prices.cost(identity, model, { ...usage, cachedInputTokens: inputTokens });
  return fresh === undefined || cached === undefined ? null : Math.max(fresh, cached);
}

/** Calls to the same model as one entry. */
export function mergeCalls(all: readonly PlannedCalls[]): PlannedCalls[] {
  const merged = new Map<string, PlannedCalls>();
  for (const calls of all) {
    const name = `${calls.identity}\n${calls.model}`;
    const before = merged.get(name);
    merged.set(name, before === undefined ? calls : added(before, calls));
  }
  return [...merged.values()];
}

const NONE: BatchedCalls = { calls: 0, online: 0, expected: 0 };

/** Calls that can wait, together. */
export function addBatched(a: BatchedCalls = NONE, b: BatchedCalls = NONE): BatchedCalls {
  const plus = (x: number | null, y: number | null) => (x === null || y === null ? null : x + y);
  return { calls: a.calls + b.calls, online: plus(a.online, b.online), expected: plus(a.expected, b.expected) };
}

function added(a: PlannedCalls, b: PlannedCalls): PlannedCalls {
  const plus = (x: number | null, y: number | null) => (x === null || y === null ? null : x + y);
  return {
    identity: a.identity,
    model: a.model,
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    low: plus(a.low, b.low),
    expected: plus(a.expected, b.expected),
    high: plus(a.high, b.high),
    atMost: plus(a.atMost, b.atMost),
    ...(a.batch === undefined && b.batch === undefined ? {} : { batch: addBatched(a.batch, b.batch) }),
    basis: a.basis === 'recorded' && b.basis === 'recorded' ? 'recorded' : 'guessed',
  };
}

/** Minutes at the configured limits. Providers work side by side, so the slowest decides; limits are per provider and model. */
export function minutesAtLimits(graph: Graph, models: readonly PlannedCalls[]): number {
  let minutes = 0;
  for (const { identity, calls, inputTokens, outputTokens } of models) {
    const limits = graph.providers.find((provider) => provider.identity === identity)?.limits;
    if (limits?.requestsPerMinute !== undefined) minutes = Math.max(minutes, calls / limits.requestsPerMinute);
    if (limits?.tokensPerMinute !== undefined) {
      minutes = Math.max(minutes, (inputTokens + outputTokens) / limits.tokensPerMinute);
    }
  }
  return minutes;
}
