/** What the doctor says of batches: which calls can wait, and what became of a batch of one. */

import { describe, expect, it } from 'vitest';
import type { BatchSettings } from '../../src/core/batch.ts';
import type { BatchApi, BatchState } from '../../src/core/batch-port.ts';
import { batchChecks, batchTrials, tryBatch } from '../../src/doctor/batches.ts';
import { probeCostOf } from '../../src/doctor/probe-cost.ts';
import type { Role } from '../../src/doctor/probe-targets.ts';
import { Budget } from '../../src/replies/budget.ts';
import { Spend } from '../../src/replies/spend.ts';
import { PRICES, PROVIDER, target } from './support.ts';

const SETTINGS: BatchSettings = {
  api: 'openai',
  rows: 100,
  bytes: 1e6,
  echo: false,
  price: 0.5,
  pollSeconds: 1,
  graceSeconds: 1,
  patienceSeconds: 1,
};

const ALL: readonly Role[] = ['completion', 'forcing', 'chat'];

function aimed(batch: Partial<BatchSettings> | undefined, roles = ALL) {
  const provider = batch === undefined ? PROVIDER : { ...PROVIDER, batch: { ...SETTINGS, ...batch } };
  return { ...target(roles), provider };
}

describe('without asking anybody', () => {
  it.each<[string, Partial<BatchSettings> | undefined, string]>([
    ['a provider of which none are known', undefined, 'none are known of this provider, so all is asked online'],
    ['an API that takes all but echoes', {}, 'take responses, scores, for 50 % of the price; online: logprobs'],
    [
      'one that takes echoes too',
      { echo: true, price: 0.25 },
      'take responses, logprobs, scores, for 25 % of the price',
    ],
    [
      'one that takes chat alone',
      { api: 'fireworks' },
      'take scores, for 50 % of the price; online: responses, logprobs',
    ],
    ['one that takes none of these', { api: 'anthropic' }, 'take none of these calls (API: anthropic)'],
  ])('%s', (_, batch, detail) => {
    expect(batchChecks(aimed(batch))).toMatchObject([{ name: 'batches', status: 'note', detail }]);
  });

  it('says before what batches of one may cost, at their price', () => {
    const without = probeCostOf([aimed({})], undefined, PRICES);
    const dear = probeCostOf([aimed({ price: 1 })], undefined, PRICES, true);
    expect(dear.calls - without.calls).toBe(3);
    expect(dear.dollars).toBeGreaterThan(without.dollars!);
    // A dollar online, and a quarter in a batch.
    const prices = {
      ...PRICES,
      worstCase: (...[, , , lane]: Parameters<typeof PRICES.worstCase>) => (lane === 'batch' ? 0.25 : 1),
    };
    const [online, both] = [false, true].map(
      (batches) => probeCostOf([aimed({})], undefined, prices, batches).dollars!,
    );
    expect(both! - online!).toBe(0.75);
  });
});

