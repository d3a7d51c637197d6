import { describe, expect, it } from 'vitest';
import { report } from '../../src/kinds/report.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { EXPERIMENT, KINDS, load } from './fixture.ts';

const PIPELINE = `name: priced
profiles:
  lab: { providers: configs/simulator.yaml }
stages:
  first: { kind: tables, params: { title: x, prices: configs/prices.yaml } }
  second: { kind: tables, params: { title: y } }
`;
const PRICES = `date: 2026-07-01
models:
  m: { input: 1, output: 2 }
  sim/m: { input: 3, cached_input: 0.5, output: 4 }
  other/m: { input: 9, output: 9 }
`;
const PROVIDERS = `providers:
  sim: { type: openai, base_url: 'https://lab.example/v1' }
models:
  scout: { provider: sim, model: m }
prices: configs/prices.yaml
`;

describe('a price by the name of a provider', () => {
  const kinds = new Map(KINDS).set('tables', { ...report, name: 'tables', inputs: {} });
  const graph = load(
    { ...EXPERIMENT, 'pipeline.yaml': PIPELINE, 'configs/prices.yaml': PRICES, 'configs/simulator.yaml': PROVIDERS },
    { kinds },
  );
  const million = { inputTokens: 1_000_000, cachedInputTokens: 0, outputTokens: 0 };

  it('is the price of the build, and of no other provider', () => {
    const book = createPriceBook(graph.prices, graph.providers);
    expect(book.cost('https://lab.example/v1', 'm', million)).toBe(3);
    expect(book.cost('https://elsewhere.example', 'm', million)).toBe(1);
    expect(graph.prices.models['https://lab.example/v1/m']).toEqual({ input: 3, cachedInput: 0.5, output: 4 });
  });

  it('is in the parameters of a kind by the identity, in the form in which it is written', () => {
    expect(graph.nodes.get('first')?.params.prices).toEqual({
      date: '2026-07-01',
      models: {
        m: { input: 1, output: 2 },
        'sim/m': { input: 3, cached_input: 0.5, output: 4 },
        'other/m': { input: 9, output: 9 },
        'https://lab.example/v1/m': { input: 3, cached_input: 0.5, output: 4 },
      },
    });
    expect(graph.nodes.get('second')?.params).toEqual({ title: 'y' });
  });

  it('is read through a provider file, which names the table', () => {
    const pipeline = PIPELINE.replace('prices: configs/prices.yaml', 'prices: configs/simulator.yaml');
    const files = { ...EXPERIMENT, 'configs/prices.yaml': PRICES, 'configs/simulator.yaml': PROVIDERS };
    const through = load({ ...files, 'pipeline.yaml': pipeline }, { kinds });
    expect(through.nodes.get('first')?.params).toEqual(graph.nodes.get('first')?.params);
  });
});

describe('a price that the table lacks', () => {
  const kinds = new Map(KINDS).set('tables', { ...report, name: 'tables', inputs: {} });
  const providers = `providers:
  sim: { type: openai, base_url: 'https://lab.example/v1' }
models:
  scout: { provider: sim, model: m }
  judge: { provider: sim, model: n }
prices: configs/prices.yaml
`;
  const files = { ...EXPERIMENT, 'pipeline.yaml': PIPELINE, 'configs/prices.yaml': PRICES };
  const asked: string[] = [];
  const knownPrice = (url: string, model: string) => {
    asked.push(`${url} ${model}`);
    return { input: 5, output: 6, date: '2026-09-23', source: 'library 1' };
  };
  const open = (text: string, more: object = {}) =>
    load({ ...files, 'configs/simulator.yaml': text }, { kinds, ...more });

  it('is missed, looked up for that model alone, and a part of the key of what shows it', () => {
    expect(open(PROVIDERS).unpriced).toBeUndefined();
    expect(open(providers).unpriced).toBe(true);
    const graph = open(providers, { knownPrice });
    expect(asked).toEqual(['https://lab.example/v1 n']);
    expect(graph.unpriced).toBeUndefined();
    expect(graph.prices.models['https://lab.example/v1/n']).toEqual({
      input: 5,
      output: 6,
      date: '2026-09-23',
      source: 'library 1',
    });
    const { models } = graph.nodes.get('first')!.params.prices as { models: object };
    expect(models).toMatchObject({ 'https://lab.example/v1/n': { input: 5, output: 6 } });
    expect(Object.keys(models)).toHaveLength(5);
    expect(open(PROVIDERS, { knownPrice }).nodes.get('first')).toEqual(open(PROVIDERS).nodes.get('first'));
  });

  it('is no matter of a simulator', () => {
    const simulated = providers.replace("type: openai, base_url: 'https://lab.example/v1'", 'type: simulator');
    expect(open(simulated).unpriced).toBeUndefined();
  });
});
