import { describe, expect, it } from 'vitest';
import { isExpected, mixedText, type ServedModel, servedText, snapshotsIn } from '../../src/core/served-model.ts';
import type { CallTally, ServedName } from '../../src/core/summary.ts';

describe('the model that answered is the one that was asked', () => {
  it.each([
    ['h-scout', 'h-scout'],
    ['h-scout', 'H-Scout'],
    ['h-scout', 'ORG/h-scout'],
    ['meta-llama/H-Scout', 'h-scout'],
    ['openrouter/openai/gpt-4o', 'openai/gpt-4o'],
    ['accounts/fireworks/models/scout', 'scout'],
    ['llama3', 'llama3:latest'],
    ['llama3:latest', 'llama3'],
    ['m', 'm-2026-01-01'],
    ['m', 'm-2024-05'],
    ['m', 'm-20260101'],
    ['gpt-4', 'gpt-4-0613'],
    ['mistral-large', 'mistral-large-2407'],
    ['claude', 'claude@20240620'],
    ['gpt-4o-2024-08-06', 'gpt-4o'],
    ['M', 'org/m-2026-01-01'],
    ['m-mini', 'm-mini-2026-01-01'],
    ['a b', ' a b '],
  ])('%s and %s', (asked, served) => {
    expect(isExpected(asked, served, undefined)).toBe(true);
    expect(isExpected(served, asked, undefined)).toBe(true);
  });

  it.each([
    ['h-scout', 'cheap-mini-q4'],
    ['m', 'm-mini'],
    ['m', 'm-q4'],
    ['m', 'm-turbo'],
    ['m', 'm-4096'],
    ['m', 'm-2026-13-01'],
    ['m', 'm2026-01-01'],
    ['m', 'm:free'],
    ['m', 'm-mini-2026-01-01'],
    ['m-2024-05-13', 'm-2024-08-06'],
    ['a/m', 'b/m'],
    ['m', '-2026-01-01'],
    ['m', ''],
    ['m', '__proto__'],
  ])('but %s and %s are two', (asked, served) => {
    expect(isExpected(asked, served, undefined)).toBe(false);
    expect(isExpected(served, asked, undefined)).toBe(false);
  });

  it('as is one that the provider file lists, by the same rule', () => {
    const rule = { answersAs: ['cheap'] };
    expect(isExpected('m', 'cheap', undefined)).toBe(false);
    expect(isExpected('m', 'ORG/Cheap-2026-01-01', rule)).toBe(true);
    expect(isExpected('m', 'cheaper', rule)).toBe(false);
  });
});

const tally = (model: string, calls: number, served?: ServedName[]): CallTally => ({
  identity: 'p',
  model,
  calls,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  ...(served === undefined ? {} : { served }),
});
const rule = (more: Partial<ServedModel>): ServedModel => ({
  identity: 'p',
  model: 'm',
  answersAs: [],
  mismatch: 'refuse',
  oneSnapshot: false,
  ...more,
});

describe('what is said of served names', () => {
  it('is nothing where all is as asked', () => {
    expect(servedText(tally('m', 40))).toBeUndefined();
    expect(mixedText(tally('m', 40), undefined)).toBeUndefined();
  });

  it('counts the replies that were refused for their model', () => {
    const mixed = tally('h-scout', 20, [
      { name: 'cheap', replies: 20, refused: 20 },
      { name: 'h-scout', replies: 20 },
    ]);
    expect(servedText(mixed)).toBe('20 of 40 replies say cheap (refused), asked h-scout');
    expect(mixedText(mixed, undefined)).toBe('20 of 40 replies say cheap (refused), asked h-scout');
  });

  it('is no warning for one dated name or a listed one, and one for two snapshots', () => {
    const dated = tally('m', 4, [{ name: 'm-2024-05', replies: 4 }]);
    expect(servedText(dated)).toBe('4 of 4 replies say m-2024-05, asked m');
    expect(mixedText(dated, undefined)).toBeUndefined();
    const listed = tally('m', 4, [{ name: 'other', replies: 4 }]);
    expect(mixedText(listed, undefined)).toBe('4 of 4 replies say other, asked m');
    expect(mixedText(listed, rule({ answersAs: ['other'] }))).toBeUndefined();
    const two = tally('m', 4, [
      { name: 'm-2024-05', replies: 3 },
      { name: 'm-2025-11', replies: 1 },
    ]);
    expect(mixedText(two, undefined)).toBe(
      '3 of 4 replies say m-2024-05, 1 say m-2025-11, asked m: answers of several snapshots are mixed',
    );
  });

  it('takes two spellings for one snapshot, and none of what was refused', () => {
    const spelled = tally('m', 4, [
      { name: 'M-2024-05', replies: 2 },
      { name: 'org/m-2024-05', replies: 2 },
      { name: 'x', replies: 3, refused: 3 },
    ]);
    expect(snapshotsIn(spelled, rule({ answersAs: ['m-2024-05'] }))).toEqual([]);
    expect(snapshotsIn(spelled, undefined)).toEqual([{ name: 'M-2024-05', replies: 4 }]);
  });
});
