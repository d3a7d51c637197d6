/** Takes in one batch of many calls, as a build does, and prints what it took as JSON. */

import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BatchedCall, Submission } from '../../src/core/batch.ts';
import { type Digest, digestText } from '../../src/core/digest.ts';
import type { Provider } from '../../src/core/graph.ts';
import { createBatchApis } from '../../src/providers/batch/index.ts';
import { createProviderClient } from '../../src/providers/client.ts';
import { systemClock } from '../../src/providers/clock.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { harvest } from '../../src/replies/batch-harvest.ts';
import { openStore } from '../../src/store/store.ts';

const CALLS = Number(process.argv[2] ?? 100_000);
const ID = digestText('a batch');
const WORDS = 'the quick brown fox jumps over the lazy dog and "quotes" it – naïvely\n'.repeat(10);

/** About 1.5 KB of request and reply together, as a short chat has. */
const requestOf = (index: number): string =>
  JSON.stringify({ body: { messages: [{ content: `${index} ${WORDS}`, role: 'user' }] }, draw: 'p0', v: 1 });
const lineOf = (index: number): string =>
  `${JSON.stringify({
    id: `batch_req_${index}`,
    custom_id: digestText(requestOf(index)),
    response: {
      status_code: 200,
      request_id: 'r',
      body: {
        id: `chatcmpl-${index}`,
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: `${WORDS} ${index}` }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
      },
    },
    error: null,
  })}\n`;

const [, , , ROLE, FOLDER = ''] = process.argv;

const SUBMISSION: Submission = {
  id: ID,
  identity: 'lab',
  model: 'm',
  path: '/chat/completions',
  state: 'running',
  count: CALLS,
  dollars: 1,
  tokens: 1,
  at: Date.now(),
  batch: 'b',
};

/** Writes the batch down, in a process of its own: its memory is not the harvest's. */
async function open(): Promise<void> {
  const store = openStore(join(FOLDER, '.cache'));
  const calls: [Digest, BatchedCall][] = [];
  for (let index = 0; index < CALLS; index++) {
    const request = requestOf(index);
    calls.push([digestText(request), { submission: ID, node: 'answers', request, dollars: 1e-3 }]);
  }
  await store.batches.open(SUBMISSION, calls);
  await store.close();
}

/** The provider, in a process of its own: its CPU is not the harvest's. */
function serve(): void {
  const server = createServer(async (request, response) => {
    if (!request.url?.endsWith('/content')) return response.writeHead(404).end('{}');
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    // Another order than the one in which they were asked.
    for (let index = CALLS - 1; index >= 0; index--) {
      if (!response.write(lineOf(index))) await once(response, 'drain');
    }
    response.end();
  });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
  process.on('disconnect', () => process.exit());
}

/** Bytes that are the process's own: the mapped pages of the store are the system's to take back. */
function residentNow(): number {
  if (process.platform !== 'linux') return process.memoryUsage().rss;
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

async function measure(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [String(CALLS)]);
  const [port] = (await once(child, 'message')) as [number];
  const folder = mkdtempSync(join(process.cwd(), 'harvest-'));
  const store = openStore(join(folder, '.cache'));
  const provider: Provider = {
    name: 'lab',
    type: 'openai',
    identity: 'lab',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    limits: { concurrency: 4, timeoutSeconds: 60, attempts: 1 },
    batch: {
      api: 'openai',
      rows: CALLS,
      bytes: 1e9,
      echo: false,
      price: 0.5,
      pollSeconds: 1,
      graceSeconds: 1,
      patienceSeconds: 1,
    },
    options: {},
    place: { file: 'bench' },
  };
  const client = createProviderClient({
    providers: [provider],
    secrets: () => undefined,
    clock: systemClock,
    random: Math.random,
  });
  try {
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), String(CALLS), 'open', folder], { stdio: 'inherit' });
    await store.lock.acquire('bench');
    const apis = createBatchApis({
      client,
      providers: [provider],
      served: [],
      clock: systemClock,
      random: Math.random,
    });
    const api = (await apis('lab'))!;
    const state = {
      id: 'b',
      end: 'completed',
      status: 'completed',
      total: CALLS,
      answered: CALLS,
      mistakes: [],
    } as const;
    const prices = createPriceBook({ date: '2026-01-01', models: { m: { input: 1, output: 4 } } }, [provider]);
    const before = process.cpuUsage();
    let resident = 0;
    const watch = setInterval(() => {
      resident = Math.max(resident, residentNow());
    }, 20);
    const taken = await harvest(SUBMISSION, { ...state, results: ['out'] }, api, {
      batches: store.batches,
      calls: store.calls,
      prices,
      now: Date.now,
      sleep: async () => {},
      settle: () => {},
      keepUnknown: async () => {},
    });
    await store.batches.close(ID);
    clearInterval(watch);
    const { user, system } = process.cpuUsage(before);
    if (taken?.answers !== CALLS) throw new Error(`${taken?.answers} of ${CALLS} came back`);
    const megabytes = Math.max(resident, residentNow()) / 1e6;
    const all = process.memoryUsage().rss / 1e6;
    console.log(JSON.stringify({ microseconds: (user + system) / CALLS, megabytes, all }));
  } finally {
    await client.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
    child.disconnect();
  }
}

if (process.send !== undefined) serve();
else if (ROLE === 'open') await open();
else await measure();
