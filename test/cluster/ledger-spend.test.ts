/** What a till asks of its ledger and books there, call by call: the ledger's answers are written down. */

import { describe, expect, it } from 'vitest';
import type { Claim, Ledger } from '../../src/cluster/ledger.ts';
import { LedgerSpend } from '../../src/cluster/ledger-spend.ts';
import { type Digest, digestText } from '../../src/core/digest.ts';
import type { CallRequest, PriceBook, TryOutcome } from '../../src/core/provider-port.ts';
import type { PricedPermit } from '../../src/replies/spend.ts';

const KEY = digestText('a call');
const ORDER: CallRequest = { key: KEY, identity: 'toy', path: '/completions', body: '{}', fields: {} };
const USAGE = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5 };
/** A tenth of a dollar a token; two dollars are set aside. */
const PRICES: PriceBook = {
  cost: (_, model, usage) => (model === 'unpriced' ? undefined : (usage.inputTokens + usage.outputTokens) / 10),
  worstCase: (_, model) => (model === 'unpriced' ? undefined : 2),
  simulated: () => false,
};

type Settled = Parameters<Ledger['settle']>;

function till(claims: readonly Claim[], superseding?: string) {
  const asked: Parameters<Ledger['claim']>[0][] = [];
  const settled: Settled[] = [];
  const slept: number[] = [];
  const turns: string[] = [];
  const passed: [model: string, at: number][] = [];
  const drain = new AbortController();
  const open = new Set<Digest>();
  let tries = 0;
  const clock = {
    now: () => 5000,
    sleep: async (milliseconds: number) => void slept.push(milliseconds),
  };
  const spend = new LedgerSpend(
    {
      ledger: {
        claim: async (request) => {
          asked.push(request);
          const claim = claims[asked.length - 1];
          if (claim === undefined) throw new Error('asked once too often');
          return claim;
        },
        settle: async (...given) => {
          settled.push(given);
          return 'booked';
        },
      },
      owner: 'till-1',
      prices: PRICES,
      clock,
      tokens: () => 77,
      drain: drain.signal,
      nextTry: () => ++tries,
      turn: (name, work) => {
        turns.push(name);
        return work();
      },
      paceOf: (model) => ({
        pass: async (at) => {
          passed.push([model, at]);
          return { sent: () => {}, answered: () => {} };
        },
      }),
      open,
    },
    { build: 'b1', maxCost: 9, maxCalls: undefined },
    superseding,
  );
  return { spend, asked, settled, slept, turns, passed, drain, open };
}

const go = (milliseconds = 0): Claim => ({ type: 'go', milliseconds });
const permitted = async (admitted: ReturnType<LedgerSpend['admit']>): Promise<PricedPermit> => {
  const permit = await admitted;
  if ('class' in permit) throw new Error(permit.message);
  return permit;
};

