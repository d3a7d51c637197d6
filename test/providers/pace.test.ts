/** The rate that refusals teach, by hand. */

import { describe, expect, it } from 'vitest';
import { paceAt, refuse, rememberedPace, sendOne, waitForPace } from '../../src/providers/pace.ts';

describe('a remembered pace', () => {
  it('sends one at once, and learns from its refusal although both are of the same moment', () => {
    const pace = rememberedPace(600, 1_000);
    expect(waitForPace(pace, 1_000)).toBe(0);
    const sent = sendOne(pace, 1_000);
    expect(waitForPace(sent, 1_000)).toBeGreaterThan(0);
    const refused = refuse(sent, { at: 1_000, number: 1 }, 1_400);
    expect(paceAt(refused, 1_400)).toBeLessThan(paceAt(sent, 1_000));
    expect(refused.cutAt).toBe(1_400);
  });

  it('learns nothing from what was sent before the cut', () => {
    const pace = refuse(sendOne(rememberedPace(600, 1_000), 1_000), { at: 1_000, number: 1 }, 1_400);
    expect(refuse(pace, { at: 1_399, number: 2 }, 1_500)).toBe(pace);
  });
});
