/** What calls cost: a dated table, and the most that a request can come to. */

import type { Lane } from '../core/batch.ts';
import { dollarsOf, PER_MILLION, priceOf } from '../core/cost.ts';
import type { ModelPrice, PriceTable, Provider } from '../core/graph.ts';
import type { PriceBook } from '../core/provider-port.ts';
import { protocolAt } from '../protocols/index.ts';
import { sizeOfBody } from '../protocols/size.ts';

/** What a table's prices come to; the providers tell whose money is simulated. */
export function createPriceBook(prices: PriceTable, providers: readonly Provider[]): PriceBook {
  const simulated = new Set(providers.filter(({ type }) => type === 'simulator').map(({ identity }) => identity));
  const discounts = new Map(
    providers.flatMap(({ identity, batch }) => (batch === undefined ? [] : [[identity, batch.price] as const])),
  );
  const share = (identity: string, price: ModelPrice, lane: Lane): number =>
    lane === 'online' ? 1 : (price.batch ?? discounts.get(identity) ?? 1);

  return {
    cost(identity, model, usage, lane = 'online') {
      const price = priceOf(prices, identity, model);
      return price === undefined ? undefined : dollarsOf(usage, price) * share(identity, price, lane);
    },
    worstCase(identity, model, call, lane = 'online') {
      const price = priceOf(prices, identity, model);
      if (price === undefined) return undefined;
      const size = sizeOfBody(protocolAt(call.path), call);
      if (size.outputTokensAtMost === undefined) return undefined;
      const dearestInput = Math.max(price.input, price.cachedInput ?? 0);
      const dollars = (size.inputTokensAtMost * dearestInput + size.outputTokensAtMost * price.output) * PER_MILLION;
      return dollars * share(identity, price, lane);
    },
    origin(identity, model) {
      const { source, date } = priceOf(prices, identity, model) ?? {};
      return source === undefined ? undefined : [source, date].filter((part) => part !== undefined).join(', ');
    },
    simulated: (identity) => simulated.has(identity),
  };
}
