/** The first interrupt: what waits is given up, what is on its way is awaited. */

import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import type { TryOutcome } from '../../src/core/provider-port.ts';
import { createProviderClient } from '../../src/providers/client.ts';
import { admitAll, UNSENT } from '../engine/money.ts';
import {
  type Answering,
  COMPLETION,
  closedAfterEach,
  LIMITS,
  never,
  order,
  provider,
  reply,
  serve,
  settle,
  virtualClock,
} from './support.ts';

const opened = closedAfterEach();

async function shop(concurrency: number, answer: Answering) {
  const server = await serve(answer);
  const buyer = createProviderClient({
    providers: [provider({ baseUrl: server.url, limits: { ...LIMITS, concurrency } })],
    secrets: () => undefined,
    clock: virtualClock(),
    random: () => 0.5,
  });
  opened.push(server, buyer);
  return { server, buyer };
}

it('gives up who waits for a turn or for the next try, and lets land what flies', async () => {
  const held: ServerResponse[] = [];
  const { server, buyer } = await shop(2, ({ body }, response) => {
    if (body.includes('busy')) reply(response, 503, { error: { message: 'busy' } }, { 'retry-after': '600' });
    else held.push(response);
  });
  const drain = new AbortController();
  const retries: unknown[] = [];
  const buy = (text: string) =>
    buyer.buy(
      order({ model: text === 'busy' ? 'b' : 'm', max_tokens: 5, messages: [{ role: 'user', content: text }] }),
      {
        signal: never,
        drain: drain.signal,
        admit: admitAll().admit,
        onRetry: (failure) => retries.push(failure),
      },
    );
  const retrying = buy('busy');
  while (retries.length < 1) await settle();
  const flying = [buy('one'), buy('two')];
  while (held.length < 2) await settle();
  const queued = buy('three');
  await settle();

  drain.abort();
  for (const gone of [retrying, queued]) {
    expect(await gone).toMatchObject({ ok: false, failure: { class: 'stopped', reason: 'interrupted' } });
  }
  expect(await buy('four')).toMatchObject({ ok: false, failure: { class: 'stopped' } });
  for (const response of held) reply(response, 200, COMPLETION);
  for (const landed of flying) expect((await landed).ok).toBe(true);
  expect(server.received).toHaveLength(3);
});

it('writes down no try that waits for its turn, and sends none that was interrupted while it was written down', async () => {
  const { server, buyer } = await shop(1, (_, response) => reply(response, 200, COMPLETION));
  const drain = new AbortController();
  const outcomes: TryOutcome[] = [];
  const writing: (() => void)[] = [];
  const buy = () =>
    buyer.buy(order({ model: 'm', max_tokens: 5, messages: [] }), {
      signal: never,
      drain: drain.signal,
      admit: async () => ({
        ready: () => new Promise<void>((written) => writing.push(written)),
        settle: (outcome) => outcomes.push(outcome),
      }),
      onRetry: () => {},
    });
  const [first, second] = [buy(), buy()];
  await settle();
  expect(writing).toHaveLength(1);
  drain.abort();
  writing[0]!();
  for (const gone of [first, second]) expect(await gone).toMatchObject({ ok: false, failure: { class: 'stopped' } });
  expect(outcomes).toEqual([UNSENT, UNSENT]);
  expect(writing).toHaveLength(1);
  expect(server.received).toHaveLength(0);
});

it('sends no try that cannot be written down: it costs nothing, and the next has its place', async () => {
  const { server, buyer } = await shop(1, (_, response) => reply(response, 200, COMPLETION));
  const outcomes: TryOutcome[] = [];
  const buy = (ready: () => Promise<void>) =>
    buyer.buy(order({ model: 'm', max_tokens: 5, messages: [] }), {
      signal: never,
      admit: async () => ({ ready, settle: (outcome) => outcomes.push(outcome) }),
      onRetry: () => {},
    });
  await expect(buy(() => Promise.reject(new Error('the disk is full')))).rejects.toThrow('the disk is full');
  expect(outcomes).toEqual([UNSENT]);
  expect(server.received).toHaveLength(0);
  expect(await buy(async () => {})).toMatchObject({ ok: true });
});
