/** A toy experiment for engine tests: words are listed, answered by calls, and counted. */

import { z } from 'zod';
import { ask, type CallFailure, type Request } from '../../src/core/call.ts';
import type { BuildEvent } from '../../src/core/events.ts';
import type { Graph, GraphNode } from '../../src/core/graph.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { CallsKind, Kind, RegisteredKind, RowType, SourceKind, TransformKind } from '../../src/core/kind.ts';
import type { CallRequest, CallResult, ProviderClient } from '../../src/core/provider-port.ts';
import { type BuildOutcome, build } from '../../src/engine/build/build.ts';
import type { BuildOptions } from '../../src/engine/options.ts';
import type { Ports } from '../../src/engine/ports.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { type MemoryStore, memoryStore } from './memory-store.ts';

const dialect = {
  template: 'none',
  bos: 'server',
  tokenLimit: 'max_tokens',
  temperature: true,
  echoTokens: 0,
  extra: {},
} as const;
export const TOY_MODEL = { identity: 'toy', model: 'parrot', dialect };

export function toyRequest(word: string, draw: string, more: JsonObject = {}): Request<string> {
  return {
    identity: 'toy',
    path: '/completions',
    body: { model: 'parrot', prompt: word, max_tokens: 5, ...more },
    draw,
    decode: (raw) => {
      const text = (raw as { text?: unknown }).text;
      return typeof text === 'string' ? { ok: true, value: text } : { ok: false, problem: 'no text' };
    },
  };
}

type Word = { readonly prompt_id: string; readonly word: string };
type Answered = { readonly prompt_id: string; readonly status: string; readonly answer: string | null };
type Counted = { readonly letters: number };

const WORDS: RowType<Word> = {
  name: 'words',
  schema: () => z.strictObject({ prompt_id: z.string(), word: z.string() }),
};
const ANSWERS: RowType<Answered> = {
  name: 'answers',
  schema: () => z.strictObject({ prompt_id: z.string(), status: z.string(), answer: z.string().nullable() }),
};
const COUNTS: RowType<Counted> = { name: 'counts', schema: () => z.strictObject({ letters: z.number() }) };

const words: SourceKind<{ words: string[] }> = {
  name: 'words',
  about: '',
  shape: 'source',
  params: z.object({ words: z.array(z.string()) }),
  inputs: {},
  outputs: { 'rows.jsonl': WORDS },
  item: ({ prompt_id: id }) => ({ id: String(id) }),
  expect: ({ words: list }) => ({ items: list.length, calls: [] }),
  locate: () => ({}),
  parse: ({ words: list }) => ({
    files: { 'rows.jsonl': list.map((word, index) => ({ prompt_id: `w${index}`, word })) },
  }),
};

const answers: CallsKind<{ suffix: string; draw: string; twice?: boolean | undefined }, Word> = {
  name: 'answers',
  about: '',
  shape: 'calls',
  params: z.object({ suffix: z.string(), draw: z.string(), twice: z.boolean().optional() }),
  inputs: { words: { arity: 'one', rows: [WORDS] } },
  outputs: { 'rows.jsonl': ANSWERS },
  item: ({ prompt_id: id }) => ({ id: String(id) }),
  expect: ({ twice }, sizes) => {
    const items = sizes.one('words');
    const calls = {
      model: TOY_MODEL,
      calls: twice ? 2 * items : items,
      inputTokens: 3,
      outputTokens: 2,
      outputTokensAtMost: 5,
    };
    return { items, calls: [calls] };
  },
  items: (_, inputs) => inputs.one('words').rows(WORDS),
  *row({ prompt_id, word }, { suffix, draw, twice }) {
    const answer = yield* ask(toyRequest(word + suffix, draw));
    if (!answer.ok) return { prompt_id, status: answer.failure.reason, answer: null };
    if (!twice) return { prompt_id, status: 'ok', answer: answer.reply };
    const second = yield* ask(toyRequest(answer.reply, draw));
    if (!second.ok) return { prompt_id, status: second.failure.reason, answer: null };
    return { prompt_id, status: 'ok', answer: `${answer.reply} ${second.reply}` };
  },
};

/** Counts the letters of all answers: the same count for many different answers, so it shows early cut-off. */
const count: TransformKind<Record<string, never>> = {
  name: 'count',
  about: '',
  shape: 'transform',
  params: z.object({}),
  inputs: { answers: { arity: 'many', rows: [ANSWERS] } },
  outputs: { 'rows.jsonl': COUNTS },
  expect: () => ({ items: 1, calls: [] }),
  run: (_, inputs) => {
    let letters = 0;
    for (const input of inputs.many('answers').values()) {
      for (const row of input.rows(ANSWERS)) letters += row.answer?.length ?? 0;
    }
    return { files: { 'rows.jsonl': [{ letters }] } };
  },
};

const last: TransformKind<{ note?: string | undefined }> = {
  name: 'last',
  about: '',
  shape: 'transform',
  params: z.object({ note: z.string().optional() }),
  inputs: { count: { arity: 'one', rows: [COUNTS] } },
  outputs: { 'total.txt': 'text' },
  expect: () => ({ items: 1, calls: [] }),
  run: (_, inputs) => {
    const [row] = inputs.one('count').rows(COUNTS);
    if (row?.letters === 0) return { files: { 'total.txt': '0' }, refusal: 'nothing was answered' };
    return { files: { 'total.txt': String(row?.letters) } };
  },
};

