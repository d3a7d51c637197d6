/** What calls cost: a dated table, and the most that a request can come to. */

import { dollarsOf, PER_MILLION } from '../core/cost.ts';
import type { ModelPrice, PriceTable, Provider } from '../core/graph.ts';
import type { PriceBook } from '../core/market.ts';
import { sizeOfBody } from './body.ts';

/**
 * Prices by model id. Where one model is sold at two prices, `provider/model` is the more exact entry and wins; the
 * provider is its identity or its name. A model without an entry has no price: never zero.
 */
export function createPriceBook(prices: PriceTable, providers: readonly Provider[]): PriceBook {
  const names = new Map(providers.map((provider) => [provider.identity, provider.name]));
  const simulated = new Set(providers.filter(({ type }) => type === 'simulator').map(({ identity }) => identity));

  const lookUp = (key: string): ModelPrice | undefined =>
    Object.hasOwn(prices.models, key) ? prices.models[key] : undefined;

  const priceOf = (identity: string, model: string): ModelPrice | undefined => {
    const name = names.get(identity);
    return (
      lookUp(`${identity}/${model}`) ?? (name === undefined ? undefined : lookUp(`${name}/${model}`)) ?? lookUp(model)
    );
  };

  return {
    cost(identity, model, usage) {
      const price = priceOf(identity, model);
      return price === undefined ? undefined : dollarsOf(usage, price);
    },
    worstCase(identity, model, body) {
      const price = priceOf(identity, model);
      if (price === undefined) return undefined;
      const size = sizeOfBody(body);
      if (size.outputTokensAtMost === undefined) return undefined;
      const dearestInput = Math.max(price.input, price.cachedInput ?? 0);
      return (size.inputTokensAtMost * dearestInput + size.outputTokensAtMost * price.output) * PER_MILLION;
    },
    simulated: (identity) => simulated.has(identity),
  };
}
