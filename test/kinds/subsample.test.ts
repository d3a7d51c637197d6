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

  it('of prompts of which only some have a label leaves as many labels as are asked for', () => {
    const oracleLabels = data.logged.oracleLabels.map((label, row) => (row % 3 === 0 ? label : Number.NaN));
    const some = { ...data, logged: { ...data.logged, oracleLabels } };
    // Half of the 20 of 60 prompts that have one, and of 30 at most those that are among them.
    expect(
      labelledIds(new Subsampler(some, 7).draw({ prompts: 60, labelled: 1 / 6, ownLabelled: 0 }).logged),
    ).toHaveLength(10);
    const half = new Subsampler(some, 7).draw({ prompts: 30, labelled: 1, ownLabelled: 0 }).logged;
    expect(labelledIds(half)).toEqual(half.promptIds.filter((id) => Number(id.slice(1)) % 3 === 0));
  });

  it('of data without a log keeps one set of labels, and each column beside its row', () => {
    const near = data.freshDraws.get('near')!;
    const propensities = Float64Array.from(near.judgeScores, (_, row) => (row + 1) / 100);
    const draws = { ...near, labelPropensities: propensities };
    const drawn = new Subsampler({ ...data, pooled: true, freshDraws: new Map([['near', draws]]) }, 7).draw({
      prompts: 20,
      labelled: 0.25,
      ownLabelled: 0,
    });
    const own = drawn.freshDraws.get('near')!;
    const ownLabelled = own.promptIds.filter((_, row) => !Number.isNaN(own.oracleLabels[row]!));
    expect(ownLabelled).toEqual(labelledIds(drawn.logged));
    const rows = own.promptIds.map((id) => near.promptIds.indexOf(id));
    expect([...own.labelPropensities!]).toEqual(rows.map((row) => propensities[row]));
    expect([...own.responseLengths]).toEqual(rows.map((row) => near.responseLengths[row]));
    expect([...own.judgeVariances]).toEqual(rows.map((row) => near.judgeVariances[row]));
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
