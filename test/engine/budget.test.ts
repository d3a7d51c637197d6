import { describe, expect, it } from 'vitest';
import type { TryOutcome } from '../../src/core/provider-port.ts';
import { Budget, type BudgetLimits, lowerCap, type Reservation, type Settled } from '../../src/replies/budget.ts';
import { Spend } from '../../src/replies/spend.ts';
import { settle as settled } from '../providers/support.ts';
import { billed, MAYBE, NOT_BILLED, order, PRICES, REAL, SIMULATED, UNSENT } from './money.ts';

const NO_LIMITS: BudgetLimits = { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined };
const budgetOf = (limits: Partial<BudgetLimits> = {}) => new Budget({ ...NO_LIMITS, ...limits }, PRICES);

function admitted(budget: Budget, identity = REAL, model = 'm'): Reservation {
  const admission = budget.admit(order(identity, model), model);
  if (!admission.ok) throw new Error(`refused: ${admission.limit}`);
  return admission.reservation;
}

// A call reserves $10.
describe('admission', () => {
  it('reserves the worst case of the order', () => {
    expect(admitted(budgetOf())).toEqual({
      dollars: 10,
      priced: true,
      real: true,
      identity: REAL,
      model: 'm',
      lane: 'online',
    });
    expect(admitted(budgetOf(), SIMULATED)).toEqual({
      dollars: 10,
      priced: true,
      real: false,
      identity: SIMULATED,
      model: 'm',
      lane: 'online',
    });
  });

  it.each([
    [9.99, 0],
    [10, 1],
    [19.99, 1],
    [20, 2],
  ])('under a cap of $%d lets %i fly at once', (maxCost, underway) => {
    const budget = budgetOf({ maxCost });
    for (let call = 0; call < underway; call++) admitted(budget);
    expect(budget.admit(order(), 'm')).toEqual({
      ok: false,
      limit: 'cost',
      bound: maxCost,
      maybeLater: underway > 0,
    });
  });

  it('under a cap counts what was settled beside what flies', () => {
    const budget = budgetOf({ maxCost: 23 });
    budget.settle(admitted(budget), billed(3));
    admitted(budget);
    admitted(budget);
    // 3 settled, 20 reserved; once they have landed for nothing there is room: 3 + 10 <= 23.
    expect(budget.admit(order(), 'm')).toMatchObject({ ok: false, limit: 'cost', maybeLater: true });
  });

  // Of two calls under a cap of $25 one lands: what the other may turn out to give back decides.
  it.each([
    [14, true],
    [15, true],
    [16, false],
  ])('beside $%d that are settled may find room later: %s', (settled, maybeLater) => {
    const budget = budgetOf({ maxCost: 25 });
    const first = admitted(budget, REAL, 'dear');
    admitted(budget);
    budget.settle(first, billed(settled));
    expect(budget.admit(order(), 'm')).toEqual({ ok: false, limit: 'cost', bound: 25, maybeLater });
  });

  it('finds no room later in what a batch reserves: it gives nothing back for hours', () => {
    // $14 that are spent teach what such a call can cost; $10 of a batch and $10 of a call in flight beside them.
    const refusedBeside = (lane: 'batch' | 'online', identity = REAL) => {
      const budget = budgetOf({ maxCost: 34 });
      budget.settle(admitted(budget, REAL, 'dear'), billed(14));
      expect(budget.admit(order(identity), 'm', lane).ok).toBe(true);
      admitted(budget);
      return budget.admit(order(REAL, 'dear'), 'dear');
    };
    expect(refusedBeside('online')).toMatchObject({ ok: false, limit: 'cost', maybeLater: true });
    expect(refusedBeside('batch')).toMatchObject({ ok: false, limit: 'cost', maybeLater: false });
    // A cap counts play money as well.
    expect(refusedBeside('batch', SIMULATED)).toMatchObject({ ok: false, limit: 'cost', maybeLater: false });
  });

  it('finds no room later for an approval in what a batch of real money reserves; of play money it takes none', () => {
    // As above, and the cap is the approval's: a batch of simulated money holds nothing of it.
    const refusedBeside = (identity: string) => {
      const budget = budgetOf({ unapprovedCost: 34 });
      budget.settle(admitted(budget, REAL, 'dear'), billed(14));
      expect(budget.admit(order(identity), 'm', 'batch').ok).toBe(true);
      admitted(budget);
      if (identity === SIMULATED) admitted(budget);
      return budget.admit(order(REAL, 'dear'), 'dear');
    };
    expect(refusedBeside(REAL)).toMatchObject({ ok: false, limit: 'approval', maybeLater: false });
    expect(refusedBeside(SIMULATED)).toMatchObject({ ok: false, limit: 'approval', maybeLater: true });
  });

  it('reserves what the dearest call of the model came to, in whatever order calls end', () => {
    const budget = budgetOf();
    const [first, second] = [admitted(budget), admitted(budget)];
    budget.settle(first, billed(25));
    budget.settle(second, billed(13));
    expect([admitted(budget).dollars, admitted(budget, REAL, 'other').dollars]).toEqual([25, 10]);
  });

  it('asks an approval for real money only', () => {
    const budget = budgetOf({ unapprovedCost: 10 });
    budget.settle(admitted(budget, SIMULATED), billed(7));
    admitted(budget, SIMULATED);
    admitted(budget, SIMULATED);
    admitted(budget, REAL);
    expect(budget.admit(order(REAL), 'm')).toEqual({ ok: false, limit: 'approval', bound: 10, maybeLater: true });
    expect(budget.admit(order(SIMULATED), 'm').ok).toBe(true);
  });

  it('counts real money that was settled against the approval', () => {
    const budget = budgetOf({ unapprovedCost: 12 });
    budget.settle(admitted(budget), billed(2));
    budget.settle(admitted(budget), billed(1));
    // 3 + 10 > 12, and nothing flies that could make room.
    expect(budget.admit(order(), 'm')).toEqual({ ok: false, limit: 'approval', bound: 12, maybeLater: false });
  });

  it('frees the approval of what was not billed', () => {
    const budget = budgetOf({ unapprovedCost: 10 });
    const first = admitted(budget, REAL);
    const other = admitted(budget, SIMULATED);
    budget.settle(first, NOT_BILLED);
    const again = admitted(budget, REAL);
    budget.settle(other, NOT_BILLED);
    budget.settle(again, NOT_BILLED);
    expect(budget.spent).toBe(0);
  });

  it('caps simulated money too', () => {
    const budget = budgetOf({ maxCost: 10 });
    admitted(budget, SIMULATED);
    expect(budget.admit(order(SIMULATED), 'm')).toMatchObject({ ok: false, limit: 'cost' });
  });

  it('counts each try that was sent, whatever became of it', () => {
    const budget = budgetOf({ maxCalls: 3 });
    budget.settle(admitted(budget), billed(1));
    budget.settle(admitted(budget), NOT_BILLED);
    budget.settle(admitted(budget), UNSENT);
    expect(budget.calls).toBe(2);
    const third = admitted(budget);
    expect(budget.admit(order(), 'm')).toEqual({ ok: false, limit: 'calls', bound: 3, maybeLater: false });
    budget.settle(third, MAYBE);
    expect(budget.calls).toBe(3);
    expect(budgetOf({ maxCalls: 0 }).admit(order(), 'm')).toMatchObject({ limit: 'calls', maybeLater: false });
  });

  it('reserves as much as a try of the model came to, where that was more than its worst case', () => {
    const budget = budgetOf();
    budget.settle(admitted(budget), billed(35));
    budget.settle(admitted(budget), billed(3));
    expect(admitted(budget).dollars).toBe(35);
    expect(admitted(budget, REAL, 'other').dollars).toBe(10);
  });

  it.each<[string, string, Partial<BudgetLimits>, boolean]>([
    ['real money', REAL, {}, false],
    ['simulated money under a cap', SIMULATED, { maxCost: 100 }, false],
    ['simulated money', SIMULATED, {}, true],
    ['simulated money without an approval', SIMULATED, { unapprovedCost: 0 }, true],
  ])('without a price: %s', (_, identity, limits, ok) => {
    const admission = budgetOf(limits).admit(order(identity, 'unpriced'), 'unpriced');
    expect(admission).toMatchObject(ok ? { ok, reservation: { dollars: 0 } } : { ok, limit: 'unpriced' });
  });
});

