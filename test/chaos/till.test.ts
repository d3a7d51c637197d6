/** Builders and tills that are killed at random moments, dozens of times. */

import { describe, it } from 'vitest';
import { killBuilders, killTills } from '../helpers/till-story.ts';

describe('an account with a till', { timeout: 900_000 }, () => {
  it('pays nothing twice when fifty builders are killed', () => killBuilders(21, 50));
  it('has every call that was paid twice in its books when twenty tills are killed', () => killTills(22, 20));
});
