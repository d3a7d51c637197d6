import { afterEach, describe, expect, it } from 'vitest';
import { openConnections } from '../../src/providers/connections.ts';
import { proxyFor } from '../../src/providers/proxy.ts';
import { type TunnelProxy, tunnelProxy } from '../servers/proxy.ts';
import { reply, serve } from './support.ts';

describe('the proxy of a server', () => {
  const both = { httpProxy: 'http://user:secret@proxy:3128', httpsProxy: 'http://secure:3129' };
  it.each([
    ['http://lab/v1', both, 'http://proxy:3128'],
    ['https://lab/v1', both, 'http://secure:3129'],
    ['https://lab/v1', { httpProxy: 'http://proxy:3128' }, 'http://proxy:3128'],
    ['http://lab/v1', { httpsProxy: 'http://secure:3129' }, undefined],
    ['http://lab/v1', {}, undefined],
    ['http://lab/v1', { httpProxy: 'user:secret@nonsense' }, 'nonsense'],
  ])('%s under %j is %s', (url, environment, expected) => {
    expect(proxyFor(url, environment)).toBe(expected);
  });
});

describe('an exception', () => {
  const opened: { close(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.close();
  });

  it.each([
    '',
    '*',
    '127.0.0.1',
    'localhost',
    '.0.0.1',
    '0.0.1',
    '7.0.0.1',
    '127.0.0.1:PORT',
    '127.0.0.1:1',
    'elsewhere, *.0.0.1',
  ])('%j is what the connection makes of it', async (written) => {
    const server = await serve((_, response) => reply(response, 200, {}));
    const proxy: TunnelProxy = await tunnelProxy();
    const { port } = new URL(server.url);
    const environment = { httpProxy: proxy.url, noProxy: written.replace('PORT', port) };
    const connections = openConnections({ connections: 1, environment });
    opened.push(server, proxy, connections);
    const { signal } = new AbortController();
    await connections.send({ method: 'GET', url: new URL(server.url), headers: {}, signal, timeoutMilliseconds: 5000 });
    expect(proxyFor(server.url, environment)).toBe(proxy.tunnels.length > 0 ? proxy.url : undefined);
  });
});