describe('a batch of one', () => {
  const REPLY = { id: 'r', model: 'scout', usage: { prompt_tokens: 3, completion_tokens: 2 } };
  const ECHO = { ...REPLY, choices: [{ text: 'a b', logprobs: { tokens: ['a', 'b'], token_logprobs: [null, -1] } }] };
  const state = (end: BatchState['end'], status: string = end ?? 'in_progress'): BatchState => ({
    id: 'b',
    end,
    status,
    total: 1,
    answered: 0,
    mistakes: end === 'refused' ? [{ line: 0, code: '', message: 'no such role' }] : [],
    results: [],
  });

  /** Tries the use of one role with a provider whose batch ends so, after some looks. */
  async function tried(
    role: Role,
    end: BatchState['end'],
    body: object = REPLY,
    batch: Partial<BatchSettings> = {},
    create: BatchApi['create'] = async () => ({ ok: true, value: state(undefined) }),
  ) {
    const aim = aimed(batch, [role]);
    let now = 0;
    const done: string[] = [];
    const api: BatchApi = {
      settings: { ...SETTINGS, ...batch },
      ephemeral: false,
      named: true,
      upload: async () => ({ ok: true, value: 'file' }),
      create,
      find: async () => ({ ok: true, value: [] }),
      look: async () => ({ ok: true, value: state(now < 5_000 ? undefined : end) }),
      async cancel() {
        done.push('cancelled');
        return { ok: true, value: undefined };
      },
      async *rows() {
        yield [{ type: 'response', id: 'x', status: 200, body: JSON.stringify(body) }];
      },
      judge: (_, row) => {
        const usage = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2 };
        return { result: { ok: true, raw: row.body, usage }, outcome: { billed: usage } };
      },
    };
    const budget = new Budget({ maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined }, PRICES);
    const [trial] = batchTrials(aim);
    const found = await tryBatch(trial!, {
      api,
      spend: new Spend(budget, () => {}),
      newDraw: () => 'd',
      signal: new AbortController().signal,
      clock: {
        now: () => now,
        sleep: async (milliseconds) => {
          now += milliseconds;
        },
      },
    });
    return { ...found, done, budget, waited: now };
  }

  it('that is answered says so, and is billed by its usage', async () => {
    const { check, settled, done } = await tried('chat', 'completed');
    expect(check).toMatchObject({ name: 'batch', status: 'ok', detail: 'scores: a batch of one is answered' });
    expect(settled).toMatchObject({ certain: true });
    expect(done).toEqual([]);
  });

  it('that does not end soon is cancelled, and what it may cost is unknown', async () => {
    const { check, settled, done, waited } = await tried('chat', undefined);
    expect(waited).toBe(30_000);
    expect(check).toMatchObject({
      status: 'ok',
      detail: 'scores: a batch of one is taken; cancelled while it was in_progress',
    });
    expect([settled?.certain, done]).toEqual([false, ['cancelled']]);
  });

  it('that is refused fails what is to wait', async () => {
    const { check, budget } = await tried('chat', 'refused');
    expect(check).toMatchObject({ status: 'failure', detail: 'scores: a batch of one is refused (no such role)' });
    expect(budget.spent).toBe(0);
  });

  it.each([
    [false, true, 0],
    [true, false, 1],
  ])('that is refused as it is made, and may be there all the same: %s', async (maybeDone, certain, share) => {
    const failure = { class: 'permanent', reason: 'rejected', message: 'no' } as const;
    const { check, settled, budget } = await tried('chat', undefined, REPLY, {}, async () => ({
      ok: false,
      failure,
      ...(maybeDone ? { maybeDone } : {}),
    }));
    expect(check).toMatchObject({ status: 'failure', detail: expect.stringContaining('is refused') });
    expect(settled).toMatchObject({ certain });
    expect(budget.spent > 0 ? 1 : 0).toBe(share);
  });

  it('whose echo is of one token has no log probabilities', async () => {
    const one = { ...REPLY, choices: [{ text: 'a', logprobs: { tokens: ['a'], token_logprobs: [null] } }] };
    expect((await tried('forcing', 'completed', one, { echo: true })).check.status).toBe('failure');
  });

  it.each([
    ['not on, and comes back with log probabilities', {}, ECHO, 'note', "add 'echo: true' to `batch:`"],
    ['not on, and comes back without', {}, REPLY, 'note', undefined],
    ['on, and comes back with them', { echo: true }, ECHO, 'ok', undefined],
    ['on, and comes back without', { echo: true }, REPLY, 'failure', "take 'echo: true' out of `batch:`"],
  ])('of an echo that is %s', async (_, batch, body, status, hint) => {
    const { check } = await tried('forcing', 'completed', body, batch);
    expect(check).toMatchObject({ name: 'batch_echo', status });
    expect(check.hint).toBe(hint);
  });
});
