/** Dollars for tokens: the one formula that bills, budgets and reports share. */

import type { Usage } from './call.ts';
import type { ModelPrice, PriceTable } from './graph.ts';

/** Prices are for a million tokens. */
export const PER_MILLION = 1e-6;

/** Input tokens that a server may add around the body's own bytes: templates and special tokens. */
const ENVELOPE_TOKENS = 64;

/** Never fewer input tokens than a server can count for requests of so many bytes: every UTF-8 byte a token, and envelopes. */
export const inputTokensAtMost = (bytes: number, calls = 1): number => bytes + calls * ENVELOPE_TOKENS;

/** Cached input is part of the input; a model without a price for it sells it at the price of the rest. */
export function dollarsOf(usage: Usage, price: ModelPrice): number {
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const fresh = usage.inputTokens - cached;
  const dollars = fresh * price.input + cached * (price.cachedInput ?? price.input) + usage.outputTokens * price.output;
  return dollars * PER_MILLION;
}

/**
 * The price of a model at a provider: the table's entry `IDENTITY/MODEL`, else the one by the model's id alone.
 * Undefined where there is neither: an unknown price is never zero.
 */
export function priceOf({ models }: PriceTable, identity: string, model: string): ModelPrice | undefined {
  const entry = [`${identity}/${model}`, model].find((name) => Object.hasOwn(models, name));
  return entry === undefined ? undefined : models[entry];
}
