import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildIdAfter } from '../../src/core/build-id.ts';

const moment = fc.integer({ min: 0, max: Date.UTC(2999, 0) });
const chance = fc.double({ min: 0, max: 0.999_999, noNaN: true });

describe('the id of the next build', () => {
  it('sorts after the last one, however far the clock was set back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(moment, chance), { minLength: 2 }), (starts) => {
        const ids: string[] = [];
        for (const [now, random] of starts) ids.push(buildIdAfter(ids.at(-1), now, () => random));
        expect([...ids].sort()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it('is the time of the build where the clock goes forward', () => {
    const first = buildIdAfter(undefined, 1_760_000_000_000, () => 0.5);
    expect(first).toBe('20251009-085320-000-ssss');
    expect(buildIdAfter(first, 1_760_000_000_500, () => 0)).toBe('20251009-085320-500-aaaa');
    expect(buildIdAfter('named-by-hand', 5, () => 0)).toBe('19700101-000000-005-aaaa');
  });
});
