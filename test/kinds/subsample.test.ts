import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundHalfEven, Subsampler } from '../../src/stats/subsample.ts';
import { labelledData } from './labelled-data.ts';

const data = labelledData({ prompts: 60 });
const rank = (id: string, seed: number, tag: string) =>
  createHash('sha256').update(`${id}|${seed}|${tag}`).digest('hex');
const labelledIds = (drawn: typeof data.logged) =>
  drawn.promptIds.filter((_, row) => !Number.isNaN(drawn.oracleLabels[row]!));

describe('Subsampler', () => {
  it('takes the prompts, and among them the labels, with the smallest hashes', () => {
    const drawn = new Subsampler(data, 7).draw({ prompts: 20, labelled: 0.25, ownLabelled: 0.1 });
    const byHash = (ids: readonly string[], tag: string) =>
      [...ids].sort((a, b) => (rank(a, 7, tag) < rank(b, 7, tag) ? -1 : 1));
    const sample = byHash(data.logged.promptIds, 'sample').slice(0, 20);
    expect(new Set(drawn.logged.promptIds)).toEqual(new Set(sample));
    expect(new Set(labelledIds(drawn.logged))).toEqual(new Set(byHash(sample, 'label').slice(0, 5)));
    const own = drawn.freshDraws.get('near')!;
    const ownLabelled = own.promptIds.filter((_, row) => !Number.isNaN(own.oracleLabels[row]!));
    expect(new Set(ownLabelled)).toEqual(new Set(byHash(sample, 'own-label').slice(0, 2)));
  });

  it('keeps every column of a row together, in the order of the rows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(50),
        (n, share, seed) => {
          const { logged, freshDraws } = new Subsampler(data, seed).draw({
            prompts: n,
            labelled: share,
            ownLabelled: 0,
          });
          const rows = logged.promptIds.map((id) => data.logged.promptIds.indexOf(id));
          expect(rows).toEqual([...rows].sort((a, b) => a - b));
          expect(rows).toHaveLength(n);
          expect(labelledIds(logged)).toHaveLength(roundHalfEven(share * n));
          for (const [at, row] of rows.entries()) {
            expect(logged.judgeScores[at]).toBe(data.logged.judgeScores[row]);
            expect(logged.targetLogprobs.get('far')![at]).toBe(data.logged.targetLogprobs.get('far')![row]);
            if (!Number.isNaN(logged.oracleLabels[at]!)) {
              expect(logged.oracleLabels[at]).toBe(data.logged.oracleLabels[row]);
            }
          }
          for (const [policy, draws] of freshDraws) {
            expect(draws.promptIds).toEqual(logged.promptIds);
            expect([...draws.judgeScores]).toEqual(rows.map((row) => data.freshDraws.get(policy)!.judgeScores[row]));
            expect(draws.oracleLabels.every(Number.isNaN)).toBe(true);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('nests: a larger subset and a larger slice hold the smaller ones', () => {
    const sampler = new Subsampler(data, 3);
    const small = sampler.draw({ prompts: 20, labelled: 0.2, ownLabelled: 0 }).logged;
    const more = sampler.draw({ prompts: 20, labelled: 0.5, ownLabelled: 0 }).logged;
    const large = sampler.draw({ prompts: 40, labelled: 0.5, ownLabelled: 0 }).logged;
    expect(large.promptIds).toEqual(expect.arrayContaining([...small.promptIds]));
    expect(labelledIds(more)).toEqual(expect.arrayContaining(labelledIds(small)));
  });

  it('refuses more prompts than there are', () => {
    const sampler = new Subsampler(data, 3);
    expect(() => sampler.draw({ prompts: 61, labelled: 1, ownLabelled: 0 })).toThrow(RangeError);
  });
});

describe('roundHalfEven', () => {
  it('rounds as Python does', () => {
    expect([62.5, 63.5, 25, 24.9, 0.5, 1.5, 0.25].map(roundHalfEven)).toEqual([62, 64, 25, 25, 0, 2, 0]);
  });
});
