/** Prices, orders and deliveries in round numbers, for cases that can be checked on paper. */

import type { CallFailure } from '../../src/core/call.ts';
import { digestText } from '../../src/core/digest.ts';
import type { Admit, CallRequest, CallResult, PriceBook, TryOutcome } from '../../src/core/provider-port.ts';

export const REAL = 'http://lab';
export const SIMULATED = 'simulator:x';

/** A token costs $1, of whichever side; the worst case of any body is $10, and the model `unpriced` has no price. */
export const PRICES: PriceBook = {
  cost: (_, model, usage) => (model === 'unpriced' ? undefined : usage.inputTokens + usage.outputTokens),
  worstCase: (_, model) => (model === 'unpriced' ? undefined : 10),
  simulated: (identity) => identity === SIMULATED,
};

export function order(identity = REAL, model = 'm'): CallRequest {
  const fields = { model };
  const body = JSON.stringify(fields);
  return { key: digestText(body), identity, path: '/completions', body, fields };
}

/** How a call ends, and how each of its tries does. */
export interface Delivery {
  readonly result: CallResult;
  readonly tries: readonly TryOutcome[];
}

export const MAYBE: TryOutcome = { billed: 'maybe' };
export const NOT_BILLED: TryOutcome = { billed: 'no' };
export const UNSENT: TryOutcome = { billed: 'no', unsent: true };
/** A try whose usage comes to so many dollars. */
export const billed = (dollars: number): TryOutcome & { billed: { inputTokens: number } } => ({
  billed: { inputTokens: dollars, cachedInputTokens: 0, outputTokens: 0 },
});

/** A reply, after so many tries of unknown outcome. */
export function delivered(dollars: number, { drops = 0, usageKnown = true } = {}): Delivery {
  const usage = { inputTokens: dollars, cachedInputTokens: 0, outputTokens: 0 };
  return {
    result: { ok: true, raw: '{"text":"hi"}', usage },
    tries: [...Array.from({ length: drops }, () => MAYBE), usageKnown ? billed(dollars) : MAYBE],
  };
}

export const OVERLOADED: CallFailure = { class: 'transient', reason: 'overloaded', message: 'busy' };

/** A call that failed, after so many tries of unknown outcome and one that was not billed. */
export function lost(drops: number, failure: CallFailure = OVERLOADED): Delivery {
  return {
    result: { ok: false, failure },
    tries: [...Array.from({ length: drops }, () => MAYBE), ...(drops > 0 ? [] : [NOT_BILLED])],
  };
}

/** Plays a delivery as a client does; `land` is awaited while its first try is on its way. */
export async function play(request: CallRequest, admit: Admit, land: () => Promise<Delivery>): Promise<CallResult> {
  const first = await admit(request, 1);
  if ('class' in first) return { ok: false, failure: first };
  const { tries, result } = await land();
  first.settle(tries[0]!);
  for (const [index, outcome] of tries.slice(1).entries()) {
    const permit = await admit(request, index + 2);
    if ('class' in permit) return { ok: false, failure: permit };
    permit.settle(outcome);
  }
  return result;
}

/** Admits whatever is asked and notes what its tries came to. */
export function admitAll(): { readonly admit: Admit; readonly outcomes: TryOutcome[] } {
  const outcomes: TryOutcome[] = [];
  return { admit: async () => ({ settle: (outcome) => void outcomes.push(outcome) }), outcomes };
}
