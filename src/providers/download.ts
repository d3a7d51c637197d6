/**
 * Fetches one file by its URL and makes sure that it is the one that was meant. Undici is slow to load, so this module is
 * imported at the first download.
 */

import { createHash } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import { EXIT, ProblemError } from '../core/problem.ts';
import { target } from './connections.ts';
import { type Keys, scrub } from './secrets.ts';

interface DownloadOptions {
  /** Of the file, 64 lower-case hex digits. */
  readonly sha256: string;
  /** Sent as a bearer token to the URL's own origin, and to no other that it redirects to. */
  readonly token?: string;
  /** Bytes so far, and in all where the server says so. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  readonly signal?: AbortSignal;
}

const MOST_REDIRECTS = 5;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Milliseconds to connect, to the first byte of an answer, and between two pieces of it. */
const PATIENCE = 60_000;

/**
 * The bytes behind the URL.
 *
 * @throws ProblemError (exit 1) when they cannot be fetched, or when their digest is not `sha256`; none of its texts
 *   holds the token, nor what the query of an address may hold.
 */
export async function download(url: string, options: DownloadOptions): Promise<Uint8Array> {
  const agent = new Agent({ connect: { timeout: PATIENCE }, headersTimeout: PATIENCE, bodyTimeout: PATIENCE });
  try {
    const bytes = await follow(url, agent, options);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found === options.sha256) return bytes;
    throw new ProblemError(
      {
        id: 'CJE-DOWNLOAD-CHANGED',
        headline: `what was fetched is not the file that was meant: ${shown(url)}`,
        facts: [
          ['expected sha256', options.sha256],
          ['fetched sha256', found],
          ['fetched bytes', String(bytes.length)],
        ],
        hint: 'If you trust what was fetched, write its sha256 into the pipeline; otherwise find out what changed.',
      },
      EXIT.failed,
    );
  } finally {
    await agent.destroy();
  }
}

async function follow(start: string, dispatcher: Dispatcher, options: DownloadOptions): Promise<Uint8Array> {
  const { token, signal, onProgress } = options;
  const home = new URL(start).origin;
  let url = new URL(start);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const headers: Record<string, string> = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'cje' };
    if (token !== undefined && url.origin === home) headers.authorization = `Bearer ${token}`;
    let reply: Dispatcher.ResponseData;
    try {
      reply = await dispatcher.request({ ...target(url), method: 'GET', headers, signal: signal ?? null });
    } catch (error) {
      throw unreachable(url, error, token);
    }
    const { statusCode, headers: answered, body } = reply;
    const location = single(answered.location);
    if (REDIRECTS.includes(statusCode) && location !== undefined) {
      await body.dump();
      url = redirected(url, location, token);
      continue;
    }
    if (statusCode !== 200) {
      await body.dump();
      throw refused(url, statusCode, token !== undefined);
    }
    try {
      return await collect(body, single(answered['content-length']), onProgress);
    } catch (error) {
      throw unreachable(url, error, token);
    }
  }
  throw failure(start, 'it redirects without end', 'Check the address in a browser.');
}

async function collect(
  body: AsyncIterable<Uint8Array>,
  length: string | undefined,
  onProgress: DownloadOptions['onProgress'],
): Promise<Uint8Array> {
  const total = length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
  const pieces: Uint8Array[] = [];
  let received = 0;
  for await (const piece of body) {
    pieces.push(piece);
    received += piece.length;
    onProgress?.(received, total);
  }
  return Buffer.concat(pieces);
}

function redirected(from: URL, location: string, token: string | undefined): URL {
  let to: URL;
  try {
    to = new URL(location, from);
  } catch {
    throw failure(String(from), 'it redirects to something that is no address', 'Check the address in a browser.');
  }
  if (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')) return to;
  throw failure(
    String(from),
    `it redirects to ${scrub(shown(to), keysOf(token))}, which is not secure`,
    'Use the new address.',
  );
}

function refused(url: URL, status: number, withToken: boolean): ProblemError {
  const reason = `the server answered ${status}`;
  if (status === 401 || status === 403) {
    const hint = withToken
      ? 'Check that the token is valid, and that its owner has been given access to the file.'
      : 'The file may need an access token: name the environment variable that holds one with token_variable.';
    return failure(String(url), reason, hint);
  }
  const hint = status === 404 ? 'Check the address; for a pinned file, its revision too.' : 'Try again later.';
  return failure(String(url), reason, hint);
}

function unreachable(url: URL, error: unknown, token: string | undefined): ProblemError {
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return failure(String(url), scrub(reason, keysOf(token)), 'Check the network and try again; nothing was kept.');
}

function failure(url: string, reason: string, hint: string): ProblemError {
  return new ProblemError(
    { id: 'CJE-DOWNLOAD-FAILED', headline: `cannot fetch ${shown(url)}`, facts: [['reason', reason]], hint },
    EXIT.failed,
  );
}

const keysOf = (token: string | undefined): Keys => (token === undefined ? [] : [token]);

/** An address without what may be secret in it: user, password, query. */
function shown(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
