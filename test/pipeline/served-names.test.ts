import { describe, expect, it } from 'vitest';
import { EXPERIMENT, load } from './fixture.ts';

const file = (scout: string, judge = '') => ({
  ...EXPERIMENT,
  'configs/simulator.yaml': `providers:
  sim: { type: openai, base_url: https://api.example.com/v1 }
models:
  scout: { provider: sim, model: m${scout} }
  judge: { provider: sim, model: m${judge} }
prices: configs/prices.yaml
`,
});

describe('under which names a model may answer', () => {
  it('is read, shared by all aliases of the model, and enters no key', () => {
    const graph = load(file(', answers_as: [a]', ', answers_as: [b, a], model_mismatch: note, one_snapshot: true'));
    const rule = {
      identity: 'https://api.example.com/v1',
      model: 'm',
      answersAs: ['a', 'b'],
      mismatch: 'note',
      oneSnapshot: true,
    };
    expect(graph.served).toEqual([rule]);
    const plain = load(file(''));
    expect(plain.served).toBeUndefined();
    expect([...graph.nodes.values()].map(({ params }) => params)).toEqual(
      [...plain.nodes.values()].map(({ params }) => params),
    );
  });

  it.each([
    [', answers_as: cheap', /answers_as/],
    [', answers_as: [""]', /answers_as/],
    [', model_mismatch: ignore', /model_mismatch/],
    [', one_snapshot: yes please', /one_snapshot/],
  ])('refuses %s', (settings, message) => {
    expect(() => load(file(settings))).toThrow(message);
  });
});
