/** What a batch spares: the same call costs more online. */

import type { Submission } from '../core/batch.ts';
import type { Usage } from '../core/call.ts';
import type { PriceBook } from '../core/provider-port.ts';

/** Dollars; 0 where the model has no price. */
export function batchDiscount(
  prices: Pick<PriceBook, 'cost'>,
  { identity, model }: Pick<Submission, 'identity' | 'model'>,
  usage: Usage,
): number {
  const online = prices.cost(identity, model, usage, 'online') ?? 0;
  return online - (prices.cost(identity, model, usage, 'batch') ?? 0);
}
