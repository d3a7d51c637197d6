/** Prices, orders and deliveries in round numbers, for cases that can be checked on paper. */

import type { CallFailure } from '../../src/core/call.ts';
import { digestText } from '../../src/core/digest.ts';
import type { CallRequest, CallResult, PriceBook } from '../../src/core/provider-port.ts';

export const REAL = 'http://lab';
export const SIMULATED = 'simulator:x';

/** A token costs $1, of whichever side; the worst case of any body is $10, and the model `unpriced` has no price. */
export const PRICES: PriceBook = {
  cost: (_, model, usage) => (model === 'unpriced' ? undefined : usage.inputTokens + usage.outputTokens),
  worstCase: (_, model) => (model === 'unpriced' ? undefined : 10),
  simulated: (identity) => identity === SIMULATED,
};

export function order(identity = REAL, model = 'm'): CallRequest {
  const body = JSON.stringify({ model });
  return { key: digestText(body), identity, path: '/completions', body };
}

export function delivered(dollars: number, more: Partial<Extract<CallResult, { ok: true }>> = {}): CallResult {
  const usage = { inputTokens: dollars, cachedInputTokens: 0, outputTokens: 0 };
  return { ok: true, raw: '{"text":"hi"}', usage, usageKnown: true, ...more };
}

export const OVERLOADED: CallFailure = { class: 'transient', reason: 'overloaded', message: 'busy' };

/** A call that failed, after so many tries of unknown outcome. */
export function lost(unknownOutcomes: number, failure: CallFailure = OVERLOADED): CallResult {
  return { ok: false, failure, maybeBilled: unknownOutcomes > 0, ...(unknownOutcomes > 0 ? { unknownOutcomes } : {}) };
}
