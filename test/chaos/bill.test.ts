/** 150 builds that are killed while a server bills and breaks. */

import { expect, it } from 'vitest';
import { expectBooksToHold } from '../helpers/billed-kills.ts';

it.concurrent.each([21, 22, 23])(
  'all that was charged is in the books (seed %i)',
  { timeout: 900_000 },
  async (seed) => {
    expect.hasAssertions();
    await expectBooksToHold(seed, 50);
  },
);
