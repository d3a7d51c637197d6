/** Fetches a file that is pinned by its SHA-256. */

import { createHash } from 'node:crypto';
import { EXIT, ProblemError } from '../core/problem.ts';
import { type Clock, systemClock } from './clock.ts';
import { askedWait } from './hints.ts';
import { nextTry } from './retry.ts';
import { scrub } from './secrets.ts';

export interface DownloadOptions {
  /** Hex digits of the digest that the bytes must have. */
  readonly sha256: string;
  /** Sent as a bearer token to the host of `url`, and to no host that it redirects to. */
  readonly token?: string;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const ATTEMPTS = 4;
/** Milliseconds without a byte after which a try is given up. */
const SILENCE = 60_000;

type Try =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | {
      readonly ok: false;
      readonly again: boolean;
      readonly why: string;
      readonly asked?: number;
      readonly hint?: string;
    };

/**
 * The file's bytes, checked against the digest.
 *
 * @throws ProblemError when the server refuses, stays unreachable, or sends other bytes.
 */
export async function download(url: string, options: DownloadOptions): Promise<Uint8Array> {
  const { sha256, token, clock = systemClock, random = Math.random } = options;
  const never = new AbortController().signal;
  for (let tried = 1; ; tried++) {
    const result = await fetchWhole(url, token, clock);
    if (result.ok) {
      const received = createHash('sha256').update(result.bytes).digest('hex');
      if (received === sha256.toLowerCase()) return result.bytes;
      throw problem(url, 'the file is not the one that was pinned', 'pin the new digest if the change is meant', [
        ['pinned sha256', sha256],
        ['received', received],
        ['bytes', String(result.bytes.length)],
      ]);
    }
    const next = nextTry(tried, result.again ? ATTEMPTS : tried, result.asked, random);
    if (!next.again) throw problem(url, scrub(result.why, token), result.hint);
    await clock.sleep(next.waitMilliseconds, never);
  }
}

async function fetchWhole(url: string, token: string | undefined, clock: Clock): Promise<Try> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  try {
    const response = await fetch(url, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: silence.signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      return refused(response, clock);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      chunks.push(chunk);
    }
    return { ok: true, bytes: Buffer.concat(chunks) };
  } catch (error) {
    if (silence.signal.aborted) return { ok: false, again: true, why: `nothing came for ${SILENCE / 1000} s` };
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = (cause as { code?: unknown }).code;
    const text = cause instanceof Error && cause.message !== '' ? cause.message : String(code ?? cause);
    return { ok: false, again: true, why: text };
  } finally {
    clearTimeout(timer);
  }
}

function refused(response: Response, clock: Clock): Try {
  const { status } = response;
  const why = `the server answered ${status}${response.statusText === '' ? '' : ` ${response.statusText}`}`;
  const again = status === 408 || status === 429 || status >= 500;
  const asked = askedWait((name) => response.headers.get(name), clock.now());
  const hint =
    status === 401 || status === 403
      ? 'the file may be gated: accept its terms with the account of the token, and check the token'
      : status === 404 || status === 410
        ? 'check the address, and that the revision still exists'
        : undefined;
  return { ok: false, again, why, ...(asked === undefined ? {} : { asked }), ...(hint === undefined ? {} : { hint }) };
}

function problem(url: string, why: string, hint?: string, facts: readonly (readonly [string, string])[] = []) {
  const address = new URL(url);
  address.username = '';
  address.password = '';
  address.search = '';
  return new ProblemError(
    { headline: `cannot fetch ${address.href}: ${why}`, facts, ...(hint === undefined ? {} : { hint }) },
    EXIT.failed,
  );
}