// A call reserves $10; the usage of a reply comes to $3.
describe.each([
  ['real', REAL],
  ['simulated', SIMULATED],
])('settling %s money', (_, identity) => {
  it.each<[string, TryOutcome, Settled]>([
    ['a reply', billed(3), { dollars: 3, certain: true }],
    ['an unknown outcome', MAYBE, { dollars: 10, certain: false }],
    ['a refusal', NOT_BILLED, { dollars: 0, certain: true }],
  ])('%s', (_name, outcome, settled) => {
    const budget = budgetOf({ unapprovedCost: 1000, maxCost: 1000 });
    expect(budget.settle(admitted(budget, identity), outcome)).toEqual(settled);
    const spent = settled.dollars ?? 0;
    expect(budget.spent).toBe(spent);
    expect(budget.calls).toBe(1);
    // What is left of both limits tells what was booked against them: one more call fits, and $1 less does not.
    const left = (limits: Partial<BudgetLimits>) => {
      const other = budgetOf(limits);
      other.settle(admitted(other, identity), outcome);
      return other.admit(order(identity), 'm').ok;
    };
    expect([left({ maxCost: spent + 10 }), left({ maxCost: Math.max(10, spent + 9.5) })]).toEqual([true, spent === 0]);
    const real = identity === REAL;
    expect([left({ unapprovedCost: spent + 10 }), left({ unapprovedCost: Math.max(10, spent + 9.5) })]).toEqual([
      true,
      !real || spent === 0,
    ]);
  });

  it('is done once', () => {
    const budget = budgetOf();
    const reservation = admitted(budget, identity);
    budget.settle(reservation, billed(3));
    expect(() => budget.settle(reservation, billed(3))).toThrow('settled twice');
    expect(budget.spent).toBe(3);
  });

  it('gives back what was reserved, while others fly', () => {
    const budget = budgetOf({ maxCost: 30, unapprovedCost: 30 });
    const [first] = [admitted(budget, identity), admitted(budget, identity), admitted(budget, identity)];
    expect(budget.admit(order(identity), 'm').ok).toBe(false);
    budget.settle(first, NOT_BILLED);
    admitted(budget, identity);
    expect(budget.admit(order(identity), 'm').ok).toBe(false);
  });
});

