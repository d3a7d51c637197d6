/** Models that run on this machine, as a provider file names them. */

import { describe, expect, it } from 'vitest';
import type { ModelFile, ReadModelFile } from '../../src/core/local-engine.ts';
import { EXPERIMENT, load, mistakes } from './fixture.ts';

const FILE: ModelFile = {
  sha256: 'ab'.repeat(32),
  name: 'Tiny 1B (instruct)',
  context: 4096,
  template: "{{ bos_token }}{{ messages[0]['content'] }}",
  bos: '<s>',
  eos: '</s>',
  special: ['</s>', '<s>'],
};
const modelFile: ReadModelFile = (path) =>
  path.endsWith('broken.gguf') ? { ok: false, reason: 'is no GGUF file' } : { ok: true, file: FILE };

const files = (provider: string, model: string) => ({
  ...EXPERIMENT,
  'configs/models/tiny.gguf': 'read by whoever is asked to',
  'configs/models/broken.gguf': 'the same',
  'configs/simulator.yaml': `providers:
  local: { type: llama${provider} }
models:
  scout: { provider: local, model: ${model} }
  judge: { provider: local, model: configs/models/tiny.gguf }
`,
});
const graphOf = (provider = '', model = 'configs/models/tiny.gguf') => load(files(provider, model), { modelFile });

describe('a model that runs on this machine', () => {
  it('is called by its name and its bytes, is forced by ids, and brings its template', () => {
    const graph = graphOf();
    expect(graph.aliases?.get('scout')).toMatchObject({
      identity: 'llama:node-llama-cpp@3.22.1',
      model: 'Tiny-1B-instruct-@abababababababab',
      dialect: {
        forcing: 'generate',
        template: 'file',
        jinja: { source: FILE.template, bos: '<s>', special: FILE.special, variables: {} },
      },
    });
    expect(JSON.stringify([...graph.nodes.values()].map(({ params }) => params))).not.toContain('.gguf');
    expect(graph.consulted.some((path) => path.endsWith('tiny.gguf'))).toBe(true);
  });

  it('is handed to the engine with its path, and costs nothing', () => {
    const { providers, prices, unpriced } = graphOf(', context: 512, threads: 2');
    expect(providers).toMatchObject([
      {
        type: 'llama',
        limits: { concurrency: 1, timeoutSeconds: 1800, attempts: 2 },
        options: { context: 512, threads: 2, gpu: false, engine: '3.22.1' },
      },
    ]);
    expect(Object.keys(providers[0]?.options.models ?? {})).toEqual(['Tiny-1B-instruct-@abababababababab']);
    expect(prices.models['llama:node-llama-cpp@3.22.1/Tiny-1B-instruct-@abababababababab']).toMatchObject({
      input: 0,
      output: 0,
    });
    expect(unpriced).toBeUndefined();
  });

  it('is another one on another engine, and the same with other room and threads', () => {
    const identity = (provider: string) => graphOf(provider).providers[0]?.identity;
    expect(identity(', engine: 3.23.0')).toBe('llama:node-llama-cpp@3.23.0');
    expect(identity(', gpu: true')).toBe('llama:node-llama-cpp@3.22.1/gpu');
    expect(identity(', context: 512, threads: 4')).toBe('llama:node-llama-cpp@3.22.1');
  });

  it('takes a template of ours, and what its own is to be rendered with', () => {
    const dialect = (settings: string) =>
      graphOf('', `configs/models/tiny.gguf, ${settings}`).aliases?.get('scout')?.dialect;
    expect(dialect('template: llama4')).toMatchObject({ template: 'llama4' });
    expect(dialect('template_variables: { enable_thinking: false }')?.jinja?.variables).toEqual({
      enable_thinking: false,
    });
    expect(dialect('forcing: text')).toMatchObject({ forcing: 'text' });
  });

  it('is a mistake with its place where there is no such file, or it is none', () => {
    const broken = mistakes(files('', 'configs/models/broken.gguf'), { modelFile });
    expect(broken).toContain("'configs/models/broken.gguf' is no GGUF file");
    expect(broken).toContain('configs/simulator.yaml:4:');
    expect(mistakes(files('', 'configs/models/tinny.gguf'), { modelFile })).toContain(
      "Did you mean 'configs/models/tiny.gguf'?",
    );
    expect(mistakes(files(', engine: latest', 'configs/models/tiny.gguf'), { modelFile })).toContain(
      'must be a release of node-llama-cpp, such as 3.22.1',
    );
  });
});
