/**
 * Who is answered, and under which rules a browser reads the answer. The viewer listens on 127.0.0.1; a page elsewhere
 * could still reach it by a name that it lets resolve to that address, so the Host header must be ours.
 */

import type { IncomingHttpHeaders } from 'node:http';

interface Rejection {
  readonly status: 403 | 405;
  readonly text: string;
}

/** Why a request is not answered; undefined where it is. */
export function rejectionOf(
  request: { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders },
  port: number,
): Rejection | undefined {
  const host = request.headers.host?.toLowerCase();
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
    return { status: 403, text: 'This viewer answers to 127.0.0.1 and localhost alone.' };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, text: 'This viewer only shows: GET and HEAD.' };
  }
  // A page elsewhere, another port of this machine included, may link here; it may not load anything from here.
  const site = request.headers['sec-fetch-site'] ?? 'none';
  const ours = site === 'same-origin' || site === 'none';
  if (!ours && request.headers['sec-fetch-mode'] !== 'navigate') {
    return { status: 403, text: 'Not for other sites.' };
  }
  return undefined;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** On every answer, rejections included. */
export const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Cache-Control': 'no-store',
};

/** For bytes of an output, which nobody vouches for: not even a script of ours runs beside them. */
export const RAW_HEADERS: Readonly<Record<string, string>> = {
  ...HEADERS,
  'Content-Security-Policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
};