describe('a reply without a price', () => {
  it('costs an unknown sum, never nothing, and adds nothing to what is spent', () => {
    const budget = budgetOf();
    expect(budget.settle(admitted(budget, SIMULATED, 'unpriced'), billed(3))).toEqual({ dollars: null, certain: true });
    expect(budget.spent).toBe(0);
  });
});

describe('sums of dollars', () => {
  it('leave no dust that would refuse what fits exactly', () => {
    const prices = { ...PRICES, worstCase: () => 0.1 };
    const budget = new Budget({ ...NO_LIMITS, maxCost: 0.3, unapprovedCost: 0.3 }, prices);
    const take = () => {
      const admission = budget.admit(order(), 'm');
      return admission.ok ? admission.reservation : undefined;
    };
    for (let round = 0; round < 10; round++) {
      const underway = [take(), take()];
      for (const reservation of underway) budget.settle(reservation!, NOT_BILLED);
    }
    expect([take(), take()]).not.toContain(undefined);
  });
});

describe('a simulated model without a price', () => {
  it('costs an unknown sum, not nothing, whether or not its reply names a usage', () => {
    for (const outcome of [billed(3), MAYBE]) {
      const budget = budgetOf();
      const reservation = admitted(budget, SIMULATED, 'unpriced');
      expect(reservation).toMatchObject({ dollars: 0, priced: false });
      expect(budget.settle(reservation, outcome)).toEqual({ dollars: null, certain: outcome !== MAYBE });
    }
  });
});

it.each([
  [undefined, undefined, undefined],
  [5, undefined, 5],
  [undefined, 1, 1],
  [5, 1, 1],
  [1, 5, 1],
  [0, 5, 0],
])('a cap of %s and %s that needs no approval come to %s together', (maxCost, unapprovedCost, cap) => {
  expect(lowerCap({ maxCost, unapprovedCost })).toBe(cap);
});

describe('permits that wait for room', () => {
  /** Under a cap of $20; a model named `big` reserves as much, any other half of it. */
  function queue() {
    const prices = { ...PRICES, worstCase: (_: string, model: string) => (model === 'big' ? 20 : 10) };
    const spend = new Spend(new Budget({ ...NO_LIMITS, maxCost: 20 }, prices), () => {});
    const given: string[] = [];
    const ask = async (name: string, model = 'small') => {
      const permit = await spend.admit(order(REAL, model), model);
      if ('class' in permit) throw new Error(permit.message);
      given.push(name);
      return permit;
    };
    return { ask, given };
  }

  it('are given in the order of their asking, as many at once as what ended has made room for', async () => {
    const { ask, given } = queue();
    const big = await ask('big', 'big');
    const waiting = ['one', 'two', 'three'].map((name) => ask(name));
    await settled();
    expect(given).toEqual(['big']);
    big.settle(NOT_BILLED);
    await settled();
    expect(given).toEqual(['big', 'one', 'two']);
    (await waiting[0]!).settle(NOT_BILLED);
    await settled();
    expect(given).toEqual(['big', 'one', 'two', 'three']);
  });
});
