/** The price table as it is written: a dated YAML file that the provider file names, and that the report reads too. */

import { z } from 'zod';
import type { PriceTable, Provider } from './graph.ts';

const dollars = z.number().min(0);
const day = z.iso.date('must be a day such as 2025-07-13');

/** `{date, models: {MODEL or PROVIDER/MODEL: {input, cached_input?, output}}}`, dollars per million tokens. */
export const pricesFile = z.strictObject({
  date: day,
  models: z.record(
    z.string(),
    z.strictObject({
      input: dollars,
      /** Absent where the provider sells no cached input. */
      cached_input: dollars.optional(),
      output: dollars,
      /** The share of these prices that a call in a batch costs; the provider's where absent. */
      batch: z.number().min(0).max(1).optional(),
      /** The day of this price, where it is not the table's. */
      date: day.optional(),
      /** Where it was read. */
      source: z.string().optional(),
    }),
  ),
});
type PricesFile = z.infer<typeof pricesFile>;
/** A price as it is written. */
export type PriceEntry = PricesFile['models'][string];
/** Prices from elsewhere than the experiment's own table. */
export type KnownPrice = (baseUrl: string, model: string) => PriceEntry | undefined;

export function priceTableOf({ date, models }: PricesFile): PriceTable {
  const priced = Object.entries(models).map(
    ([name, { input, cached_input: cachedInput, output, batch, date: day, source }]) =>
      [
        name,
        {
          input,
          ...(cachedInput === undefined ? {} : { cachedInput }),
          output,
          ...(batch === undefined ? {} : { batch }),
          ...(day === undefined ? {} : { date: day }),
          ...(source === undefined ? {} : { source }),
        },
      ] as const,
  );
  return { date, models: Object.fromEntries(priced) };
}

/**
 * A table's entries, and each entry `NAME/MODEL` of a provider also as `IDENTITY/MODEL`, so that whoever looks a price
 * up needs no names of providers. An entry that is written by the identity stays. The one by the name stays too: to
 * another provider it may be a model's whole id.
 */
export function withIdentities<E>(
  entries: Iterable<readonly [name: string, entry: E]>,
  providers: readonly Pick<Provider, 'name' | 'identity'>[],
): Map<string, E> {
  const all = new Map(entries);
  for (const [written, entry] of [...all]) {
    for (const { name, identity } of providers) {
      if (!written.startsWith(`${name}/`)) continue;
      const exact = `${identity}${written.slice(name.length)}`;
      if (!all.has(exact)) all.set(exact, entry);
    }
  }
  return all;
}
