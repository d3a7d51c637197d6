/** What the doctor says at its end, as the event that programs read and as the line that people do. */

import { describe, expect, it } from 'vitest';
import { Telling } from '../../src/cli/doctor-telling.ts';
import type { ModelChecked } from '../../src/doctor/events.ts';
import type { Findings } from '../../src/doctor/run-probes.ts';

const checked = { provider: 'lab', checks: [], settings: {} };
const model = (name: string, calls: number, cost: number, unknown: number): ModelChecked => ({
  ...{ ...checked, type: 'model-checked', model: name, aliases: [name], nodes: [], verdict: 'ok' },
  ...{ calls, cost, unknown },
});
const findings: readonly Findings[] = [
  {
    provider: { ...checked, type: 'provider-checked', identity: 'http://lab/v1' },
    models: [model('a', 5, 0.25, 0), model('b', 2, 0.5, 1)],
    failed: 3,
  },
];
const conclusion = { exit: 1, milliseconds: 1234.6, file: 'providers.yaml', unused: [] } as const;

async function told(json: boolean): Promise<string> {
  let text = '';
  const print = (part: string) => {
    text += part;
  };
  await new Telling({ json, color: false, width: 100, print }).conclude(findings, conclusion);
  return text;
}

describe('the end of an examination', () => {
  it('adds up calls, failures and dollars over the models', async () => {
    expect(JSON.parse(await told(true))).toMatchObject({
      type: 'finished',
      exit: 1,
      milliseconds: 1235,
      calls: { bought: 4, cached: 0, failed: 3 },
      cost: { billed: 0.75, unknown: 1 },
    });
  });

  it('is a line for people, which names what is set aside', async () => {
    expect(await told(false)).toContain('7 calls, $0.7500 and $1.00 reserved for unknown outcomes, 1.2 s');
  });
});
