/** Prompts from an address: fetched once, by the bundled command. */

import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Project, removeProject, shippedProject } from '../helpers/project.ts';

const PROMPTS = ['tea', 'coffee', 'rain']
  .map((prompt) => `${JSON.stringify({ prompt: `What is ${prompt}?` })}\n`)
  .join('');
const SERVER = `
import { createServer } from 'node:http';
const server = createServer((request, response) => response.end(${JSON.stringify(PROMPTS)}));
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit());
`;

let project: Project;
let server: ChildProcess;
beforeEach(() => {
  project = shippedProject({ samples: 3 });
});
afterEach(() => {
  if (server.connected) server.disconnect();
  removeProject(project);
});

it('are there for good once they are fetched, and refused where they are not what was meant', async () => {
  project.write('server.mjs', SERVER);
  server = fork('server.mjs', { cwd: project.folder });
  const [port] = (await once(server, 'message')) as [number];
  const from = (sha256: string) => [
    'prompts',
    '--set',
    `prompts_source=http://127.0.0.1:${port}/prompts.jsonl`,
    '--set',
    `prompts_sha256="${sha256}"`,
  ];
  const sha256 = createHash('sha256').update(PROMPTS).digest('hex');
  const other = project.build(...from('0'.repeat(64)));
  expect(other.finished.exit).toBe(1);
  expect(JSON.stringify(other.events)).toContain(sha256);

  expect(project.build(...from(sha256)).finished).toMatchObject({ exit: 0, nodes: { run: 1 } });
  server.disconnect();
  expect(project.build(...from(sha256)).finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
});
