import { describe, expect, it } from 'vitest';
import { EXPERIMENT, load } from './fixture.ts';

const file = (settings: string) => ({
  ...EXPERIMENT,
  'configs/ca.pem': 'a certificate\n',
  'configs/simulator.yaml': `providers:
  sim:
    type: openai
    base_url: https://api.example.com/v1
${settings
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
models:
  scout: { provider: sim, model: m }
  judge: { provider: sim, model: j }
prices: configs/prices.yaml
`,
});

describe('how a provider is reached', () => {
  it('is read, and enters no key', () => {
    const graph = load(
      file(`keys: [FIRST, SECOND]
key_header: api-key
headers: { X-Team: evals }
query: { api-version: 2024-10-21 }
organization: org-1
project: proj-1
ca_file: configs/ca.pem`),
    );
    expect(graph.providers[0]).toMatchObject({
      identity: 'https://api.example.com/v1',
      keyVariable: 'FIRST',
      access: {
        fallbackKeys: ['SECOND'],
        keyHeader: 'api-key',
        headers: { 'X-Team': 'evals', 'OpenAI-Organization': 'org-1', 'OpenAI-Project': 'proj-1' },
        query: { 'api-version': '2024-10-21' },
        caFile: expect.stringMatching(/configs\/ca\.pem$/),
      },
    });
    const params = (loaded: typeof graph) => [...loaded.nodes.values()].map((node) => node.params);
    expect(params(graph)).toEqual(params(load(file('key: FIRST'))));
  });

  it.each([
    ['headers: { Authorization: Bearer sk-live-0123456789 }', /is a header that cje writes itself/],
    ['headers: { "two words": x }', /must be the name of a header/],
    ['keys: [sk-live-0123456789]', /must be the name of an environment variable/],
    ['key: A\nkey_command: print-key', /credential comes from 'key' or 'key_command', not both/],
    ['ca_file: configs/missing.pem', /missing\.pem/],
  ])('is refused where it is wrong: %s', (settings, words) => {
    let told = '';
    try {
      load(file(settings));
    } catch (error) {
      told =
        JSON.stringify(error, Object.getOwnPropertyNames(error)) +
        JSON.stringify((error as { problems?: unknown }).problems);
    }
    expect(told).toMatch(words);
    expect(told.replaceAll('configs', '')).not.toContain('sk-live-0123456789"');
  });
});
