/** Builds in batches that are killed at random moments, in the short form; the long one is in test/chaos. */

import { describe, it } from 'vitest';
import { SHAPES } from '../helpers/batch-lab.ts';
import { expectBatchesToSurvive } from '../helpers/killed-batches.ts';

const KILLS = 4;

describe('a build in batches that is killed again and again', () => {
  it.concurrent.each(SHAPES.map((shape, index) => [shape, 1 + index] as const))(
    'adopts what is out, pays once and gives the same (%s, seed %i)',
    { timeout: 120_000 },
    (shape, seed) => expectBatchesToSurvive(shape, seed, KILLS),
  );
});
