/** A model's own chat template, named in the provider file. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EXPERIMENT, load, mistakes } from './fixture.ts';

const CONFIG = JSON.stringify({
  chat_template: "{{ bos_token }}{{ messages[0]['content'] }}",
  bos_token: { content: '<s>' },
  added_tokens_decoder: { 1: { content: '<s>', special: true }, 2: { content: 'word', special: false } },
});

const files = (settings: string, more: Readonly<Record<string, string>> = {}) => ({
  ...EXPERIMENT,
  'configs/tokenizer_config.json': CONFIG,
  'configs/own.jinja': 'Q: {{ messages[0].content }}',
  ...more,
  'configs/simulator.yaml': `providers:
  sim: { type: openai, base_url: 'https://api.example.com/v1' }
models:
  scout: { provider: sim, model: m, ${settings} }
  judge: { provider: sim, model: j }
prices: configs/prices.yaml
`,
});
const dialectOf = (settings: string, more = {}) => load(files(settings, more)).aliases?.get('scout')?.dialect;

describe("a model's own chat template", () => {
  it("is read from the model's configuration, and no path enters a key", () => {
    expect(
      dialectOf('template: configs/tokenizer_config.json, template_variables: { enable_thinking: false }'),
    ).toMatchObject({
      template: 'file',
      jinja: {
        source: "{{ bos_token }}{{ messages[0]['content'] }}",
        bos: '<s>',
        variables: { enable_thinking: false },
        special: ['<s>'],
      },
    });
    const digest = createHash('sha256').update(CONFIG).digest('hex');
    expect(dialectOf(`template: configs/tokenizer_config.json, template_sha256: ${digest}`)).toBeDefined();
  });

  it('is read from a file of Jinja, with the beginning of texts beside it', () => {
    expect(dialectOf('template: configs/own.jinja, bos_token: null')).toMatchObject({
      jinja: { source: 'Q: {{ messages[0].content }}', bos: null, special: [] },
    });
  });

  it('takes the default one of several, and no beginning that nobody writes', () => {
    const several = JSON.stringify({
      chat_template: [
        { name: 'tool_use', template: 'tools' },
        { name: 'default', template: 'plain' },
      ],
      bos_token: '<s>',
      add_bos_token: false,
    });
    const told = dialectOf('template: configs/several.json', { 'configs/several.json': several });
    expect(told).toMatchObject({ jinja: { source: 'plain', bos: null } });
    // As gpt-oss, whose configuration names a token that nobody writes.
    const named = dialectOf('template: configs/named.json', {
      'configs/named.json': JSON.stringify({ chat_template: 'plain', bos_token: '<|startoftext|>' }),
    });
    expect(named).toMatchObject({ jinja: { bos: null } });
  });

  it('is told the token that ends turns, where it asks for it', () => {
    const config = JSON.stringify({ chat_template: 'x{{ eos_token }}', bos_token: null, eos_token: '</s>' });
    const more = { 'configs/ends.json': config };
    expect(dialectOf('template: configs/ends.json', more)?.jinja?.variables).toEqual({ eos_token: '</s>' });
    const other = dialectOf('template: configs/ends.json, template_variables: { eos_token: x }', more);
    expect(other?.jinja?.variables).toEqual({ eos_token: 'x' });
  });

  it.each([
    ['template: configs/missing.json', /missing\.json' does not exist/],
    [
      `template: configs/own.jinja, bos_token: null, template_sha256: '${'0'.repeat(64)}'`,
      /not the one that is pinned/,
    ],
    ['template: configs/own.jinja', /Nothing says whether texts of this model begin with a token/],
    ['template: configs/prices.json', /has no 'chat_template'/],
  ])('is refused where it cannot be used: %s', (settings, words) => {
    expect(mistakes(files(settings, { 'configs/prices.json': '{}' }))).toMatch(words);
  });
});
