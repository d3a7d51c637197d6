/** What like calls used: the recorded tokens of earlier replies, from which a plan says what new ones will use. */

import type { ModelRef } from '../../core/call.ts';
import type { Digest } from '../../core/digest.ts';
import type { Action, Store, StoredCall } from '../../core/storage.ts';
import type { CallTally } from '../../core/summary.ts';
import type { History } from '../history.ts';

/** Tokens of a call to one model, as recorded. */
export interface TypicalCall {
  /** How many replies this was read from. */
  readonly replies: number;
  /** Mean input tokens of a call, and of a byte of its request where requests were read. */
  readonly inputTokens: number;
  readonly inputTokensPerByte: number | null;
  /** Mean, tenth and ninetieth percentile of the output tokens of a call. */
  readonly outputTokens: number;
  readonly outputLow: number;
  readonly outputHigh: number;
}

/** Replies that are read of a node: enough for a mean within a few percent, too few to be felt. */
const SAMPLE = 100;

type UsageStore = Pick<Store, 'calls' | 'blobs'>;

export class RecordedUsage {
  readonly #history: History;
  readonly #store: UsageStore;
  readonly #byNode = new Map<string, ReadonlyMap<string, TypicalCall>>();
  #byKind: ReadonlyMap<string, TypicalCall> | undefined;

  constructor(history: History, store: UsageStore) {
    this.#history = history;
    this.#store = store;
  }

  /**
   * The like of a node's calls to a model: its own of the last build, else those of its items that are answered already,
   * else those of other nodes of its kind.
   */
  typical(
    node: string,
    kind: string,
    { identity, model }: Pick<ModelRef, 'identity' | 'model'>,
    answered?: UsageSamples,
  ): TypicalCall | undefined {
    const own = this.#ofNode(node).get(nameOf(identity, model)) ?? answered?.typical(identity, model);
    if (own !== undefined) return own;
    this.#byKind ??= this.#tallies();
    return this.#byKind.get(`${kind}\n${nameOf(identity, model)}`);
  }

  #ofNode(node: string): ReadonlyMap<string, TypicalCall> {
    let found = this.#byNode.get(node);
    if (found === undefined) {
      const past = this.#history.of(node);
      found = past === undefined ? new Map() : this.#sample(past.action);
      this.#byNode.set(node, found);
    }
    return found;
  }

  /** Reads some of the replies that stand behind a node's rows. */
  #sample(action: Action): ReadonlyMap<string, TypicalCall> {
    const samples = new UsageSamples(1);
    for (const key of firstKeys(action, this.#store)) {
      const call = this.#store.calls.get(key);
      if (call !== undefined) samples.add(call, Buffer.byteLength(call.request));
    }
    return samples.all();
  }

  /** Means over what recent builds recorded of each kind. */
  #tallies(): ReadonlyMap<string, TypicalCall> {
    const sums = new Map<string, CallTally[]>();
    const seen = new Set<string>();
    for (const record of this.#history.records) {
      for (const node of Object.keys(record.nodes)) {
        const past = this.#history.of(node);
        if (past === undefined || seen.has(past.action.key)) continue;
        seen.add(past.action.key);
        for (const tally of past.action.summary.calls) {
          if (countedOf(tally) <= 0) continue;
          const name = `${past.action.kind}\n${nameOf(tally.identity, tally.model)}`;
          sums.set(name, [...(sums.get(name) ?? []), tally]);
        }
      }
    }
    return new Map([...sums].map(([name, tallies]) => [name, meanOf(tallies)]));
  }
}

/** The tokens of some replies, by model. */
export class UsageSamples {
  readonly #least: number;
  readonly #byModel = new Map<string, { bytes: number; input: number; outputs: number[] }>();
  #replies = 0;

  /** @param least fewer replies of a model say nothing of others */
  constructor(least: number) {
    this.#least = least;
  }

  get isFull(): boolean {
    return this.#replies >= SAMPLE;
  }

  /** One whose tokens nobody counted says nothing. @param bytes of its request */
  add({ identity, model, usage }: Pick<StoredCall, 'identity' | 'model' | 'usage'>, bytes: number): void {
    if (usage.inputTokens === 0) return;
    const name = nameOf(identity, model);
    const sample = this.#byModel.get(name) ?? { bytes: 0, input: 0, outputs: [] };
    this.#byModel.set(name, sample);
    sample.bytes += bytes;
    sample.input += usage.inputTokens;
    sample.outputs.push(usage.outputTokens);
    this.#replies++;
  }

  typical(identity: string, model: string): TypicalCall | undefined {
    const sample = this.#byModel.get(nameOf(identity, model));
    return sample === undefined || sample.outputs.length < this.#least ? undefined : typicalOf(sample);
  }

  all(): ReadonlyMap<string, TypicalCall> {
    return new Map([...this.#byModel].map(([name, sample]) => [name, typicalOf(sample)]));
  }
}

const nameOf = (identity: string, model: string): string => `${identity}\n${model}`;

function firstKeys(action: Action, { blobs }: UsageStore): Digest[] {
  if (action.calls === undefined || blobs.locate(action.calls) === undefined) return [];
  for (const chunk of blobs.chunks(action.calls)) {
    // Whole keys of the first piece are more than a sample needs.
    const lines = Buffer.from(chunk)
      .toString('latin1', 0, SAMPLE * 33)
      .split('\n');
    return lines.slice(0, SAMPLE).filter((line) => line.length === 32) as Digest[];
  }
  return [];
}

function typicalOf({ bytes, input, outputs }: { bytes: number; input: number; outputs: number[] }): TypicalCall {
  const replies = outputs.length;
  outputs.sort((a, b) => a - b);
  const quantile = (share: number) => outputs[Math.min(replies - 1, Math.floor(share * replies))]!;
  return {
    replies,
    inputTokens: input / replies,
    inputTokensPerByte: input / bytes,
    outputTokens: outputs.reduce((sum, value) => sum + value, 0) / replies,
    outputLow: quantile(0.1),
    outputHigh: quantile(0.9),
  };
}

/** Replies of a tally whose tokens were counted. */
const countedOf = ({ calls, uncounted = 0 }: CallTally): number => calls - uncounted;

/** @param tallies of which each has replies that were counted */
function meanOf(tallies: readonly CallTally[]): TypicalCall {
  const total = (pick: (tally: CallTally) => number) => tallies.reduce((sum, tally) => sum + pick(tally), 0);
  const calls = total(countedOf);
  const outputs = tallies.map((tally) => tally.outputTokens / countedOf(tally));
  return {
    replies: calls,
    inputTokens: total((tally) => tally.inputTokens) / calls,
    inputTokensPerByte: null,
    outputTokens: total((tally) => tally.outputTokens) / calls,
    outputLow: Math.min(...outputs),
    outputHigh: Math.max(...outputs),
  };
}
