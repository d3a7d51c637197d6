import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import { download } from '../../src/providers/download.ts';

const TOKEN = 'hf_secretsecretsecret';
const FILE = Buffer.from('PAR1 not really, but bytes \u2603');
const SHA = createHash('sha256').update(FILE).digest('hex');

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Seen {
  readonly url: string;
  readonly authorization: string | undefined;
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ origin: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url!, authorization: request.headers.authorization });
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const serveFile = () => serve((_, response) => response.end(FILE));

async function problemOf(promise: Promise<unknown>): Promise<ProblemError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProblemError);
  const problem = error as ProblemError;
  expect(JSON.stringify([problem.problems, problem.message, problem.stack])).not.toContain(TOKEN);
  expect(problem.exit).toBe(1);
  return problem;
}

describe('fetching', () => {
  test('hands back the bytes, and tells how far it is', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': FILE.length });
      response.write(FILE.subarray(0, 5));
      response.end(FILE.subarray(5));
    });
    const progress: [number, number | undefined][] = [];
    const bytes = await download(`${origin}/data.parquet`, {
      sha256: SHA,
      onProgress: (received, total) => progress.push([received, total]),
    });
    expect(Buffer.from(bytes).equals(FILE)).toBe(true);
    expect(progress.at(-1)).toEqual([FILE.length, FILE.length]);
  });

  test('a server that does not tell the length is fine', async () => {
    const { origin } = await serve((_, response) => {
      response.write(FILE.subarray(0, 5));
      response.end(FILE.subarray(5));
    });
    const totals = new Set<number | undefined>();
    const onProgress = (_: number, total: number | undefined) => totals.add(total);
    expect((await download(origin, { sha256: SHA, onProgress })).length).toBe(FILE.length);
    expect([...totals]).toEqual([undefined]);
  });

  test('sends the token, and none where there is none', async () => {
    const { origin, seen } = await serveFile();
    await download(`${origin}/a`, { sha256: SHA, token: TOKEN });
    await download(`${origin}/b`, { sha256: SHA });
    expect(seen).toEqual([
      { url: '/a', authorization: `Bearer ${TOKEN}` },
      { url: '/b', authorization: undefined },
    ]);
  });
});

describe('redirects', () => {
  test.each([301, 302, 303, 307, 308])('%i within the origin keeps the token', async (status) => {
    const { origin, seen } = await serve((request, response) => {
      if (request.url === '/file') response.end(FILE);
      else response.writeHead(status, { location: '/file' }).end('moved');
    });
    await download(`${origin}/start`, { sha256: SHA, token: TOKEN });
    expect(seen.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['/start', `Bearer ${TOKEN}`],
      ['/file', `Bearer ${TOKEN}`],
    ]);
  });

  test('to another origin goes without the token', async () => {
    const elsewhere = await serveFile();
    const { origin, seen } = await serve((_, response) =>
      response.writeHead(302, { location: `${elsewhere.origin}/signed?key=1` }).end(),
    );
    await download(`${origin}/start`, { sha256: SHA, token: TOKEN });
    expect(seen).toEqual([{ url: '/start', authorization: `Bearer ${TOKEN}` }]);
    expect(elsewhere.seen).toEqual([{ url: '/signed?key=1', authorization: undefined }]);
  });

  test('without end stop', async () => {
    const { origin, seen } = await serve((_, response) => response.writeHead(302, { location: '/again' }).end());
    const { problems } = await problemOf(download(`${origin}/start`, { sha256: SHA, token: TOKEN }));
    expect(problems[0]!.facts).toEqual([['reason', 'it redirects without end']]);
    expect(seen.length).toBe(6);
  });

  test.each(['ftp://example.com/file', 'file:///etc/passwd'])('to %s are not followed', async (location) => {
    const { origin } = await serve((_, response) => response.writeHead(302, { location }).end());
    const { problems } = await problemOf(download(origin, { sha256: SHA }));
    expect(problems[0]!.facts![0]![1]).toMatch(/which is not secure/);
  });
});

describe('failures', () => {
  test('another file names both digests', async () => {
    const { origin } = await serve((_, response) => response.end('something else'));
    const { problems } = await problemOf(download(`${origin}/x?token=${TOKEN}`, { sha256: SHA, token: TOKEN }));
    expect(problems[0]!.headline).toBe(`what was fetched is not the file that was meant: ${origin}/x`);
    expect(problems[0]!.facts).toEqual([
      ['expected sha256', SHA],
      ['fetched sha256', createHash('sha256').update('something else').digest('hex')],
      ['fetched bytes', '14'],
    ]);
  });

  test.each([
    [401, undefined, /token_variable/],
    [403, TOKEN, /token is valid/],
    [404, undefined, /revision/],
    [503, undefined, /later/],
  ])('status %i', async (status, token, hint) => {
    const { origin } = await serve((request, response) =>
      response.writeHead(status).end(`no ${request.headers.authorization}`),
    );
    const { problems } = await problemOf(download(`${origin}/x`, { sha256: SHA, ...(token && { token }) }));
    expect(problems[0]!.headline).toBe(`cannot fetch ${origin}/x`);
    expect(problems[0]!.facts).toEqual([['reason', `the server answered ${status}`]]);
    expect(problems[0]!.hint).toMatch(hint);
  });

  test('a server that is not there', async () => {
    const { origin } = await serveFile();
    const server = servers.pop()!;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const { problems } = await problemOf(download(`${origin}/x`, { sha256: SHA, token: TOKEN }));
    expect(problems[0]!.facts![0]![1]).toMatch(/ECONNREFUSED/);
  });

  test('a connection that ends half-way', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write(FILE, () => response.destroy());
    });
    const { problems } = await problemOf(download(`${origin}/x`, { sha256: SHA, token: TOKEN }));
    expect(problems[0]!.headline).toBe(`cannot fetch ${origin}/x`);
  });

  test('a token that no header can hold is not shown either', async () => {
    const { origin } = await serveFile();
    await problemOf(download(`${origin}/x`, { sha256: SHA, token: `${TOKEN}\n` }));
  });
});
