/** Samples that hardly move when rows come or go: the rows whose seeded hash is lowest. */

import { digestText } from '../core/digest.ts';

/**
 * The ids of ⌈share · n⌉ of the n rows, chosen by the lowest hash of seed and id. Every row is equally likely; adding
 * one row changes at most one member, so a sample grows by paying for its new members alone.
 */
export function hashSample(ids: Iterable<string>, share: number, seed: number): ReadonlySet<string> {
  const all = [...ids];
  return new Set(lowestHashes(all, (id) => id, sampleSize(all.length, share), seed));
}

/** The `size` members with the lowest hashes of seed and id, lowest first: a smaller sample begins a larger one. */
export function lowestHashes<T>(members: readonly T[], idOf: (member: T) => string, size: number, seed: number): T[] {
  const ranked = members.map((member) => {
    const id = idOf(member);
    return { member, id, rank: digestText(`${seed}:${id}`) as string };
  });
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.id < b.id ? -1 : 1));
  return ranked.slice(0, size).map(({ member }) => member);
}

export const sampleSize = (rows: number, share: number): number => Math.ceil(rows * share - 1e-9);
