/** A server of `test/servers` in a process of its own, for tests that run the command and wait for it. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { type Project, ROOT } from './project.ts';

export interface ForkedServer {
  readonly url: string;
  /** Sends a message and waits for what is answered. */
  tell(message: string | object): Promise<unknown>;
  stop(): void;
}

/** @param manner how it differs from a plain server. */
export async function forkServer(project: Project, name: string, manner: object = {}): Promise<ForkedServer> {
  const source = readFileSync(join(ROOT, `test/servers/${name}.ts`), 'utf8');
  project.write(`${name}-server.mjs`, transformSync(source, { loader: 'ts', format: 'esm' }).code);
  const server: ChildProcess = fork(`${name}-server.mjs`, [JSON.stringify(manner)], { cwd: project.folder });
  const [port] = (await once(server, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}`,
    async tell(message) {
      const answered = once(server, 'message');
      server.send(message);
      const [answer] = (await answered) as [unknown];
      return answer;
    },
    stop: () => void server.kill(),
  };
}
