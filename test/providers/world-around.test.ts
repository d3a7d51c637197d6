import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Provider } from '../../src/core/graph.ts';
import { createProviderClient } from '../../src/providers/client.ts';
import { admitAll, UNSENT } from '../engine/money.ts';
import { tunnelProxy } from '../servers/proxy.ts';
import { rawServer } from '../servers/raw.ts';
import { COMPLETION, instantClock, never, order, provider, reply, serve } from './support.ts';

const TEXT = JSON.stringify(COMPLETION);
const CERTIFICATE = fileURLToPath(new URL('../servers/tls/certificate.pem', import.meta.url));
const opened: { close(): Promise<void> }[] = [];
const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
afterEach(async () => {
  for (const name of VARIABLES) delete process.env[name];
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

function ask(baseUrl: string, fields: Partial<Provider> = {}, secrets: Record<string, string> = {}) {
  const clock = instantClock();
  const client = createProviderClient({
    providers: [provider({ baseUrl, ...fields })],
    secrets: (name) => secrets[name],
    clock,
    random: () => 0,
  });
  opened.push(client);
  return async (seed = 0) => {
    const { admit, outcomes } = admitAll();
    const result = await client.buy(order({ model: 'm', seed }), { signal: never, admit, onRetry: () => {} });
    return { ...result, outcomes };
  };
}

const answer = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe('interim responses', () => {
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
  const HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n';
  it.each([
    ['one 100', [`${CONTINUE}${answer(TEXT)}`]],
    ['a 100 on its own', [CONTINUE, answer(TEXT)]],
    ['a 103', [`${HINTS}${answer(TEXT)}`]],
    ['several in pieces', ['HTTP/1.', '1 100 Cont', 'inue\r\n\r', `\n${HINTS}`, CONTINUE, answer(TEXT)]],
    ['an answer in pieces', ['HTT', answer(TEXT).slice(3)]],
  ])('are skipped: %s', async (_, pieces) => {
    const server = await rawServer((socket) => {
      const write = (index: number): void => {
        if (index < pieces.length)
          socket.write(pieces[index]!, () => setImmediate(() => setImmediate(write, index + 1)));
      };
      write(0);
    });
    opened.push(server);
    const buy = ask(`http://127.0.0.1:${server.port}/v1`);
    expect(await buy(1)).toMatchObject({ ok: true, raw: TEXT });
    expect(await buy(2)).toMatchObject({ ok: true, raw: TEXT });
    expect(server.heads.length).toBe(2);
  });

  it('are left alone in a body that looks like one', async () => {
    const body = JSON.stringify({ ...COMPLETION, note: `${CONTINUE}x` });
    const at = body.indexOf('HTTP/1.1 100');
    const server = await rawServer((socket) => {
      const whole = answer(body);
      const cut = whole.length - body.length + at;
      socket.write(whole.slice(0, cut), () => setImmediate(() => socket.write(whole.slice(cut))));
    });
    opened.push(server);
    expect(await ask(`http://127.0.0.1:${server.port}/v1`)()).toMatchObject({ ok: true, raw: body });
  });
});

describe('bodies that are compressed without being asked', () => {
  it.each<[string, Record<string, string>, Buffer]>([
    ['gzip', { 'content-encoding': 'gzip' }, gzipSync(TEXT)],
    ['gzip that does not say so', {}, gzipSync(TEXT)],
    ['deflate', { 'content-encoding': 'deflate' }, deflateSync(TEXT)],
    ['bare deflate', { 'content-encoding': 'deflate' }, deflateRawSync(TEXT)],
    ['brotli', { 'content-encoding': 'br' }, brotliCompressSync(TEXT)],
    ['two of them', { 'content-encoding': 'gzip, br' }, brotliCompressSync(gzipSync(TEXT))],
    ['none', { 'content-encoding': 'identity' }, Buffer.from(TEXT)],
  ])('are read: %s', async (_, headers, bytes) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, headers);
      response.end(bytes);
    });
    opened.push(server);
    expect(await ask(server.url)()).toMatchObject({ ok: true, raw: TEXT });
  });

  it.each([
    ['zstd', /the body is zstd, which was not asked for/],
    ['gzip', /the body is said to be gzip, and it is not/],
  ])('are named where they cannot be read: %s', async (encoding, words) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding });
      response.end(TEXT);
    });
    opened.push(server);
    expect(await ask(server.url)()).toMatchObject({ ok: false, failure: { message: expect.stringMatching(words) } });
  });
});

