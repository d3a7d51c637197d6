/** Builds that are killed at random moments, hundreds of times. */

import { describe, it } from 'vitest';
import { expectKillsToBeHarmless } from '../helpers/killed-builds.ts';

const KILLS = 75;

describe('a build that is killed', () => {
  it.concurrent.each([11, 12, 13, 14])(
    'again and again, goes on where it stopped (seed %i)',
    { timeout: 900_000 },
    (seed) => expectKillsToBeHarmless(seed, KILLS),
  );
});
