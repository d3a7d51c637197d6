/** What the tries of one call come to, against a client that makes them as it is told. */

import { expect, it } from 'vitest';
import type { ProviderClient, TryOutcome } from '../../src/core/provider-port.ts';
import { buyCall } from '../../src/replies/http.ts';
import { NOT_BILLED } from '../engine/money.ts';
import { order } from '../providers/support.ts';

const REPLY = { ok: true, raw: '{}', usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 } } as const;
const never = new AbortController().signal;

/** Each try costs a dollar where it is billed, and reserves two. */
function bought(tries: readonly TryOutcome[], begin?: () => Promise<() => Promise<void>>) {
  const settled: TryOutcome[] = [];
  const spend = {
    admit: async () => ({
      dollars: 2,
      settle(outcome: TryOutcome) {
        settled.push(outcome);
        const { billed } = outcome;
        return { dollars: billed === 'no' ? 0 : billed === 'maybe' ? 2 : 1, certain: billed !== 'maybe' };
      },
    }),
  };
  const client: Pick<ProviderClient, 'buy'> = {
    async buy(sent, { admit }) {
      for (const [index, outcome] of tries.entries()) {
        const permit = await admit(sent, index + 1);
        if (!('class' in permit)) permit.settle(outcome);
      }
      return REPLY;
    },
  };
  const options = { signal: never, drain: never, onRetry: () => {}, ...(begin === undefined ? {} : { begin }) };
  const result = buyCall(client as ProviderClient, spend, order({ model: 'm' }), 'm', options);
  return { result, settled };
}

it('every try that was billed is paid for, and what nobody knows stands beside it', async () => {
  const usage = { billed: REPLY.usage };
  const { result } = bought([usage, { billed: 'maybe' }, NOT_BILLED, usage]);
  expect(await result).toMatchObject({ billed: 2, unknown: 2, tries: 4, last: { dollars: 1, certain: true } });
});

it('a try that could not be written down was not made: it costs nothing, and counts as none', async () => {
  const { result, settled } = bought([{ billed: 'maybe' }], () => Promise.reject(new Error('the disk is full')));
  await expect(result).rejects.toThrow('the disk is full');
  expect(settled).toEqual([{ billed: 'no', unsent: true }]);
});