describe('what the provider file adds', () => {
  it('sends its headers and its query, and the key as the header it names', async () => {
    const server = await serve((_, response) => reply(response, 200, COMPLETION));
    opened.push(server);
    const access = {
      headers: { 'X-Team': 'evals', 'OpenAI-Organization': 'org-1' },
      query: { 'api-version': '2024-10-21' },
      keyHeader: 'api-key',
    };
    await ask(server.url, { access, keyVariable: 'K' }, { K: 'sk-1' })();
    const { path, headers } = server.received[0]!;
    expect(path).toBe('/v1/chat/completions?api-version=2024-10-21');
    expect(headers).toMatchObject({ 'x-team': 'evals', 'openai-organization': 'org-1', 'api-key': 'sk-1' });
    expect(headers.authorization).toBeUndefined();
  });

  it.each([
    [401, { error: { message: 'revoked' } }],
    [429, { error: { code: 'insufficient_quota', message: 'no credit' } }],
  ])('goes on with the next key after %i', async (status, body) => {
    const server = await serve(({ headers }, response) =>
      headers.authorization === 'Bearer second-1' ? reply(response, 200, COMPLETION) : reply(response, status, body),
    );
    opened.push(server);
    const access = { fallbackKeys: ['B', 'C'] };
    const buy = ask(server.url, { access, keyVariable: 'A' }, { A: 'first-1', B: 'second-1', C: 'third-1' });
    const results = await Promise.all([1, 2, 3, 4, 5].map((seed) => buy(seed)));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(await ask(server.url, { access, keyVariable: 'A' }, { B: 'second-1' })()).toMatchObject({ ok: true });
    const spent = await ask(server.url, { access, keyVariable: 'A' }, { A: 'first-1', C: 'third-1' })();
    expect(spent).toMatchObject({ ok: false, failure: { class: 'fatal' } });
  });

  it('asks the key command when it is needed, and again when its key is refused', async () => {
    let good = '';
    const server = await serve(({ headers }, response) => {
      if (good === '') good = `${headers.authorization}`;
      reply(response, headers.authorization === good ? 401 : 200, COMPLETION);
    });
    opened.push(server);
    const buy = ask(server.url, { access: { keyCommand: 'echo key-$$' } });
    expect(server.received).toEqual([]);
    const results = await Promise.all([1, 2, 3].map((seed) => buy(seed)));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(new Set(server.received.map(({ headers }) => headers.authorization)).size).toBe(2);
  });

  it.each<[string | string[], RegExp]>([
    ['echo secret-words >&2; exit 3', /ended with status 3; run it by hand/],
    ['true', /printed nothing/],
    ['echo two words', /printed white space/],
    [['/nowhere/at-all'], /could not be run \(ENOENT\)/],
  ])('says why a key command gives no key: %s', async (keyCommand, words) => {
    const result = await ask('http://127.0.0.1:1', { access: { keyCommand } })();
    expect(result).toMatchObject({ ok: false, failure: { class: 'fatal', message: expect.stringMatching(words) } });
    expect(JSON.stringify(result)).not.toContain('secret-words');
  });
});

describe('redirects', () => {
  it.each([301, 302, 307, 308])('are refused with their address, without its query: %i', async (status) => {
    const server = await serve((_, response) => {
      response.writeHead(status, { location: 'https://elsewhere.example/v1/chat?token=abc' });
      response.end();
    });
    opened.push(server);
    expect(await ask(server.url)()).toMatchObject({
      failure: {
        class: 'fatal',
        reason: 'moved',
        message: `${status} to https://elsewhere.example/v1/chat: is base_url right?`,
      },
    });
    expect(server.received.length).toBe(1);
  });
});

describe('a server whose certificate nobody knows', () => {
  async function secure() {
    let requests = 0;
    const key = readFileSync(new URL('../servers/tls/key.pem', import.meta.url));
    const server = createServer({ key, cert: readFileSync(CERTIFICATE) }, (request, response) => {
      request.resume();
      requests++;
      reply(response, 200, COMPLETION);
    });
    let connections = 0;
    server.on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({
      close: () =>
        new Promise((resolve) => {
          server.closeAllConnections();
          server.close(() => resolve());
        }),
    });
    const { port } = server.address() as AddressInfo;
    return { host: `localhost:${port}`, requests: () => requests, connections: () => connections };
  }

  it('is given up at once', async () => {
    const { host, connections } = await secure();
    const result = await ask(`https://${host}/v1`)();
    expect(result).toMatchObject({ ok: false, outcomes: [UNSENT], failure: { class: 'fatal', reason: 'untrusted' } });
    expect(connections()).toBe(1);
  });

  it('is trusted where the file names it, through a proxy too', async () => {
    const { host, requests } = await secure();
    expect(await ask(`https://${host}/v1`, { access: { caFile: CERTIFICATE } })()).toMatchObject({ ok: true });
    const proxy = await tunnelProxy();
    opened.push(proxy);
    process.env.HTTPS_PROXY = proxy.url;
    expect(await ask(`https://${host}/v1`, { access: { caFile: CERTIFICATE } })()).toMatchObject({ ok: true });
    expect(proxy.tunnels).toEqual([host]);
    expect(await ask(`https://${host}/v1`)()).toMatchObject({ failure: { reason: 'untrusted' } });
    expect(requests()).toBe(2);
  });

  it('is no riddle where the file of certificates is missing', async () => {
    const result = await ask('https://127.0.0.1:1', { access: { caFile: '/nowhere/ca.pem' } })();
    expect(result).toMatchObject({
      failure: { reason: 'bad_setting', message: expect.stringContaining('/nowhere/ca.pem') },
    });
  });
});

describe('proxies', () => {
  it('are gone through, but for what NO_PROXY names', async () => {
    const server = await serve((_, response) => reply(response, 200, COMPLETION));
    const proxy = await tunnelProxy();
    opened.push(server, proxy);
    process.env.HTTP_PROXY = proxy.url;
    expect(await ask(server.url)()).toMatchObject({ ok: true });
    expect(proxy.tunnels).toEqual([new URL(server.url).host]);
    process.env.NO_PROXY = '127.0.0.1';
    expect(await ask(server.url)()).toMatchObject({ ok: true });
    expect(proxy.tunnels.length).toBe(1);
  });

  it('that refuse have made no call, and that are no address are named', async () => {
    const proxy = await tunnelProxy(true);
    opened.push(proxy);
    process.env.HTTP_PROXY = proxy.url;
    expect(await ask('http://127.0.0.1:9/v1')()).toMatchObject({
      outcomes: [UNSENT, UNSENT, UNSENT, UNSENT],
      failure: { reason: 'connection', message: expect.stringContaining('407') },
    });
    process.env.HTTP_PROXY = 'not an address';
    expect(await ask('http://127.0.0.1:9/v1')()).toMatchObject({ failure: { reason: 'bad_setting' } });
  });
});