describe('a try of a till', () => {
  it('is claimed by its worst case, for its build, and leaves when its turn has come', async () => {
    const { spend, asked, turns, passed, open } = till([go(40)], 'old answer');
    const permit = await permitted(spend.admit(ORDER, 'm'));
    expect(asked).toEqual([
      {
        call: KEY,
        owner: 'till-1',
        number: 1,
        model: 'toy m',
        reserve: 2,
        tokens: 77,
        limits: { build: 'b1', maxCost: 9, maxCalls: undefined },
        superseding: 'old answer',
      },
    ]);
    expect([permit.dollars, turns, [...open]]).toEqual([2, ['toy m'], [KEY]]);
    await permit.ready?.();
    expect(passed).toEqual([['toy m', 5040]]);
  });

  it.each<[string, TryOutcome, Settled[1], number]>([
    ['by what it used', { billed: USAGE }, 'billed', 1.5],
    ['at nothing', { billed: 'no' }, 'free', 0],
    ['as never sent', { billed: 'no', unsent: true }, 'unsent', 0],
    ['at what was set aside, where nobody knows', { billed: 'maybe' }, 'unknown', 2],
  ])('is booked %s', async (_, outcome, as, dollars) => {
    const { spend, settled, open } = till([go()]);
    (await permitted(spend.admit(ORDER, 'm'))).settle(outcome);
    expect(settled).toEqual([]);
    await spend.book(KEY, 'an answer', 'held');
    expect(settled).toEqual([[{ call: KEY, owner: 'till-1', number: 1 }, as, dollars, 'an answer', 'held']]);
    expect(open.size).toBe(0);
  });

  it('is booked before the next one, and only the last one brought the answer', async () => {
    const { spend, settled } = till([go(), go()]);
    (await permitted(spend.admit(ORDER, 'm'))).settle({ billed: 'maybe' });
    (await permitted(spend.admit(ORDER, 'm'))).settle({ billed: USAGE });
    expect(settled.map(([{ number }, as, , answer]) => [number, as, answer])).toEqual([[1, 'unknown', undefined]]);
    await spend.book(KEY, 'an answer');
    await spend.book(KEY, 'an answer');
    expect(settled.slice(1).map(([{ number }, as, dollars, answer]) => [number, as, dollars, answer])).toEqual([
      [2, 'billed', 1.5, 'an answer'],
    ]);
  });

  it('of several that ended at once brought the answer by the last one', async () => {
    const { spend, settled } = till([go(), go()]);
    const permits = [await permitted(spend.admit(ORDER, 'm')), await permitted(spend.admit(ORDER, 'm'))];
    for (const permit of permits) permit.settle({ billed: USAGE });
    await spend.book(KEY, 'an answer');
    expect(settled.map(([{ number }, , , answer]) => [number, answer])).toEqual([
      [1, undefined],
      [2, 'an answer'],
    ]);
  });

  it('reserves as much as a call of the model has come to', async () => {
    const { spend, asked } = till([go(), go()]);
    (await permitted(spend.admit(ORDER, 'm'))).settle({ billed: { ...USAGE, outputTokens: 40 } });
    await spend.admit(ORDER, 'm');
    expect(asked.map(({ reserve }) => reserve)).toEqual([2, 5]);
  });

  it('waits where another has it, and asks again at least four times a second', async () => {
    const claims: Claim[] = [
      { type: 'flying', milliseconds: 99 },
      { type: 'flying', milliseconds: 9000 },
      { type: 'full' },
    ];
    const { spend, slept, turns } = till([...claims, { type: 'wait', milliseconds: 30 }, go()]);
    await permitted(spend.admit(ORDER, 'm'));
    // A turn that is not come yet is waited for without giving the place away.
    expect(slept).toEqual([100, 250, 250, 30]);
    expect(turns).toHaveLength(4);
  });

  it.each<[Claim, string, string]>([
    [{ type: 'have', digest: 'd' }, 'elsewhere', 'an earlier till has bought an answer that is nowhere in reach'],
    [
      { type: 'unresolved' },
      'unresolved',
      'tills have died with a call more than once, and it may have been billed each time',
    ],
    [
      { type: 'broke', by: 'account', spent: 12.5 },
      'till_cap',
      "the next call could pass the cap of the account's till, which has spent $12.5000",
    ],
    [
      { type: 'broke', by: 'build', spent: 3 },
      'budget',
      'the next call could pass what this build may spend; it has spent $3.0000',
    ],
    [{ type: 'broke', by: 'calls', spent: 7 }, 'budget', 'the cap of 7 calls is reached'],
  ])('is not sent where the ledger says %j', async (claim, reason, message) => {
    const { spend, settled, open } = till([claim]);
    expect(await spend.admit(ORDER, 'm')).toEqual({ class: 'stopped', reason, message });
    // Nothing is left set aside that somebody would have to book.
    await spend.book(KEY, undefined);
    expect([settled, open.size]).toEqual([[], 0]);
  });

  it('is not claimed without a price, nor while the till is stopping', async () => {
    const { spend, asked, drain } = till([]);
    expect(await spend.admit(ORDER, 'unpriced')).toEqual({
      class: 'stopped',
      reason: 'budget',
      message: 'no price or no token cap is known for unpriced',
    });
    drain.abort();
    expect(await spend.admit(ORDER, 'm')).toMatchObject({ class: 'stopped', reason: 'interrupted' });
    expect(asked).toEqual([]);
  });
});
