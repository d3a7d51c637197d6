/** Samples that hardly move when rows come or go: the rows whose seeded hash is lowest. */

import { digestText } from '../core/digest.ts';

/**
 * The ids of ⌈share · n⌉ of the n rows, chosen by the lowest hash of seed and id. Every row is equally likely; adding
 * one row changes at most one member, so a sample grows by paying for its new members alone.
 */
export function hashSample(ids: Iterable<string>, share: number, seed: number): ReadonlySet<string> {
  const ranked = [...ids].map((id) => ({ id, rank: digestText(`${seed}:${id}`) as string }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.id < b.id ? -1 : 1));
  return new Set(ranked.slice(0, sampleSize(ranked.length, share)).map(({ id }) => id));
}

export const sampleSize = (rows: number, share: number): number => Math.ceil(rows * share - 1e-9);
