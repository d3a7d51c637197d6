import { describe, expect, it } from 'vitest';
import { repeats, scrub, scrubBody } from '../../src/providers/secrets.ts';

const KEYS = ['s3cret'];

describe('a key of fewer than eight characters', () => {
  it.each(['Incorrect key s3cret', 'Bearer s3cret is not valid', '"s3cret"', 'key=\\u00733cret.', 'auth:%73%33cret'])(
    'is blotted out of a message where it stands alone: %s',
    (text) => {
      expect(scrub(text, KEYS)).toContain('[credential]');
      expect(scrub(text, KEYS)).not.toContain('cret');
    },
  );

  it('is left where it is a part of a word', () => {
    for (const text of ['s3crets', 'as3cret', 's3cret-2', 'us-s3cret']) expect(scrub(text, KEYS)).toBe(text);
    expect(scrubBody({ a: ['no s3cret', 7] }, KEYS)).toEqual({ a: ['no [credential]', 7] });
  });

  it.each([
    ['{"error":"Bearer s3cret"}', true],
    ['{"api_key":"s3cret"}', true],
    ['{"content":"{\\"token\\": \\"s3cret\\"}"}', true],
    ['{"headers":{"Authorization":"s3cret"}}', true],
    ['{"content":"s3cret"}', false],
    ['{"content":"The answer is s3cret."}', false],
    ['{"content":"a key of s3crets"}', false],
  ])('is repeated by a reply that calls it a credential: %s is %s', (reply, isRepeated) => {
    expect(repeats(reply, KEYS)).toBe(isRepeated);
  });

  it('is no secret where it is a word alone, as of servers that check none', () => {
    for (const word of ['EMPTY', 'none', 'test']) {
      expect(repeats(`Bearer ${word}`, [word])).toBe(false);
      expect(scrub(`api_key="${word}"`, [word])).toBe(`api_key="${word}"`);
    }
  });
});
