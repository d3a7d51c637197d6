import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import { download } from '../../src/providers/download.ts';
import { type Answering, instantClock, serve, type TestServer } from './support.ts';

const BYTES = Buffer.from([...Array(5000).keys()].map((index) => index % 256));
const sha256 = createHash('sha256').update(BYTES).digest('hex');
const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
const open = async (answer: Answering) => {
  const server = await serve(answer);
  servers.push(server);
  return server;
};
const problemOf = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error('it was fetched')),
    (error: unknown) => {
      if (!(error instanceof ProblemError)) throw error;
      return error.problems[0]!;
    },
  );
const options = () => ({ sha256, clock: instantClock(), random: () => 0 });

describe('download', () => {
  it('gives the bytes that were pinned, with the token where one is needed', async () => {
    const server = await open((_, response) => response.end(BYTES));
    expect(Buffer.from(await download(`${server.url}/f`, { ...options(), token: 'hf_1' })).equals(BYTES)).toBe(true);
    expect(server.received[0]!.headers.authorization).toBe('Bearer hf_1');
    await download(`${server.url}/f`, { ...options(), sha256: sha256.toUpperCase() });
    expect(server.received[1]!.headers.authorization).toBeUndefined();
  });

  it('follows a redirect, and leaves the token behind', async () => {
    const elsewhere = await open((_, response) => response.end(BYTES));
    const server = await open((_, response) => response.writeHead(302, { location: `${elsewhere.url}/real` }).end());
    await download(`${server.url}/f`, { ...options(), token: 'hf_1' });
    expect(elsewhere.received[0]!.headers.authorization).toBeUndefined();
  });

  it('tries again after what may pass', async () => {
    const server = await open((_, response, turn) => {
      if (turn === 0) response.writeHead(503, { 'retry-after': '3' }).end();
      else if (turn === 1) response.destroy();
      else if (turn === 2) {
        response.writeHead(200, { 'content-length': '5000' });
        response.write(BYTES.subarray(0, 10));
        setImmediate(() => response.destroy());
      } else response.end(BYTES);
    });
    const clock = instantClock();
    expect((await download(`${server.url}/f`, { ...options(), clock })).length).toBe(5000);
    expect(clock.slept[0]).toBe(3000);
    expect(server.received.length).toBe(4);
  });

  it('refuses other bytes, and says both digests', async () => {
    const server = await open((_, response) => response.end('other'));
    const problem = await problemOf(download(`${server.url}/f`, options()));
    expect(problem.headline).toMatch(/cannot fetch http.*\/f: the file is not the one that was pinned$/);
    expect(problem.facts).toEqual([
      ['pinned sha256', sha256],
      ['received', createHash('sha256').update('other').digest('hex')],
      ['bytes', '5'],
    ]);
    expect(server.received.length).toBe(1);
  });

  it('says what a refusal means, without secrets of the address', async () => {
    const gated = await open((_, response) => response.writeHead(403).end());
    const problem = await problemOf(download(`${gated.url}/f?token=secret`, options()));
    expect(problem.headline).toBe(`cannot fetch ${gated.url}/f: the server answered 403 Forbidden`);
    expect(problem.hint).toMatch(/accept its terms/);
    expect(gated.received.length).toBe(1);
    await gated.close();
    servers.pop();
    const unreachable = await problemOf(download(`${gated.url}/f`, options()));
    expect(unreachable.headline).toMatch(/ECONNREFUSED/);
  });
});
