/** The plain object that stands for a Response has every member that the SDK reads. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpenAI } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPooledFetch } from '../../src/providers/fetch.ts';

const server = createServer((request, response) => {
  const status = Number(/\d{3}/.exec(request.url!)![0]);
  const json = request.url!.includes('json');
  response.writeHead(status, { 'content-type': json ? 'application/json' : 'text/plain' });
  response.end(status === 204 ? undefined : json ? '{"error":{"message":"no"}}' : 'plain');
});
let base: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

it('is read for these members alone, whatever the status and the kind of body', async () => {
  const pool = createPooledFetch({ connections: 1, environment: {} });
  const read = { response: new Set<string | symbol>(), headers: new Set<string | symbol>() };
  const watched = <T extends object>(target: T, names: Set<string | symbol>): T =>
    new Proxy(target, {
      get(object, name) {
        names.add(name);
        const value: unknown = Reflect.get(object, name);
        if (name === 'headers') return watched(value as object, read.headers);
        return typeof value === 'function' ? value.bind(object) : value;
      },
    });
  const client = new OpenAI({
    baseURL: base,
    apiKey: 'none',
    maxRetries: 0,
    logLevel: 'off',
    fetch: async (...request) => watched(await pool.fetch(...request), read.response),
  });
  const outcomes: unknown[] = [];
  for (const path of ['/200/json', '/200/text', '/204/text', '/400/json', '/404/text', '/500/json']) {
    await client.get(path).then(
      (body) => outcomes.push(body),
      (error) => outcomes.push(error.status),
    );
    // As the transport reads a reply: raw.
    await client
      .get(path)
      .asResponse()
      .then((response) => response.text())
      .catch(() => {});
  }
  await pool.close();
  expect(outcomes).toEqual([{ error: { message: 'no' } }, 'plain', null, 400, 404, 500]);
  // `body` is read by retries of the SDK's own, which are off. `then`: a promise that resolves to the object asks whether it is one itself.
  expect([...read.response].sort()).toEqual(['headers', 'json', 'ok', 'status', 'text', 'then', 'url']);
  expect([...read.headers].sort()).toEqual(['entries', 'get']);
});
