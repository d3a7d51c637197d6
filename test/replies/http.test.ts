/** What the tries of one call come to, against a client that makes them as it is told. */

import { expect, it } from 'vitest';
import type { BuildEvent } from '../../src/core/events.ts';
import type { ProviderClient, TryOutcome } from '../../src/core/provider-port.ts';
import { keyCall } from '../../src/engine/keys.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { buyCall, http } from '../../src/replies/http.ts';
import { Intents } from '../../src/replies/intents.ts';
import { newMeter } from '../../src/replies/source.ts';
import { NOT_BILLED } from '../engine/money.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { toyRequest } from '../helpers/toy.ts';
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
        if ('class' in permit) continue;
        await permit.ready?.();
        permit.settle(outcome);
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

it.each<[string, readonly TryOutcome[], object, object]>([
  // What the first try cost is no part of this reply: the build's record has it.
  ['billed', [{ billed: REPLY.usage }, { billed: REPLY.usage }], { cost: 1 }, { cost: 2, unknown: 0 }],
  ['not billed', [NOT_BILLED], {}, { cost: 0, unknown: 0 }],
  ['perhaps billed at last', [{ billed: 'maybe' }], {}, { cost: 0, unknown: 2 }],
  ['perhaps billed', [{ billed: 'maybe' }, { billed: REPLY.usage }], { cost: 1 }, { cost: 1, unknown: 2 }],
])('a failure for good that was %s is kept with what is certain of it', async (_, tries, cost, sums) => {
  const store = memoryStore();
  const events: BuildEvent[] = [];
  const failure = { class: 'permanent', reason: 'refused', message: 'no' } as const;
  const call = keyCall(toyRequest('one', 'a'));
  const client: ProviderClient = {
    async buy(sent, { admit }) {
      for (const [index, outcome] of tries.entries()) {
        const permit = await admit(sent, index + 1);
        if ('class' in permit) continue;
        await permit.ready?.();
        permit.settle(outcome);
      }
      return { ok: false, failure, raw: 'words' };
    },
    concurrency: () => 1,
    close: async () => {},
  };
  const source = http({
    calls: store.calls,
    client: async () => client,
    spend: {
      admit: async () => ({
        dollars: 2,
        settle: ({ billed }) => ({
          dollars: billed === 'no' ? 0 : billed === 'maybe' ? 2 : 1,
          certain: billed !== 'maybe',
        }),
      }),
    },
    intents: new Intents(store.intents, () => 7),
    protocols: protocolAt,
    now: () => 7,
    emit: (event) => events.push(event),
    signal: never,
    drain: never,
  });
  const meter = newMeter();
  expect(await source.get(call, { node: 'n', meter })).toEqual({ type: 'failure', failure });
  expect(store.calls.failure(call.key)).toEqual({
    request: call.text,
    failure,
    failedAt: 7,
    node: 'n',
    raw: 'words',
    ...cost,
  });
  expect(meter).toMatchObject({ bought: 0, failed: 1, ...sums });
  expect(events).toEqual([]);
});
