/**
 * What builds learnt of the limits of providers, in small files of the cache. A memory: without it, or with a damaged
 * one, a build finds the rates again; nothing that it makes differs.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../core/json.ts';

/** Something of each model, kept from build to build. */
export interface ModelMemory<T> {
  recall(identity: string, model: string): T | undefined;
  /** @param value null where nothing is known any more, so that it is forgotten */
  keep(identity: string, model: string, value: T | null): void;
}

/** @param cache the cache's folder */
export function learntRates(cache: string): ModelMemory<number> {
  const { recall, keep } = modelMemory(join(cache, 'rates.json'), rateIn);
  const rounded = (rate: number | null) => (rate === null ? null : Math.round(rate * 100) / 100);
  return { recall, keep: (identity, model, perMinute) => keep(identity, model, rounded(perMinute)) };
}

/**
 * Keeps the values in a file, by identity and then by model. What `read` does not know is as if it were not there.
 *
 * @param read undefined where it is none
 */
export function modelMemory<T>(path: string, read: (value: unknown) => T | undefined): ModelMemory<T> {
  let known: Record<string, unknown> | undefined;
  return {
    recall(identity, model) {
      known ??= objectIn(path);
      return read(own(own(known, identity), model));
    },
    keep(identity, model, value) {
      // Read anew, because another process may have learnt in the meantime.
      const all = objectIn(path);
      const models = Object.entries(own(all, identity) ?? {}).filter(
        ([name, kept]) => name !== model && read(kept) !== undefined,
      );
      if (value !== null) models.push([model, value]);
      try {
        const aside = `${path}.${process.pid}`;
        writeFileSync(aside, `${JSON.stringify({ ...all, [identity]: Object.fromEntries(models) }, null, 1)}\n`);
        renameSync(aside, path);
      } catch {
        // A full disk or a read-only cache only costs the memory.
      }
    },
  };
}

const own = (value: unknown, name: string): unknown =>
  isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const rateIn = (rate: unknown): number | undefined =>
  typeof rate === 'number' && Number.isFinite(rate) && rate > 0 ? rate : undefined;

function objectIn(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
