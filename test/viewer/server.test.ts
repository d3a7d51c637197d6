import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { startViewer } from '../../src/viewer/server.ts';
import { sourceOf, studyBuild } from './study.ts';

type Viewer = Awaited<ReturnType<typeof startViewer>>;

const folder = mkdtempSync(join(tmpdir(), 'cje-view-'));
const store = openStore(join(folder, '.cache'));
let viewer: Viewer;

beforeAll(async () => {
  viewer = await startViewer(sourceOf(await studyBuild(store)), 0);
});
afterAll(async () => {
  await viewer.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends what a browser would not: any path as it stands, any Host. */
function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: viewer.port,
        path,
        method: options.method ?? 'GET',
        headers: options.headers,
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    sent.on('error', reject).end();
  });
}

describe('the server', () => {
  it('answers to its own address and to localhost', async () => {
    for (const host of [`127.0.0.1:${viewer.port}`, `localhost:${viewer.port}`, `LOCALHOST:${viewer.port}`]) {
      expect((await ask('/build/now/items', { headers: { Host: host } })).status).toBe(200);
    }
  });

  it.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1',
    'localhost:1',
    '127.0.0.1:PORT.evil.example',
    'localhost.:PORT',
    '[::1]:PORT',
    '0.0.0.0:PORT',
    '127.0.0.1:PORT@evil.example',
  ])('refuses the Host %s', async (host) => {
    const reply = await ask('/build/now/items', { headers: { Host: host.replace('PORT', String(viewer.port)) } });
    expect(reply.status).toBe(403);
    expect(reply.body).not.toContain('p0');
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('only shows', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const reply = await ask('/', { method });
      expect([method, reply.status, reply.headers.allow]).toEqual([method, 405, 'GET, HEAD']);
    }
    const [head, get] = [await ask('/build/now/graph', { method: 'HEAD' }), await ask('/build/now/graph')];
    expect([head.status, head.body]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.body)));
  });

  it.each(['cross-site', 'same-site'])(
    'lets nothing be loaded into other pages, yet be linked to (%s)',
    async (site) => {
      const from = (mode: string) =>
        ask('/build/now/graph', { headers: { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode } });
      expect((await from('no-cors')).status).toBe(403);
      expect((await from('cors')).status).toBe(403);
      expect((await from('navigate')).status).toBe(200);
      const { headers } = await ask('/build/now/graph', { headers: { Origin: 'https://evil.example' } });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    },
  );

  it('forbids what no page of it needs', async () => {
    for (const path of ['/', '/build/now/graph', '/assets/view.css', '/assets/view.js', '/nothing']) {
      const { headers } = await ask(path);
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
    }
  });

  it('gives out a file as text, beside which no script runs', async () => {
    const { status, headers, body } = await ask('/build/now/file/dataset/first?name=quality.json&raw=1');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ scorer: 'first' });
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(headers['content-security-policy']).toBe("default-src 'none'; sandbox; frame-ancestors 'none'");
  });

  it.each([
    '/../../etc/passwd',
    '/build/now/file/../../../etc/passwd',
    '/build/now/file/dataset%2Ffirst/..%2f..?name=..%2F..%2Fetc%2Fpasswd',
    '/assets/../view.css',
    '/assets/%2e%2e/server.ts',
    '/%00',
    '*',
  ])('takes no path from an address: %s', async (path) => {
    const reply = await ask(path);
    expect(reply.status).toBe(404);
    expect(reply.body).not.toContain('root:');
  });
});
