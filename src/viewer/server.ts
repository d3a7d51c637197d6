/** The viewer's server: one process, one reader, on this machine alone. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { portProblem } from '../core/port-problem.ts';
import { answer } from './answer.ts';
import { HEADERS, rejectionOf } from './guard.ts';
import type { BuildSource } from './model/build-source.ts';
import type { HttpAnswer } from './routes.ts';

interface Viewer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const ADDRESS = '127.0.0.1';

/**
 * Serves until it is closed.
 *
 * @param port 0 for any that is free.
 * @throws ProblemError for a port that cannot be had
 */
export async function startViewer(source: BuildSource, port: number): Promise<Viewer> {
  let bound = port;
  // One request after the other: all of them read the same store, and one may open it anew.
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    const mine = last.then(() => reply(request, source, bound));
    last = mine.catch(() => {});
    mine.then(
      (answered) => send(request, response, answered),
      // What answers is in charge of its errors; what is left is a bug of ours.
      (error: unknown) => send(request, response, plain(500, String(error instanceof Error ? error.message : error))),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portProblem(port, error, FREE_PORT)));
    server.listen(port, ADDRESS, resolve);
  });
  bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${ADDRESS}:${bound}/`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function reply(request: IncomingMessage, source: BuildSource, port: number): Promise<HttpAnswer> {
  const rejection = rejectionOf(request, port);
  if (rejection !== undefined) return plain(rejection.status, rejection.text);
  return answer(request.url ?? '/', source);
}

const FREE_PORT = 'leave --port out for any that is free; the address is printed';

const plain = (status: number, text: string): HttpAnswer => ({
  status,
  headers: { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' },
  body: `${text}\n`,
});

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  const bytes = Buffer.from(body, 'utf8');
  const allow = status === 405 ? { Allow: 'GET, HEAD' } : {};
  response.writeHead(status, { ...headers, ...allow, 'Content-Length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
