import { expect, it } from 'vitest';
import type { Findings } from '../../src/doctor/run-probes.ts';
import { findingsText, settingsText, summaryText } from '../../src/terminal/doctor-text.ts';
import { painter } from '../../src/text/paint.ts';

const findings: Findings = {
  failed: 0,
  provider: {
    type: 'provider-checked',
    provider: 'lab',
    identity: 'http://lab/v1',
    checks: [{ name: 'key', status: 'ok', detail: 'LAB_KEY is set' }],
    settings: {},
  },
  models: [
    {
      type: 'model-checked',
      provider: 'lab',
      model: 'accounts/lab/models/scout',
      aliases: ['scout', 'the judge'],
      nodes: ['responses/p0', 'responses/pi_cot', 'logprobs/p0'],
      verdict: 'would-fail',
      checks: [
        {
          name: 'echo_tokens',
          status: 'failure',
          detail: '400 max_tokens must be\u001b[31m at least 1, got 0.',
          hint: "works with 'echo_tokens: 1'",
        },
        {
          name: 'boundary',
          status: 'ok',
          detail: 'found in: repeat, own answer, gibberish, unicode, newline, space, long',
        },
      ],
      settings: { echo_tokens: 1 },
      calls: 11,
      cost: 0.0007,
      unknown: 0,
    },
  ],
};

const plain = { paint: painter(false), columns: 80 };

it('fits eighty columns, lets no server steer the terminal, and ends with what mends', () => {
  expect(findingsText(findings, plain)).toBe(`lab  http://lab/v1
  ✓ key         LAB_KEY is set

  scout, the judge  accounts/lab/models/scout
    asked by 3 nodes: responses, logprobs
    ✗ echo_tokens 400 max_tokens must be\\e[31m at least 1, got 0.
                  hint: works with 'echo_tokens: 1'
    ✓ boundary    found in: repeat, own answer, gibberish, unicode, newline,
                  space, long
    would fail as it is written; the lines below mend it (11 calls, $0.0007)
`);
  expect(settingsText([findings], 'providers.yaml', plain)).toBe(`Found otherwise than providers.yaml says:

  models:
    scout:
      echo_tokens: 1
    "the judge":
      echo_tokens: 1

`);
  expect(summaryText([findings], ['spare'], plain)).toBe('would fail  scout, the judge\nnot needed  spare\n');
});

it('says nothing where nothing differs, and the same words with colours', () => {
  const [model] = findings.models;
  const sound = { ...findings, models: [{ ...model!, settings: {} }] };
  expect(settingsText([sound], 'providers.yaml', plain)).toBe('');
  const coloured = findingsText(findings, { ...plain, paint: painter(true) });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(findingsText(findings, plain));
  expect(coloured).not.toBe(findingsText(findings, plain));
});
