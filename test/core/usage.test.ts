import { describe, expect, it } from 'vitest';
import { countedTokens, isCounted, isExcessive, usageText } from '../../src/core/usage.ts';

const usage = (inputTokens: number, outputTokens: number) => ({ inputTokens, cachedInputTokens: 0, outputTokens });

describe('usage', () => {
  it('is no count where it is below nothing, or more than any context holds', () => {
    expect([0, 1, 10_000_000].map(countedTokens)).toEqual([0, 1, 10_000_000]);
    expect([-1, 10_000_001, 1e9, 1e308, Number.NaN, '7', null].map(countedTokens)).toEqual(Array(7).fill(undefined));
  });

  it('counts a text, or an echo that has none of its own', () => {
    expect(isCounted(usage(5, 1), 20)).toBe(true);
    expect(isCounted(usage(5, 0), 0)).toBe(true);
    expect(isCounted(usage(5, 0), 20)).toBe(false);
    expect(isCounted(usage(0, 1), 20)).toBe(false);
  });

  it('is excessive where no request of that size comes to it', () => {
    expect(isExcessive(usage(164, 20), 100, 20)).toBe(false);
    expect(isExcessive(usage(165, 20), 100, 20)).toBe(true);
    expect(isExcessive(usage(164, 21), 100, 20)).toBe(true);
    expect(isExcessive(usage(164, 21), 100, undefined)).toBe(false);
  });

  it('is told by model and provider, and not at all where nothing is odd', () => {
    const tally = { identity: 'a', model: 'm', calls: 40, inputTokens: 9, cachedInputTokens: 0, outputTokens: 9 };
    expect(usageText(tally)).toBeUndefined();
    expect(usageText({ ...tally, uncounted: 3, excessive: 1 })).toBe(
      'm at a: the usage of 3 of 40 replies is missing or cannot be true, so their cost is not known; ' +
        '1 of 40 replies count more tokens than their requests allow, and are billed as told',
    );
  });
});
