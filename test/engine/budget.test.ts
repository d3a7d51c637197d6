import { describe, expect, it } from 'vitest';
import { Budget, type BudgetLimits, type Reservation } from '../../src/replies/spend.ts';
import { delivered, lost, order, PRICES, REAL, SIMULATED } from './money.ts';

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
    expect(admitted(budgetOf())).toEqual({ dollars: 10, priced: true, real: true, identity: REAL, model: 'm' });
    expect(admitted(budgetOf(), SIMULATED)).toEqual({
      dollars: 10,
      priced: true,
      real: false,
      identity: SIMULATED,
      model: 'm',
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
    budget.settle(admitted(budget), delivered(3));
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
    const first = admitted(budget);
    admitted(budget);
    budget.settle(first, delivered(settled));
    expect(budget.admit(order(), 'm')).toEqual({ ok: false, limit: 'cost', bound: 25, maybeLater });
  });

  it('asks an approval for real money only', () => {
    const budget = budgetOf({ unapprovedCost: 10 });
    budget.settle(admitted(budget, SIMULATED), delivered(7));
    admitted(budget, SIMULATED);
    admitted(budget, SIMULATED);
    admitted(budget, REAL);
    expect(budget.admit(order(REAL), 'm')).toEqual({ ok: false, limit: 'approval', bound: 10, maybeLater: true });
    expect(budget.admit(order(SIMULATED), 'm').ok).toBe(true);
  });

  it('counts real money that was settled against the approval', () => {
    const budget = budgetOf({ unapprovedCost: 12 });
    budget.settle(admitted(budget), delivered(2));
    budget.settle(admitted(budget), delivered(1));
    // 3 + 10 > 12, and nothing flies that could make room.
    expect(budget.admit(order(), 'm')).toEqual({ ok: false, limit: 'approval', bound: 12, maybeLater: false });
  });

  it('frees the approval of what was not billed', () => {
    const budget = budgetOf({ unapprovedCost: 10 });
    const first = admitted(budget, REAL);
    const other = admitted(budget, SIMULATED);
    budget.settle(first, lost(0));
    const again = admitted(budget, REAL);
    budget.settle(other, lost(0));
    budget.settle(again, lost(0));
    expect(budget.spent).toBe(0);
  });

  it('caps simulated money too', () => {
    const budget = budgetOf({ maxCost: 10 });
    admitted(budget, SIMULATED);
    expect(budget.admit(order(SIMULATED), 'm')).toMatchObject({ ok: false, limit: 'cost' });
  });

  it('counts calls, in flight and settled', () => {
    const budget = budgetOf({ maxCalls: 3 });
    budget.settle(admitted(budget), delivered(1));
    admitted(budget);
    const third = admitted(budget);
    expect(budget.calls).toBe(3);
    // Two fly: should they fail for nothing, one more fits.
    expect(budget.admit(order(), 'm')).toEqual({ ok: false, limit: 'calls', bound: 3, maybeLater: true });
    budget.settle(third, lost(0));
    expect(budget.calls).toBe(2);
    budget.settle(admitted(budget), delivered(1));
    expect(budget.calls).toBe(3);
  });

  it('ends for good when as many calls have landed as may be made', () => {
    const budget = budgetOf({ maxCalls: 2 });
    budget.settle(admitted(budget), delivered(1));
    budget.settle(admitted(budget), lost(1));
    expect(budget.admit(order(), 'm')).toEqual({ ok: false, limit: 'calls', bound: 2, maybeLater: false });
    expect(budgetOf({ maxCalls: 0 }).admit(order(), 'm')).toMatchObject({ limit: 'calls', maybeLater: false });
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
  it.each<[string, Parameters<Budget['settle']>[1], { reply: number | null; unknown: number }, number]>([
    ['a reply', delivered(3), { reply: 3, unknown: 0 }, 1],
    ['a reply without a usage', delivered(3, { usageKnown: false }), { reply: 10, unknown: 0 }, 1],
    ['one drop, then a reply', delivered(3, { unknownOutcomes: 1 }), { reply: 3, unknown: 10 }, 1],
    [
      'two drops, then a reply without a usage',
      delivered(3, { unknownOutcomes: 2, usageKnown: false }),
      { reply: 10, unknown: 20 },
      1,
    ],
    ['two drops, then a refusal', lost(2), { reply: null, unknown: 20 }, 1],
    ['one drop, and no more', lost(1), { reply: null, unknown: 10 }, 1],
    [
      'perhaps billed, without a number of tries',
      { ok: false, failure: { class: 'stopped', reason: 'interrupted', message: '' }, maybeBilled: true },
      { reply: null, unknown: 10 },
      1,
    ],
    ['a refusal', lost(0), { reply: null, unknown: 0 }, 0],
  ])('%s', (_name, delivery, settled, calls) => {
    const budget = budgetOf({ unapprovedCost: 1000, maxCost: 1000 });
    expect(budget.settle(admitted(budget, identity), delivery)).toEqual(settled);
    const spent = (settled.reply ?? 0) + settled.unknown;
    expect(budget.spent).toBe(spent);
    expect(budget.calls).toBe(calls);
    // What is left of both limits tells what was booked against them: one more call fits, and $1 less does not.
    const left = (limits: Partial<BudgetLimits>) => {
      const other = budgetOf(limits);
      other.settle(admitted(other, identity), delivery);
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
    budget.settle(reservation, delivered(3));
    expect(() => budget.settle(reservation, delivered(3))).toThrow('settled twice');
    expect(budget.spent).toBe(3);
  });

  it('gives back what was reserved, while others fly', () => {
    const budget = budgetOf({ maxCost: 30, unapprovedCost: 30 });
    const [first] = [admitted(budget, identity), admitted(budget, identity), admitted(budget, identity)];
    expect(budget.admit(order(identity), 'm').ok).toBe(false);
    budget.settle(first, lost(0));
    admitted(budget, identity);
    expect(budget.admit(order(identity), 'm').ok).toBe(false);
  });
});

describe('a reply without a price', () => {
  it('costs an unknown sum, never nothing, and adds nothing to what is spent', () => {
    const budget = budgetOf();
    expect(budget.settle(admitted(budget, SIMULATED, 'unpriced'), delivered(3))).toEqual({ reply: null, unknown: 0 });
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
      for (const reservation of underway) budget.settle(reservation!, lost(0));
    }
    expect([take(), take()]).not.toContain(undefined);
  });
});

describe('a simulated model without a price', () => {
  it('costs an unknown sum, not nothing, whether or not its reply names a usage', () => {
    for (const usageKnown of [true, false]) {
      const budget = budgetOf();
      const reservation = admitted(budget, SIMULATED, 'unpriced');
      expect(reservation).toMatchObject({ dollars: 0, priced: false });
      expect(budget.settle(reservation, delivered(3, { usageKnown }))).toEqual({ reply: null, unknown: 0 });
    }
  });
});
