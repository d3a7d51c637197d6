/** A Redis of a test's own: Debian's server on a free port, in a folder that goes with it. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface OwnRedis {
  readonly url: string;
  /** Ends the server at once, as a crash does, and keeps its files. */
  crash(): Promise<void>;
  /** Starts it again on the same port, with what its files hold. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when a process has written these words, and reads on: a reader that leaves would end it. */
export function said(stream: Readable, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-10_000);
      if (text.includes(words)) resolve();
    });
    stream.once('end', () => reject(new Error(`it ended before it said ${words}: ${text}`)));
  });
}

export async function startRedis(): Promise<OwnRedis> {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    throw new Error(
      'these tests need redis-server: `apt-get install redis-server`, or another of version 7 on the PATH',
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'cje-redis-'));
  const port = await freePort();
  let server: ChildProcess;
  const start = async () => {
    const options = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'yes',
    ];
    server = spawn('redis-server', [...options, '--appendfsync', 'always'], { stdio: ['ignore', 'pipe', 'ignore'] });
    await said(server.stdout!, 'Ready to accept connections');
  };
  const end = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    crash: end,
    restart: start,
    stop: async () => {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
