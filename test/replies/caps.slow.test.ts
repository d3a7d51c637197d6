/** A server that bills and then breaks: its own bill never passes the cap, whatever is in flight. */

import { expect, it } from 'vitest';
import type { KeyedCall } from '../../src/core/call.ts';
import { keyCall } from '../../src/engine/keys.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { createProviderClient } from '../../src/providers/client.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { chain } from '../../src/replies/chain.ts';
import { newMeter } from '../../src/replies/source.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { closedAfterEach, instantClock, LIMITS, never, provider, reply, serve } from '../providers/support.ts';

const opened = closedAfterEach();

const PRICE = { input: 1, output: 4 };
const OUTPUT = 50;

/** Buys 60 calls of a server that bills every request and answers every fifth well; what it billed, in dollars. */
async function bought(jobs: number, maxCost: number | undefined, maxCalls?: number) {
  let billed = 0;
  const server = await serve(({ body }, response, turn) => {
    const input = Math.ceil(Buffer.byteLength(body) / 2);
    billed += (input * PRICE.input + OUTPUT * PRICE.output) / 1e6;
    const usage = { prompt_tokens: input, completion_tokens: OUTPUT };
    const whole = JSON.stringify({ choices: [{ text: 'yes', finish_reason: 'stop' }], usage });
    if (turn % 5 === 0) reply(response, 200, whole);
    else if (turn % 5 === 1) response.destroy();
    else {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(whole.length) });
      response.write(whole.slice(0, 20));
      setImmediate(() => response.destroy());
    }
  });
  const from = provider({ baseUrl: server.url, limits: { ...LIMITS, attempts: 6, concurrency: jobs } });
  const client = createProviderClient({
    providers: [from],
    secrets: () => undefined,
    clock: instantClock(),
    random: () => 0,
  });
  opened.push(server, client);
  const store = memoryStore();
  const replies = chain({
    calls: store.calls,
    intents: store.intents,
    client: async () => client,
    protocols: protocolAt,
    prices: createPriceBook({ date: '2026-01-01', models: { m: PRICE } }, [from]),
    limits: { maxCost, unapprovedCost: undefined, maxCalls },
    now: () => 0,
    emit: () => {},
    jobs,
    interrupt: never,
    kill: never,
  });
  const call = (index: number): KeyedCall =>
    keyCall({
      identity: from.identity,
      path: '/completions',
      body: { model: 'm', max_tokens: OUTPUT, prompt: `Say ${index}.` },
      draw: '0',
      decode: (value) => ({ ok: true, value }),
    });
  const meter = newMeter();
  const asker = { node: 'n', meter };
  await Promise.all(Array.from({ length: 60 }, (_, index) => replies.get(call(index), asker)));
  return { billed, meter, requests: server.received.length };
}

const CAPS = [0.0004, 0.0007, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.008, 0.013, 0.02];

it.each([1, 8, 64])('%i in flight: no cap is passed, and the books are no less than the bill', async (jobs) => {
  for (const cap of CAPS) {
    const { billed, meter, requests } = await bought(jobs, cap);
    expect(requests).toBeGreaterThan(0);
    expect(billed).toBeLessThanOrEqual(cap);
    expect(meter.cost + meter.unknown).toBeLessThanOrEqual(cap + 1e-12);
    expect(meter.cost + meter.unknown).toBeGreaterThanOrEqual(billed - 1e-12);
  }
});

it.each([1, 8, 64])('%i in flight: 20 calls are 20 requests', async (jobs) => {
  expect((await bought(jobs, undefined, 20)).requests).toBe(20);
});