export const TOY_KINDS: readonly Kind[] = [words, answers, count, last];

export interface ToyOptions {
  readonly words?: readonly string[];
  readonly suffix?: string;
  readonly twice?: boolean;
  readonly tolerate?: number;
}

/** What a graph has beside its nodes: nothing to ask, and nothing to pay. */
export const BARE = {
  vars: {},
  providers: [],
  prices: { date: '2026-01-01', models: {} },
  budget: { confirmAbove: 1 },
  consulted: [],
  root: '/nowhere',
} as const satisfies Partial<Graph>;

/** words → answers/a, answers/b → count → last */
export function toyGraph({
  words: list = ['one', 'two', 'three'],
  suffix = '!',
  twice = false,
  tolerate = 0,
}: ToyOptions = {}): Graph {
  const place = { file: 'toy.yaml' };
  const one = (node: string) => ({ arity: 'one' as const, nodes: [{ label: '', node }] });
  const node = (name: string, kind: string, params: JsonObject, inputs: GraphNode['inputs']): [string, GraphNode] => [
    name,
    { name, stage: name.split('/')[0]!, kind, params, inputs, tolerate, place },
  ];
  const many = { arity: 'many' as const, nodes: ['a', 'b'].map((label) => ({ label, node: `answers/${label}` })) };
  return {
    name: 'toy',
    nodes: new Map([
      node('words', 'words', { words: list }, {}),
      node('answers/a', 'answers', { suffix, draw: 'a', ...(twice ? { twice } : {}) }, { words: one('words') }),
      node('answers/b', 'answers', { suffix, draw: 'b', ...(twice ? { twice } : {}) }, { words: one('words') }),
      node('count', 'count', {}, { answers: many }),
      node('last', 'last', {}, { count: one('count') }),
    ]),
    defaultTargets: ['last'],
    profile: 'toy',
    ...BARE,
  };
}

/** Echoes the prompt, unless `respond` says otherwise; counts what was sent. */
export class ToyClient implements ProviderClient {
  readonly sent: CallRequest[] = [];
  inFlight = 0;
  most = 0;
  respond: (prompt: string, order: CallRequest) => CallFailure | string | Promise<CallFailure | string> = (prompt) =>
    prompt;

  async buy(order: CallRequest, { admit }: Parameters<ProviderClient['buy']>[1]): Promise<CallResult> {
    const permit = await admit(order, 1);
    if ('class' in permit) return { ok: false, failure: permit };
    this.sent.push(order);
    this.inFlight++;
    this.most = Math.max(this.most, this.inFlight);
    const { prompt } = JSON.parse(order.body) as { prompt: string };
    const response = await this.respond(prompt, order);
    await new Promise((resolve) => setImmediate(resolve));
    this.inFlight--;
    if (typeof response !== 'string') {
      permit.settle({ billed: 'no' });
      return { ok: false, failure: response };
    }
    const usage = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2 };
    permit.settle({ billed: usage });
    return { ok: true, raw: JSON.stringify({ text: response }), usage };
  }

  concurrency() {
    return 8;
  }

  async close() {}
}

export interface ToyWorld {
  readonly store: MemoryStore;
  readonly buyer: ToyClient;
  readonly events: BuildEvent[];
  /** Code digests by kind; change one to edit a kind's code. */
  readonly code: Record<string, string>;
  build(graph?: Graph, options?: Partial<BuildOptions>, targets?: readonly string[]): Promise<BuildOutcome>;
  ports(): Ports;
}

export const toyOptions = (): BuildOptions => ({
  jobs: 8,
  onFailure: 'stop-new',
  force: new Set(),
  offline: false,
  retryFailed: false,
  limits: { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined },
  command: 'cje build',
  interrupt: new AbortController().signal,
  kill: new AbortController().signal,
  named: new Set(),
});

export function toyWorld(): ToyWorld {
  const store = memoryStore();
  const buyer = new ToyClient();
  const events: BuildEvent[] = [];
  const code: Record<string, string> = { words: '1', answers: '1', count: '1', last: '1' };
  let clock = 0;
  const ports = (): Ports => ({
    kinds: new Map<string, RegisteredKind>(TOY_KINDS.map((kind) => [kind.name, { kind, code: code[kind.name]! }])),
    store,
    sources: {
      digest: async () => 'none',
      read: async () => {
        throw new Error('no sources here');
      },
    },
    buyer: async () => buyer,
    prices: {
      cost: (_, __, usage) => usage.inputTokens * 0.01 + usage.outputTokens * 0.1,
      worstCase: () => 1,
      simulated: () => true,
    },
    protocols: protocolAt,
    out: { sync: async () => {} },
    now: () => ++clock,
    emit: (event) => events.push(event),
    buildId: () => `build-${++clock}`,
  });
  return {
    store,
    buyer,
    events,
    code,
    ports,
    build: (graph = toyGraph(), options = {}, targets = ['last']) => {
      events.length = 0;
      buyer.sent.length = 0;
      return build(graph, targets, { ...toyOptions(), ...options }, ports());
    },
  };
}

/** The names of the nodes with an outcome. */
export function nodesWith(outcome: BuildOutcome, wanted: string): string[] {
  return [...outcome.results].filter(([, result]) => result.outcome === wanted).map(([name]) => name);
}
