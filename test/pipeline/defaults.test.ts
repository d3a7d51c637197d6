/** What holds where a file says nothing, and what a limit that is written says: each number once, by hand. */

import { describe, expect, it } from 'vitest';
import type { Provider } from '../../src/core/graph.ts';
import { batchEntry, batchSettings } from '../../src/pipeline/batch-settings.ts';
import { edited, load, mistakes } from './fixture.ts';

const MEGABYTES = 1024 * 1024;

describe('the batches of a provider', () => {
  const settings = (
    written: object | false | undefined,
    type: Provider['type'] = 'openai',
    baseUrl: string | undefined = 'https://api.openai.com/v1',
  ) =>
    batchSettings(written === undefined ? undefined : batchEntry.parse(written), {
      type,
      protocol: undefined,
      baseUrl,
    });

  it('have these limits where the file says nothing', () => {
    const plain = {
      api: 'openai',
      rows: 50_000,
      bytes: 64 * MEGABYTES,
      echo: false,
      price: 0.5,
      pollSeconds: 10,
      graceSeconds: 120,
      patienceSeconds: 1800,
    };
    expect(settings(undefined)).toEqual(plain);
    expect(settings(undefined, 'anthropic')).toEqual({ ...plain, api: 'anthropic', rows: 100_000 });
    expect(settings(undefined, 'simulator')).toEqual({ ...plain, pollSeconds: 0.2 });
    expect(settings({ account: 'lab' }, 'openai', 'https://api.fireworks.ai/inference/v1')).toEqual({
      ...plain,
      api: 'fireworks',
      baseUrl: 'https://api.fireworks.ai/v1/accounts/lab',
      rows: 100_000,
    });
  });

  it('are no larger than the API takes, whatever the file asks for', () => {
    const asked = { rows: 2_000_000, bytes: 1_000_000_000 };
    expect(settings(asked)).toMatchObject({ rows: 50_000, bytes: 64 * MEGABYTES });
    expect(settings({ ...asked, api: 'fireworks', account: 'lab' })).toMatchObject({ rows: 1_000_000, bytes: 5e8 });
    expect(settings({ rows: 7, bytes: 8, enqueued_tokens: 9, poll_seconds: 3 })).toMatchObject({
      rows: 7,
      bytes: 8,
      enqueuedTokens: 9,
      pollSeconds: 3,
    });
  });

  it.each([
    ['a provider that is to make none', false, 'https://api.openai.com/v1'],
    ['a host that nobody knows', undefined, 'https://openai.com/v1'],
    ['one that only ends like it', undefined, 'https://api.openai.com.example/v1'],
    ['an address that is none yet', undefined, 'port'],
    ['Fireworks without an account', { api: 'fireworks' }, 'https://api.fireworks.ai/inference/v1'],
  ])('are none of %s', (_, written, baseUrl) => {
    expect(settings(written as object | false | undefined, 'openai', baseUrl)).toBeUndefined();
  });
});

describe('a provider', () => {
  const of = (more: string) =>
    load(
      edited('configs/simulator.yaml', [
        '    type: simulator\n    options: { seed: 1 }\n',
        `    type: openai\n    base_url: http://lab/v1\n${more}`,
      ]),
    ).providers[0]!;

  it('has 32 calls in flight, two minutes for each and six tries of it, and no rate', () => {
    expect(of('').limits).toEqual({ concurrency: 32, timeoutSeconds: 120, attempts: 6 });
  });

  it('has the rates that the file says, each its own', () => {
    expect(of('    requests_per_minute: 7\n    tokens_per_minute: 9000\n    attempts: 2\n').limits).toEqual({
      requestsPerMinute: 7,
      tokensPerMinute: 9000,
      concurrency: 32,
      timeoutSeconds: 120,
      attempts: 2,
    });
  });
});

describe('another model than the one that was asked', () => {
  const served = (more: string) =>
    load(edited('configs/simulator.yaml', ['model: sim-judge', `model: sim-judge, answers_as: [other]${more}`])).served;

  it('is refused, unless the file takes note of it alone', () => {
    expect(served('')).toMatchObject([{ model: 'sim-judge', answersAs: ['other'], mismatch: 'refuse' }]);
    expect(served(', model_mismatch: note')).toMatchObject([{ mismatch: 'note' }]);
  });
});

describe('a pipeline', () => {
  const budget = (text: string) => load(edited('pipeline.yaml', ['stages:\n', `${text}stages:\n`])).budget;

  it('asks before it spends more than a dollar, and has no cap, unless it says otherwise', () => {
    const { budget: plain } = load(edited('pipeline.yaml'));
    expect(plain).toEqual({ confirmAbove: 1 });
    expect(budget('')).toEqual(plain);
    expect(budget('budget: { confirm_above: 3, max_cost: 0, max_calls: 5 }\n')).toEqual({
      confirmAbove: 3,
      maxCost: 0,
      maxCalls: 5,
    });
    expect(budget('budget: { max_cost: null }\n')).toEqual(plain);
  });

  it('tolerates nothing that is missing, and leaves the lane to others, unless a stage says otherwise', () => {
    const nodeWith = (more: string) =>
      load(edited('pipeline.yaml', ['    kind: prompts\n', `    kind: prompts\n${more}`]));
    const of = (more: string) => {
      const { tolerate, lane } = nodeWith(more).nodes.get('prompts')!;
      return [tolerate, lane];
    };
    expect(of('')).toEqual([0, undefined]);
    expect(of('    tolerate: 0.25\n')).toEqual([0.25, undefined]);
    expect(of('    lane: online\n')).toEqual([0, 'online']);
    expect(of('    lane: batch\n')).toEqual([0, 'batch']);
    expect(
      mistakes(edited('pipeline.yaml', ['    kind: prompts\n', '    kind: prompts\n    tolerate: 2\n'])),
    ).toContain('tolerate');
  });
});
