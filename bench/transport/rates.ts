/**
 * Calls a second and CPU a call of three ways to send the same request to a bare server in another process: undici
 * alone, the buyer, and the SDK with its own `fetch`. Only the ratios of one run mean anything, so rounds alternate.
 */

import { fork } from 'node:child_process';
import OpenAI from 'openai';
import { Agent, request } from 'undici';
import { digestText } from '../../src/core/digest.ts';
import { canonicalJson } from '../../src/core/json.ts';
import { createProviderClient } from '../../src/providers/client.ts';
import { systemClock } from '../../src/providers/clock.ts';

const [serverFile = '', calls = '3000', concurrency = '64', rounds = '3'] = process.argv.slice(2);
const CALLS = Number(calls);
const CONCURRENCY = Number(concurrency);

const server = fork(serverFile);
const port = await new Promise<number>((resolve) => server.once('message', (message) => resolve(Number(message))));
const baseUrl = `http://127.0.0.1:${port}/v1`;

const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(25);
const bodyOf = (index: number) => ({
  max_tokens: 256,
  messages: [{ content: `${index} ${TEXT}`, role: 'user' as const }],
  model: 'm',
});

const agent = new Agent({ connections: CONCURRENCY, pipelining: 1 });
const plain = new OpenAI({ apiKey: 'none', baseURL: baseUrl, maxRetries: 0 });
const buyer = createProviderClient({
  providers: [
    {
      name: 'bench',
      type: 'openai',
      identity: baseUrl,
      baseUrl,
      limits: { concurrency: CONCURRENCY, timeoutSeconds: 60, attempts: 1 },
      options: {},
      place: { file: '' },
    },
  ],
  secrets: () => undefined,
  clock: systemClock,
  random: Math.random,
});
const signal = new AbortController().signal;

const ways: Readonly<Record<string, (index: number) => Promise<void>>> = {
  'undici alone': async (index) => {
    const body = canonicalJson(bodyOf(index));
    const headers = { 'content-type': 'application/json', 'idempotency-key': digestText(body) };
    const reply = await request(`${baseUrl}/chat/completions`, { method: 'POST', dispatcher: agent, headers, body });
    JSON.parse(await reply.body.text());
  },
  'our buyer': async (index) => {
    const body = canonicalJson(bodyOf(index));
    const order = { key: digestText(body), identity: baseUrl, path: '/chat/completions', body, fields: bodyOf(index) };
    const delivery = await buyer.buy(order, { signal, admit: async () => ({ settle: () => {} }), onRetry: () => {} });
    if (!delivery.ok) throw new Error(delivery.failure.message);
  },
  'SDK, its own fetch': async (index) => {
    await plain.chat.completions.create(bodyOf(index));
  },
};

async function measure(way: (index: number) => Promise<void>, count: number) {
  let next = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const worker = async () => {
    while (next < count) await way(next++);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: count / seconds, cpu: (user + system) / count };
}

const results = new Map(Object.keys(ways).map((name) => [name, [] as { perSecond: number; cpu: number }[]]));
for (const way of Object.values(ways)) await measure(way, Math.min(500, CALLS));
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, way] of Object.entries(ways)) results.get(name)?.push(await measure(way, CALLS));
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const summary = [...results].map(([name, runs]) => ({
  name,
  perSecond: median(runs.map(({ perSecond }) => perSecond)),
  cpu: median(runs.map(({ cpu }) => cpu)),
}));
const bare = summary[0]?.cpu ?? Number.NaN;
console.log(`${CALLS} calls, ${CONCURRENCY} at once, median of ${rounds} rounds`);
for (const { name, perSecond, cpu } of summary) {
  const rate = Math.round(perSecond).toLocaleString('en').padStart(7);
  console.log(
    `${name.padEnd(20)} ${rate} calls/s ${Math.round(cpu).toString().padStart(6)} µs CPU/call  × ${(cpu / bare).toFixed(2)}`,
  );
}
await buyer.close();
await agent.close();
server.disconnect();
