/** Which proxy a server is reached through, for whoever is told of it: the rules are those of the agent that connects. */

import type { NetworkEnvironment } from './connections.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** The proxy's address without its credential; undefined where the server is reached directly. */
export function proxyFor(baseUrl: string, environment: NetworkEnvironment): string | undefined {
  const { httpProxy, httpsProxy, noProxy = '' } = environment;
  const url = new URL(baseUrl);
  const proxy = url.protocol === 'https:' ? (httpsProxy ?? httpProxy) : httpProxy;
  if (proxy === undefined || isExcepted(url, noProxy)) return undefined;
  const { protocol, host } = URL.canParse(proxy) ? new URL(proxy) : { protocol: '', host: '' };
  // What is no address fails at the first call; here it is only kept from showing a credential.
  return host === '' ? proxy.replace(/^.*@/, '') : `${protocol}//${host}`;
}

/** Entries are hosts with their subdomains, each with a port or without. */
function isExcepted(url: URL, noProxy: string): boolean {
  if (noProxy === '*') return true;
  const host = url.host.replace(/:\d*$/, '').toLowerCase();
  const port = Number.parseInt(url.port, 10) || DEFAULT_PORTS[url.protocol];
  return noProxy
    .split(/[,\s]/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [, written = entry, portWritten] = /^(.+):(\d+)$/.exec(entry) ?? [];
      if (portWritten !== undefined && Number(portWritten) !== port) return false;
      const name = written.replace(/^\*?\./, '').toLowerCase();
      return host === name || host.endsWith(`.${name}`);
    });
}
