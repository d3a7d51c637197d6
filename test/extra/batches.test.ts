/** Builds in batches: of each shape, and killed at random moments in the short form; the long one is in test/chaos. */

import { describe, it } from 'vitest';
import { SHAPES } from '../helpers/batch-lab.ts';
import { expectHalfOfThePrice } from '../helpers/half-price.ts';
import { expectBatchesToSurvive } from '../helpers/killed-batches.ts';

const KILLS = 3;

describe('a build in batches', () => {
  it.concurrent.each(['anthropic', 'fireworks'] as const)('of the shape of %s costs half', expectHalfOfThePrice);

  it.concurrent.each(SHAPES.slice(0, 1).map((shape, index) => [shape, 1 + index] as const))(
    'that is killed adopts what is out, pays once and gives the same (%s, seed %i)',
    { timeout: 120_000 },
    (shape, seed) => expectBatchesToSurvive(shape, seed, KILLS),
  );
});
