import { once } from 'node:events';
import { expect, it } from 'vitest';
import { openConnections } from '../../src/providers/connections.ts';
import { serve } from './support.ts';

const BOUND = 100_000;

it.each([0, 1, BOUND])('a body of %i bytes comes whole', async (size) => {
  const { reply, close } = await ask((response) => response.end(Buffer.alloc(size, ' ')));
  expect((await reply).text.length).toBe(size);
  await close();
});

it('a body is read up to a bound, and its sender is left beyond it', async () => {
  let left: Promise<unknown> | undefined;
  const { reply, close } = await ask((response) => {
    left = once(response, 'close');
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(10_000, ' ')));
    };
    response.on('drain', more);
    more();
  });
  await expect(reply).rejects.toThrow(`the body is longer than ${BOUND} bytes`);
  await left;
  await close();
});

async function ask(answer: (response: import('node:http').ServerResponse) => void) {
  const server = await serve((_, response) => answer(response));
  const connections = openConnections({ connections: 1, environment: {}, largestBody: BOUND });
  const { signal } = new AbortController();
  return {
    reply: connections.send({
      method: 'GET',
      url: new URL(server.url),
      headers: {},
      signal,
      timeoutMilliseconds: 5000,
    }),
    close: () => Promise.all([connections.close(), server.close()]),
  };
}
