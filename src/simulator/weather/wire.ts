/** Puts an answer on the connection as its passage says. */

import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Reply } from '../world/index.ts';
import type { Passage } from './strike.ts';

/** Pieces in which a spread body is sent. */
const PIECES = 10;

export async function deliver(response: ServerResponse, reply: Reply, passage: Passage): Promise<void> {
  const { manner, waitMilliseconds = 0, spreadMilliseconds = 0, gzip = false } = passage;
  if (manner === 'hang') return;
  if (manner === 'reset') return void response.socket?.resetAndDestroy();
  if (waitMilliseconds > 0) await pause(waitMilliseconds);
  for (const status of passage.interim ?? []) {
    if (status === 100) response.writeContinue();
    else response.writeEarlyHints({ link: '</style.css>; rel=preload' });
  }
  const plain = Buffer.from(passage.text ?? JSON.stringify(reply.body));
  const body = gzip ? gzipSync(plain) : plain;
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    ...(reply.status === 204 ? {} : { 'content-length': body.length }),
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    ...passage.headers,
  });
  if (manner === 'cut') {
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.resetAndDestroy());
    return;
  }
  if (spreadMilliseconds > 0) {
    const size = Math.max(1, Math.ceil(body.length / PIECES));
    for (let at = 0; at < body.length && !response.destroyed; at += size) {
      response.write(body.subarray(at, at + size));
      await pause(spreadMilliseconds / PIECES);
    }
    response.end();
    return;
  }
  response.end(body);
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
