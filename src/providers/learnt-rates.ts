/**
 * What builds learnt of the limits of providers, in small files of the cache. A memory: without it, or with a damaged
 * one, a build finds the rates again; nothing that it makes differs.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../core/json.ts';
import type { LearntRates } from './client.ts';

/** By identity, then by model: requests a minute. */
type Rates = Record<string, Record<string, number>>;

const FILE = 'rates.json';

/** The same of the prompt tokens that may wait in batches. */
export const learntTokens = (cache: string): LearntRates => learntRates(cache, 'batch-tokens.json');

/** @param cache the cache's folder */
export function learntRates(cache: string, file = FILE): LearntRates {
  const path = join(cache, file);
  let read: Rates | undefined;
  return {
    recall(identity, model) {
      read ??= readRates(path);
      return rateIn(read, identity, model);
    },
    keep(identity, model, perMinute) {
      // Read anew, because another process may have learnt in the meantime.
      const rates = readRates(path);
      const models = Object.hasOwn(rates, identity) ? rates[identity] : {};
      const { [model]: _, ...others } = models ?? {};
      const kept = perMinute === null ? others : { ...models, [model]: Math.round(perMinute * 100) / 100 };
      try {
        const aside = `${path}.${process.pid}`;
        writeFileSync(aside, `${JSON.stringify({ ...rates, [identity]: kept }, null, 1)}\n`);
        renameSync(aside, path);
      } catch {
        // A full disk or a read-only cache only costs the memory.
      }
    },
  };
}

function rateIn(rates: Rates, identity: string, model: string): number | undefined {
  const models: unknown = Object.hasOwn(rates, identity) ? rates[identity] : undefined;
  const rate = isJsonObject(models) && Object.hasOwn(models, model) ? models[model] : undefined;
  return typeof rate === 'number' && Number.isFinite(rate) && rate > 0 ? rate : undefined;
}

function readRates(path: string): Rates {
  try {
    const rates: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isJsonObject(rates) ? (rates as Rates) : {};
  } catch {
    return {};
  }
}
