/** Which rows a sample has: those whose hash is lowest, so that it grows without dropping any. */

import { describe, expect, it } from 'vitest';
import {
  firstPrompts,
  hashedEach,
  hashSample,
  lowestHashes,
  sampleSize,
  takenInOrder,
} from '../../src/datasets/sample.ts';

const ids = Array.from({ length: 40 }, (_, i) => `q${i}`);

describe('a sample', () => {
  it('has its share of the rows, rounded up but for rounding itself', () => {
    expect(sampleSize(10, 0.25)).toBe(3);
    expect(sampleSize(8, 0.25)).toBe(2);
    // 0.1 · 30 is 3.0000000000000004.
    expect(sampleSize(30, 0.1)).toBe(3);
    expect(hashSample(ids, 0.25, 1).size).toBe(10);
  });

  it('of fewer rows begins one of more, and depends on the seed alone', () => {
    const ranked = lowestHashes(ids, (id) => id, 40, 7);
    expect(lowestHashes([...ids].reverse(), (id) => id, 5, 7)).toEqual(ranked.slice(0, 5));
    expect([...hashSample(ids, 0.5, 7)].sort()).toEqual([...ranked.slice(0, 20)].sort());
    expect(lowestHashes(ids, (id) => id, 5, 8)).not.toEqual(ranked.slice(0, 5));
  });

  it('by each row’s own hash keeps whom it had when rows or the share grow', () => {
    const [few, more] = [hashedEach(ids, 0.25, 3), hashedEach(ids, 0.75, 3)];
    expect([...few].every((id) => more.has(id))).toBe(true);
    expect(few.size).toBeLessThan(more.size);
    expect(hashedEach(ids, 1, 3).size).toBe(40);
    expect(hashedEach(ids, 0, 3).size).toBe(0);
  });

  it('of the first prompts has every row of each, where it was', () => {
    const order = takenInOrder(ids);
    const rows = ids.flatMap((prompt_id) => [0, 1].map((draw) => ({ prompt_id, draw })));
    const first = firstPrompts(rows, 3);
    expect(first).toEqual(rows.filter(({ prompt_id }) => order.slice(0, 3).includes(prompt_id)));
    expect(first).toHaveLength(6);
    expect(firstPrompts(rows, undefined)).toBe(rows);
  });
});
