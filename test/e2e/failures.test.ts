/** Permanent failures, from a server that refuses some prompts for good, until it does not. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Event, emptyProject, type Project, ranNodes, removeProject } from '../helpers/project.ts';

/** Refuses a prompt that names the forbidden word while the file `forbidden` is there. */
const SERVER = `
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
const server = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { prompt, model } = JSON.parse(text);
  const refuse = existsSync('forbidden') && prompt.includes('volcano');
  response.writeHead(refuse ? 400 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(refuse
    ? { error: { message: 'This prompt violates the usage policy', type: 'invalid_request_error', code: 'content_policy_violation' } }
    : { model, choices: [{ text: 'an answer to ' + prompt.length + ' letters', finish_reason: 'stop' }], usage: { prompt_tokens: 10, completion_tokens: 5 } }));
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit());
`;

let project: Project;
let server: ChildProcess;

beforeAll(async () => {
  project = emptyProject();
  project.write('server.mjs', SERVER);
  project.write('forbidden', '');
  server = fork('server.mjs', { cwd: project.folder });
  const [port] = (await once(server, 'message')) as [number];
  const prompts = ['tea', 'a volcano', 'coffee', 'the moon', 'another volcano', 'rain'];
  project.write('prompts.jsonl', prompts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
  project.write(
    'providers.yaml',
    `providers:
  here: { type: openai, base_url: 'http://127.0.0.1:${port}/v1', concurrency: 2, timeout_seconds: 5, attempts: 2 }
models:
  local: { provider: here, model: local, template: llama4, bos: server, echo_tokens: 0 }
prices: prices.yaml
`,
  );
  project.write('prices.yaml', 'date: 2026-01-01\nmodels: { local: { input: 1, output: 1 } }\n');
  project.write('policy.yaml', "model: local\ndraw: p0\ntemperature: 0\nmax_tokens: 50\nprompt: '{{prompt}}'\n");
  project.write(
    'pipeline.yaml',
    `name: failing
default: responses
vars: { tolerate: 0.5 }
profiles:
  here: { providers: providers.yaml }
stages:
  prompts: { kind: prompts, params: { source: prompts.jsonl, samples: 6, seed: 1, language: any } }
  responses:
    kind: responses
    inputs: { prompts: prompts }
    params: { policy: policy.yaml }
    tolerate: \${tolerate}
`,
  );
});
afterAll(() => {
  server?.disconnect();
  removeProject(project);
});

it('are kept by item, are not asked again until told, and then complete the node', () => {
  const first = project.build();
  expect(first.stderr).toBe('');
  expect(first.finished).toMatchObject({ exit: 0, calls: { bought: 4, failed: 2 } });
  const shown = project.run('status', '--failures').stdout;
  expect(shown).toContain('responses: 2 items without a usable reply');
  expect(shown).toContain('usage policy');
  const items = project
    .run('status', '--failures', '--json')
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  expect(items).toHaveLength(2);
  expect(project.run('show', 'responses', items[0]!.item).stdout).toContain('failed for good');

  // Not asked again, not even by a stage that tolerates less and so fails.
  expect(project.build().finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0, failed: 0 } });
  expect(project.build('--set', 'tolerate=0.1').finished).toMatchObject({ exit: 1, calls: { bought: 0, failed: 0 } });
  expect(project.run('status', '--set', 'tolerate=0.1').stdout).toContain('incomplete');

  const vain = project.build('--retry-failed');
  expect(vain.finished).toMatchObject({ exit: 0, calls: { bought: 0, failed: 2 } });

  expect(project.run('plan', '--retry-failed', '--json').stdout).toContain('"calls":2');
});

it('end when the server answers', () => {
  rmSync(join(project.folder, 'forbidden'));
  const mended = project.build('--retry-failed');
  expect(mended.finished).toMatchObject({ exit: 0, calls: { bought: 2, failed: 0 } });
  expect(ranNodes(mended)).toEqual(['responses']);
  expect(project.run('status', '--failures').stdout).toContain('Nothing failed');
  expect(project.build('--set', 'tolerate=0').finished).toMatchObject({
    exit: 0,
    nodes: { run: 0 },
    calls: { bought: 0 },
  });
});
