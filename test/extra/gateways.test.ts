/** Each example of docs/providers.md on gateways, against a server that is shaped like it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ForkedServer, forkServer } from '../helpers/forked.ts';
import { writeLab } from '../helpers/lab.ts';
import { emptyProject, type Project, ROOT, removeProject } from '../helpers/project.ts';

let project: Project;
let server: ForkedServer;

beforeEach(() => {
  project = emptyProject();
});
afterEach(() => {
  server.stop();
  removeProject(project);
});

/** The first block of YAML under a heading. */
function example(heading: string): string {
  const page = readFileSync(join(ROOT, 'docs/providers.md'), 'utf8');
  const section = page.slice(page.indexOf(`\n### ${heading}\n`));
  return /```yaml\n([\s\S]*?)```/.exec(section)![1]!;
}

interface Shape {
  readonly model: string;
  /** Of its address, what the test replaces by its own server's. */
  readonly host: string;
  readonly key?: string;
  readonly manner: object;
  /** The judged responses come from it too. */
  readonly raw?: true;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  LiteLLM: {
    model: 'judge',
    host: 'http://127.0.0.1:4000',
    key: 'LITELLM_KEY',
    manner: { key: 'sk-litellm-0123', models: ['judge'], names: ['gpt-4o-mini-2024-07-18'], refuses: ['top_k'] },
  },
  OpenRouter: {
    model: 'openai/gpt-4o-mini',
    host: 'https://openrouter.ai',
    key: 'OPENROUTER_API_KEY',
    manner: {
      base: '/api/v1',
      key: 'sk-or-0123',
      header: ['X-Title', 'evals'],
      models: ['openai/gpt-4o-mini'],
      reply: { provider: 'OpenAI', system_fingerprint: null },
      // What keeps a connection alive while the model thinks stands before the JSON.
      pad: '\n         \n\n         \n',
    },
  },
  vLLM: {
    model: 'meta-llama/Llama-4-Scout',
    host: 'http://127.0.0.1:8000',
    manner: {
      models: ['meta-llama/Llama-4-Scout'],
      listed: { root: '/models/scout', max_model_len: 131_072 },
      reply: { kv_transfer_params: null, prompt_logprobs: null },
    },
    raw: true,
  },
  "Ollama's chat": {
    model: 'llama3.1',
    host: 'http://127.0.0.1:11434',
    manner: { chatOnly: true, listed: { owned_by: 'library' }, reply: { system_fingerprint: 'fp_ollama' } },
  },
};

it.each(Object.keys(SHAPES))('%s', async (heading) => {
  const { model, host, key, manner, raw } = SHAPES[heading]!;
  server = await forkServer(project, 'openai', manner);
  writeLab(project, { url: server.url, judgeOnly: raw === undefined, items: 3 });
  const written = example(heading);
  expect(written).toContain(host);
  project.write(
    'prices.yaml',
    `date: 2026-01-01\nmodels:\n  sim-base: { input: 0, output: 0 }\n  ${model}: { input: 1, output: 4 }\n`,
  );
  project.write(
    'providers.yaml',
    written
      .replace(host, server.url)
      .replace('configs/prices.yaml', 'prices.yaml')
      .replace('providers:\n', 'providers:\n  sim: { type: simulator }\n')
      .replace('models:\n', 'models:\n  base: { provider: sim, model: sim-base, template: llama4 }\n'),
  );
  project.edit('judge.yaml', 'model: lab', 'model: judge');
  if (raw) project.edit('policy.yaml', 'model: lab', 'model: judge');
  const secret = (manner as { key?: string }).key;
  const variables: Record<string, string> = key === undefined || secret === undefined ? {} : { [key]: secret };

  const doctor = project.runWith(variables, 'doctor', '--yes');
  expect(doctor.stdout).toMatch(/^ok {2}/m);
  expect(doctor.stdout).not.toContain('would fail');
  expect(doctor.exit).toBe(0);
  const built = project.runWith(variables, 'build', '--yes', '--json');
  expect(built.finished).toMatchObject({ exit: 0, calls: { bought: 6, failed: 0 } });
  const answered = raw ? 6 : 3;
  expect(built.finished.cost.billed).toBeCloseTo((answered * (20 + 5 * 4)) / 1e6, 12);
  expect(project.runWith(variables, 'build', '--yes', '--json').finished).toMatchObject({ nodes: { run: 0 } });
});
