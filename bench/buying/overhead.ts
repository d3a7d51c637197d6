/**
 * What the engine adds to a bought call: a build that keys, looks up, admits, sends, stores and writes every item,
 * against a loop that does nothing but send the same bodies through the same transport.
 */

import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ask } from '../../src/core/call.ts';
import { digestText } from '../../src/core/digest.ts';
import type { Graph, GraphNode, Provider } from '../../src/core/graph.ts';
import { canonicalJson } from '../../src/core/json.ts';
import type { CallsKind, RegisteredKind, SourceKind } from '../../src/core/kind.ts';
import { PROMPTS } from '../../src/datasets/row-types.ts';
import type { PromptRow } from '../../src/datasets/rows.ts';
import { build } from '../../src/engine/build/build.ts';
import type { BuildOptions } from '../../src/engine/options.ts';
import type { Ports } from '../../src/engine/ports.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { openaiCompletions } from '../../src/protocols/openai-completions/completions.ts';
import { createProviderClient } from '../../src/providers/client.ts';
import { systemClock } from '../../src/providers/clock.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { createTransport } from '../../src/providers/transport.ts';
import { openStore } from '../../src/store/store.ts';

const [serverFile = '', calls = '10000', concurrency = '64', rounds = '3'] = process.argv.slice(2);
const CALLS = Number(calls);
const CONCURRENCY = Number(concurrency);
const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(25);

const server = fork(serverFile);
const port = await new Promise<number>((resolve) => server.once('message', (message) => resolve(Number(message))));
const baseUrl = `http://127.0.0.1:${port}/v1`;
const provider: Provider = {
  name: 'bench',
  type: 'openai',
  identity: baseUrl,
  baseUrl,
  limits: { concurrency: CONCURRENCY, timeoutSeconds: 60, attempts: 1 },
  options: {},
  place: { file: '' },
};
const dialect = {
  template: 'none',
  bos: 'server',
  tokenLimit: 'max_tokens',
  temperature: true,
  echoTokens: 0,
  extra: {},
} as const;
const model = { identity: baseUrl, model: 'm', dialect };

const requestOf = (prompt: string) =>
  openaiCompletions.complete(model, { prompt, maxTokens: 256, temperature: 1 }, 'p0/0');

const prompts: SourceKind<{ round: number }> = {
  name: 'prompts',
  about: '',
  shape: 'source',
  params: z.object({ round: z.number() }),
  inputs: {},
  outputs: { 'rows.jsonl': PROMPTS },
  expect: () => ({ items: CALLS, calls: [] }),
  locate: () => ({}),
  parse: ({ round }) => ({
    files: {
      'rows.jsonl': Array.from({ length: CALLS }, (_, index) => ({
        prompt_id: `p${index}`,
        prompt: `${round} ${index} ${TEXT}`,
      })),
    },
  }),
};
const answers: CallsKind<Record<string, never>, PromptRow> = {
  name: 'answers',
  about: '',
  shape: 'calls',
  params: z.object({}),
  inputs: { prompts: { arity: 'one', rows: [PROMPTS] } },
  outputs: {},
  expect: () => ({ items: CALLS, calls: [] }),
  items: (_, inputs) => inputs.one('prompts').rows(PROMPTS),
  *row({ prompt_id, prompt }) {
    const answer = yield* ask(requestOf(prompt));
    return answer.ok
      ? { prompt_id, status: 'ok', text: answer.reply.text }
      : { prompt_id, status: answer.failure.reason };
  },
};
const kinds = new Map<string, RegisteredKind>([
  ['prompts', { kind: prompts, code: '1' }],
  ['answers', { kind: answers, code: '1' }],
]);

function graphOf(round: number): Graph {
  const node = (name: string, params: GraphNode['params'], inputs: GraphNode['inputs']): [string, GraphNode] => [
    name,
    { name, stage: name, kind: name, params, inputs, tolerate: 0, place: { file: '' } },
  ];
  return {
    name: 'bench',
    nodes: new Map([
      node('prompts', { round }, {}),
      node('answers', {}, { prompts: { arity: 'one', nodes: [{ label: '', node: 'prompts' }] } }),
    ]),
    defaultTargets: ['answers'],
    profile: 'bench',
    vars: {},
    providers: [provider],
    prices: { date: '2026-01-01', models: { m: { input: 1, output: 1 } } },
    budget: { confirmAbove: 1 },
    consulted: [],
    root: folder,
  };
}

// In the working directory and not in /tmp, which may be memory.
const folder = mkdtempSync(join(process.cwd(), '.bench-buying-'));
const store = openStore(join(folder, '.cache'));
const prices = createPriceBook(graphOf(0).prices, [provider]);
const buyer = createProviderClient({
  providers: [provider],
  secrets: () => undefined,
  clock: systemClock,
  random: Math.random,
});
const ports: Ports = {
  kinds,
  store,
  sources: {
    digest: () => Promise.reject(new Error('no sources')),
    read: () => Promise.reject(new Error('no sources')),
  },
  buyer: async () => buyer,
  prices,
  protocols: protocolAt,
  out: { sync: async () => {} },
  now: Date.now,
  emit: () => {},
  buildId: () => `b${Date.now()}`,
} as Ports;

const throughEngine = async (round: number) => {
  const options = {
    jobs: CONCURRENCY,
    onFailure: 'stop-new',
    force: new Set<string>(),
    offline: false,
    retryFailed: false,
    limits: { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined },
    command: 'bench',
    interrupt: new AbortController().signal,
    kill: new AbortController().signal,
    named: new Set<string>(),
  } satisfies BuildOptions;
  const outcome = await build(graphOf(round), ['answers'], options, ports);
  if (outcome.totals.calls.bought !== CALLS) throw new Error(`bought ${outcome.totals.calls.bought} calls`);
};

const transport = createTransport(provider, baseUrl, {
  keys: () => [],
  current: () => undefined,
  replace: () => false,
});
const bare = async (round: number) => {
  let next = 0;
  const worker = async () => {
    while (next < CALLS) {
      const body = canonicalJson(requestOf(`${round} ${next++} ${TEXT}`).body);
      const order = { key: digestText(body), identity: baseUrl, path: '/completions', body };
      const exchange = await transport.send(order, undefined, new AbortController().signal);
      if (exchange.type !== 'reply') throw new Error(exchange.type);
      JSON.parse(exchange.raw);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
};

async function measure(way: (round: number) => Promise<void>, round: number) {
  const before = process.cpuUsage();
  const start = performance.now();
  await way(round);
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / CALLS, perSecond: (1000 * CALLS) / (performance.now() - start) };
}

// What others do to the machine only ever adds, so the least of several rounds says most.
const least = (values: number[]) => Math.min(...values);
const most = (values: number[]) => Math.max(...values);
const ways = { bare, engine: throughEngine };
const results = {
  bare: [] as Awaited<ReturnType<typeof measure>>[],
  engine: [] as Awaited<ReturnType<typeof measure>>[],
};
for (let round = 0; round <= Number(rounds); round++) {
  for (const name of ['bare', 'engine'] as const) {
    const result = await measure(ways[name], round);
    // The first round warms up.
    if (round > 0) results[name].push(result);
  }
}
await buyer.close();
await transport.close();
await store.close();
rmSync(folder, { recursive: true, force: true });
server.disconnect();
const cpu = { bare: least(results.bare.map((r) => r.cpu)), engine: least(results.engine.map((r) => r.cpu)) };
const rate = {
  bare: most(results.bare.map((r) => r.perSecond)),
  engine: most(results.engine.map((r) => r.perSecond)),
};
console.log(JSON.stringify({ cpu, rate }));
