/**
 * One model in memory: samples, and measures how likely given tokens are. All of it by token ids, so that a log
 * probability is of the very tokens that were sampled.
 */

import type { Bindings, EvaluatedItem, Llama, LlamaModel, LlamaSequence, Next, Sampling } from './bindings.ts';

export interface LoadedModel {
  readonly model: LlamaModel;
  /** Tokens that the context holds. */
  readonly contextSize: number;
  /** Runs work on a sequence of its own, as soon as one is free. */
  withSequence<T>(work: (sequence: LlamaSequence) => Promise<T>): Promise<T>;
}

interface LoadSettings {
  readonly context: number;
  readonly sequences: number;
  readonly gpu: boolean;
}

export async function loadModel(
  llama: Llama,
  modelPath: string,
  { context, sequences, gpu }: LoadSettings,
): Promise<LoadedModel> {
  const model = await llama.loadModel({ modelPath, ...(gpu ? {} : { gpuLayers: 0 as const }) });
  const contextSize = Math.min(context, model.trainContextSize);
  // Without flash attention a text has the same values in one batch and token by token.
  const opened = await model.createContext({ contextSize, sequences, flashAttention: false });
  const free = Array.from({ length: sequences }, () => opened.getSequence());
  const waiting: ((sequence: LlamaSequence) => void)[] = [];
  return {
    model,
    contextSize,
    async withSequence(work) {
      const sequence = free.pop() ?? (await new Promise<LlamaSequence>((take) => waiting.push(take)));
      try {
        await sequence.clearHistory();
        return await work(sequence);
      } finally {
        const next = waiting.shift();
        if (next === undefined) free.push(sequence);
        else next(sequence);
      }
    },
  };
}

/** As the model has it: nothing is left out, and nothing is weighted. */
const PLAIN = { temperature: 1, topP: 1, topK: 0, minP: 0 } as const satisfies Sampling;

/** A token, how likely it was, and the likeliest in its place, in nats. */
export interface ScoredToken {
  readonly id: number;
  /** Null for the first token, which nothing precedes. */
  readonly logprob: number | null;
  readonly likeliest: readonly (readonly [id: number, logprob: number])[];
}

/** What a place tells of its token and of the likeliest ones. */
function scored(id: number, { logits = new Map(), totalLogitWeight = 0 }: Next, top: number): ScoredToken {
  const values = [...logits].sort((a, b) => b[1] - a[1]);
  const total = Math.log(totalLogitWeight) + (values[0]?.[1] ?? 0);
  if (!Number.isFinite(total)) throw new Error("the model's numbers are none: is its file damaged?");
  const own = logits.get(id);
  return {
    id,
    logprob: own === undefined ? Number.NEGATIVE_INFINITY : own - total,
    likeliest: values.slice(0, top).map(([token, logit]) => [token, logit - total] as const),
  };
}

/**
 * The log probability of each of `ids` after those before it, from `start` on.
 *
 * @param top how many of the likeliest tokens to tell at each place
 * @param sampling under which the tokens are measured; the model's own law unless told
 */
export async function measure(
  sequence: LlamaSequence,
  ids: readonly number[],
  { start, top, sampling = PLAIN }: { readonly start: number; readonly top: number; readonly sampling?: Sampling },
): Promise<ScoredToken[]> {
  const items = ids.map((id, index): EvaluatedItem => {
    const next = ids[index + 1];
    if (next === undefined || index + 1 < start) return id;
    const logits = { filter: { tokens: [next], includeTop: Math.max(1, top) } };
    return [id, { generateNext: { logits, totalLogitWeight: true, options: sampling } }];
  });
  const found = await sequence.controlledEvaluate(items);
  return ids.slice(start).map((id, index) => {
    const at = start + index;
    return at === 0 ? { id, logprob: null, likeliest: [] } : scored(id, found[at - 1]!.next, top);
  });
}

export interface Generation {
  readonly tokens: readonly ScoredToken[];
  /** True where the model ended its turn. */
  readonly ended: boolean;
}

interface GenerateOptions {
  readonly temperature: number;
  readonly topP: number;
  readonly most: number;
  readonly top: number;
  /** For the step of this number: the same one always, so that an answer is a function of its request and draw. */
  readonly seedOf: (step: number) => number;
  readonly signal: AbortSignal;
}

/** Samples an answer to the prompt `ids`; the token that ended it is the last one. */
export async function generate(
  sequence: LlamaSequence,
  model: LlamaModel,
  ids: readonly number[],
  { temperature, topP, most, top, seedOf, signal }: GenerateOptions,
): Promise<Generation> {
  const isPlain = temperature === 1 && topP === 1;
  const made: ScoredToken[] = [];
  let fed = ids;
  let ended = false;
  while (made.length < most && !ended && !signal.aborted) {
    const options: Sampling = { temperature, topP, topK: 0, minP: 0, seed: seedOf(made.length) };
    const logits = { filter: { tokens: [], includeTop: Math.max(1, top), includeSelected: true } };
    const asked = { generateNext: { token: true, logits, totalLogitWeight: true, options } };
    const last = fed.length - 1;
    const found = await sequence.controlledEvaluate(fed.map((id, index) => (index === last ? [id, asked] : id)));
    const next = found[last]!.next;
    const token = next.token;
    if (token === undefined || token === null) break;
    made.push(scored(token, next, top));
    ended = model.isEogToken(token);
    fed = [token];
  }
  if (isPlain || signal.aborted || made.length === 0) return { tokens: made, ended };
  // Sampling at another temperature tells the values of that temperature; the model's own are measured afterwards.
  await sequence.clearHistory();
  const tokens = await measure(sequence, [...ids, ...made.map(({ id }) => id)], { start: ids.length, top });
  return { tokens, ended };
}

/** Samples what a grammar allows, which ends where the grammar does. */
export async function generateBy(
  { llama, bindings }: { readonly llama: Llama; readonly bindings: Bindings },
  sequence: LlamaSequence,
  model: LlamaModel,
  ids: readonly number[],
  { temperature, topP, most, seedOf, signal, grammar }: Omit<GenerateOptions, 'top'> & { readonly grammar: string },
): Promise<{ readonly text: string; readonly tokens: number; readonly ended: boolean }> {
  const state = new bindings.LlamaGrammarEvaluationState({ model, grammar: await llama.createGrammar({ grammar }) });
  const made: number[] = [];
  const stream = sequence.evaluate(ids, {
    temperature,
    topP,
    topK: 0,
    minP: 0,
    seed: seedOf(0),
    grammarEvaluationState: state,
  });
  for await (const token of stream) {
    if (signal.aborted) break;
    made.push(token);
    if (made.length >= most) break;
  }
  return { text: model.detokenize(made, false), tokens: made.length, ended: made.length < most };
}
