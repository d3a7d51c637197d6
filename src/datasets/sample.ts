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
export function lowestHashes<T>(
  members: readonly T[],
  idOf: (member: T) => string,
  size: number,
  seed: number | string,
): T[] {
  const ranked = members.map((member) => {
    const id = idOf(member);
    return { member, id, rank: digestText(`${seed}:${id}`) as string };
  });
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.id < b.id ? -1 : 1));
  return ranked.slice(0, size).map(({ member }) => member);
}

/** A seed that no sample has: the order in which prompts are taken must not be that in which they are labelled. */
const FIRST = 'first';

/** Ids in the order in which a growing experiment takes them. */
export const takenInOrder = (ids: Iterable<string>): string[] => {
  const all = [...new Set(ids)];
  return lowestHashes(all, (id) => id, all.length, FIRST);
};

/** The rows of the first `size` prompts in that order, where they were; all without a size. */
export function firstPrompts<T extends { readonly prompt_id: string }>(
  rows: readonly T[],
  size: number | undefined,
): readonly T[] {
  if (size === undefined) return rows;
  const taken = new Set(takenInOrder(rows.map(({ prompt_id }) => prompt_id)).slice(0, size));
  return rows.filter(({ prompt_id }) => taken.has(prompt_id));
}

/** The ids of about a share of the rows, each chosen by its own hash alone: more rows choose more, and drop none. */
export function hashedEach(ids: Iterable<string>, share: number, seed: number): ReadonlySet<string> {
  const chosen = new Set<string>();
  for (const id of ids) if (uniformHash(`${seed}:${id}`) < share) chosen.add(id);
  return chosen;
}

/** On [0, 1), of the first 48 bits. */
const uniformHash = (text: string): number => Number.parseInt(digestText(text).slice(0, 12), 16) / 2 ** 48;

export const sampleSize = (rows: number, share: number): number => Math.ceil(rows * share - 1e-9);
