/**
 * Prices that a library knows, for models that the experiment's own table does not name. The library is large, so it is
 * loaded only where such a model is declared.
 */

import { calcPrice, type ModelPrice as LibraryModel, type PriceCalculation } from '@pydantic/genai-prices';
import type { PriceEntry } from '../core/prices.ts';

/** The version that is in the bundle, and the day on which it was published: no price in it was read later. */
export const LIBRARY = { name: 'genai-prices', version: '0.1.8', date: '2026-09-23' } as const;

const HOUR = 3_600_000;

/**
 * A price on a day. Only addresses that the library knows have one: the same name on a server of one's own, or behind a
 * gateway that the library does not know, may cost anything.
 *
 * @param today milliseconds since the epoch.
 */
export function libraryPrice(baseUrl: string, model: string, today: number): PriceEntry | undefined {
  const at = (time: number) => calculated(baseUrl, model, time);
  const now = at(today);
  if (now === undefined) return undefined;
  // Some prices depend on the hour, and a build may last: the dearest of the day holds a cap.
  const hours = Array.isArray(now.model.prices)
    ? Array.from({ length: 24 }, (_, hour) => at(today + hour * HOUR))
    : [now];
  const prices = hours.flatMap((each) => (each === undefined ? [] : [entryOf(each.model_price)])).filter(isPriced);
  const dearest = prices.sort((a, b) => b.input + b.output - a.input - a.output)[0];
  if (dearest === undefined) return undefined;
  const { name, version, date } = LIBRARY;
  return { ...dearest, date, source: `${name} ${version}` };
}

function calculated(baseUrl: string, model: string, time: number): PriceCalculation | undefined {
  return calcPrice({ input_tokens: 1 }, model, { providerApiUrl: baseUrl, timestamp: new Date(time) }) ?? undefined;
}

function entryOf(price: LibraryModel): Partial<PriceEntry> {
  const [input, cached, output] = [price.input_mtok, price.cache_read_mtok, price.output_mtok].map(base);
  return {
    ...(input === undefined ? {} : { input }),
    ...(cached === undefined ? {} : { cached_input: cached }),
    ...(output === undefined ? {} : { output }),
  };
}

const isPriced = (entry: Partial<PriceEntry>): entry is PriceEntry =>
  entry.input !== undefined && entry.output !== undefined;

/** Of a price that rises with the length of a request, what the shorter ones pay. */
const base = (price: LibraryModel[string]): number | undefined => (typeof price === 'object' ? price.base : price);
