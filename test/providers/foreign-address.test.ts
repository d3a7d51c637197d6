/** An address that a server names may lead anywhere; the credential goes to its own provider alone. */

import { expect, it } from 'vitest';
import { createTransport } from '../../src/providers/transport.ts';
import { LIMITS, never, provider, reply, serve } from './support.ts';

it.each(['own', 'foreign'])('a request to an address of the %s server', async (which) => {
  const own = await serve((_, response) => reply(response, 200, {}));
  const foreign = await serve((_, response) => reply(response, 200, {}));
  const ring = { keys: () => ['sk-secret'], current: () => 'sk-secret', replace: () => false };
  const transport = createTransport(provider({ baseUrl: own.url, limits: LIMITS }), own.url, ring);
  const asked = which === 'own' ? own : foreign;
  await transport.request({ method: 'get', path: `${asked.url}/results` }, never);
  for await (const _ of (await transport.stream(`${asked.url}/results`, false, never)).body);
  expect(asked.received.map(({ headers }) => headers.authorization)).toEqual(
    Array(2).fill(which === 'own' ? 'Bearer sk-secret' : undefined),
  );
  await Promise.all([transport.close(), own.close(), foreign.close()]);
});

it('a large body goes in pieces to an address that is signed, and without the credential', async () => {
  const store = await serve((_, response) => reply(response, 200, {}));
  const ring = { keys: () => ['sk-secret'], current: () => 'sk-secret', replace: () => false };
  const transport = createTransport(provider({ baseUrl: store.url, limits: LIMITS }), store.url, ring);
  const pieces = ['{"a":1}\n', '{"b":"–"}\n'].map((line) => Buffer.from(line));
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const exchange = await transport.put(`${store.url}/bucket/input.jsonl?signature=x`, { pieces, size }, never);
  expect(exchange).toMatchObject({ type: 'reply', status: 200 });
  const [{ headers, body }] = store.received as [(typeof store.received)[0]];
  expect(body).toBe('{"a":1}\n{"b":"–"}\n');
  expect(headers).toMatchObject({ 'content-length': String(size) });
  expect(headers).not.toHaveProperty('authorization');
  await Promise.all([transport.close(), store.close()]);
});
