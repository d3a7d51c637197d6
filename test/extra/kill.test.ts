/** Builds that are killed at random moments, in the short form; the long one is in test/chaos. */

import { describe, it } from 'vitest';
import { expectKillsToBeHarmless } from '../helpers/killed-builds.ts';

const KILLS = 7;

describe('a build that is killed', () => {
  it.concurrent.each([1])('again and again, goes on where it stopped (seed %i)', { timeout: 120_000 }, (seed) =>
    expectKillsToBeHarmless(seed, KILLS),
  );
});
