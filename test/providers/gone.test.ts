/** A server that is away for a while, and a network that is: nothing is sent, so nothing but time is used up. */

import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createProviderClient } from '../../src/providers/client.ts';
import { admitAll, UNSENT } from '../engine/money.ts';
import { COMPLETION, instantClock, LIMITS, never, order, provider, reply } from './support.ts';

const CHAT = { model: 'm', messages: [] };
const MINUTE = 60_000;

let server: Server | undefined;
const close = () =>
  new Promise<void>((resolve) => {
    server?.closeAllConnections();
    if (server === undefined) resolve();
    else server.close(() => resolve());
    server = undefined;
  });
afterEach(close);

async function open(port = 0): Promise<number> {
  const opened = createServer((request, response) => {
    request.resume();
    request.on('end', () => reply(response, 200, COMPLETION));
  });
  await new Promise<void>((resolve) => opened.listen(port, '127.0.0.1', resolve));
  server = opened;
  return (opened.address() as { port: number }).port;
}

/** @param comes after so many waits it is there again */
async function build({ comes = Number.POSITIVE_INFINITY, answersFirst = true, patience = 10 * MINUTE }) {
  const port = await open();
  const clock = instantClock();
  const notes: string[] = [];
  let waits = 0;
  const client = createProviderClient({
    providers: [provider({ baseUrl: `http://127.0.0.1:${port}/v1`, limits: { ...LIMITS, attempts: 2 } })],
    secrets: () => undefined,
    clock: {
      now: clock.now,
      async sleep(milliseconds, signal) {
        if (++waits === comes) await open(port);
        await clock.sleep(milliseconds, signal);
      },
    },
    random: () => 0.999,
    patience,
    note: (text) => notes.push(text),
  });
  const { admit, outcomes } = admitAll();
  const buy = (seed: number) => client.buy(order({ ...CHAT, seed }), { signal: never, admit, onRetry: () => {} });
  if (answersFirst) await buy(0);
  await close();
  const start = clock.now();
  const results = await Promise.all([buy(1), buy(2), buy(3)]);
  const milliseconds = clock.now() - start;
  await client.close();
  return { results, outcomes: outcomes.slice(answersFirst ? 1 : 0), notes, milliseconds };
}

describe('a server that answered before and is not there', () => {
  it('is waited for, whatever tries a call has, and what found nobody is booked as unsent', async () => {
    const { results, outcomes, notes } = await build({ comes: 14 });
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(outcomes.filter(({ billed }) => billed === 'no').length).toBeGreaterThan(6);
    for (const outcome of outcomes) if (outcome.billed === 'no') expect(outcome).toEqual(UNSENT);
    expect(outcomes.filter(({ billed }) => billed === 'maybe')).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^\S+ has not been reachable for \d\d s \(no answer from 127\.0\.0\.1:\d+: .*ECONNREFUSED.*\); it is asked again for up to 10 minutes$/,
      ),
    ]);
  });

  it.each([
    [10 * MINUTE, '10 minutes'],
    [MINUTE / 2, '30 seconds'],
  ])('is given up after %i ms, and all that waits for it goes with it', async (patience, said) => {
    const { results, milliseconds } = await build({ patience });
    for (const result of results) {
      expect(result).toMatchObject({
        ok: false,
        failure: {
          reason: 'connection',
          message: expect.stringContaining(`(has not been reachable for ${said}; build again later)`),
          outOfTime: true,
        },
      });
    }
    expect(milliseconds).toBeGreaterThan(patience);
    expect(milliseconds).toBeLessThan(patience + MINUTE);
  });

  it('has its tries alone where it never answered', async () => {
    const { results, milliseconds } = await build({ answersFirst: false });
    for (const result of results) {
      expect(result).toMatchObject({ ok: false, failure: { message: expect.not.stringContaining('minutes') } });
    }
    expect(milliseconds).toBeLessThan(MINUTE);
  });
});
