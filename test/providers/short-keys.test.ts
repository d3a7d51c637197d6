import { describe, expect, it } from 'vitest';
import { repeats, scrub, scrubBody } from '../../src/providers/secrets.ts';

const KEYS = ['s3cret'];

describe('a key of fewer than eight characters', () => {
  it.each([
    'Incorrect key s3cret',
    'sk-s3cret',
    '_s3cret_',
    's3cret-2',
    'Bearer s3cret is not valid',
    '"s3cret"',
    'key=\\u00733cret.',
    'auth:%73%33cret',
  ])('is blotted out of a message where it stands alone: %s', (text) => {
    expect(scrub(text, KEYS)).toContain('[credential]');
    expect(scrub(text, KEYS)).not.toContain('cret');
  });

  it('is blotted out of base64', () => {
    for (const before of ['', 'x', 'xy']) {
      const encoded = Buffer.from(`${before}s3cret!`).toString('base64');
      expect(scrub(`header ${encoded}`, KEYS)).toContain('[credential]');
    }
  });

  it('is left where it is a part of a word', () => {
    for (const text of ['s3crets', 'as3cret', '2s3cret', 's3cret2']) expect(scrub(text, KEYS)).toBe(text);
    expect(scrubBody({ a: ['no s3cret', 7] }, KEYS)).toEqual({ a: ['no [credential]', 7] });
  });

  it.each([
    ['{"error":"Bearer s3cret"}', true],
    ['{"api_key":"s3cret"}', true],
    ['{"content":"{\\"token\\": \\"s3cret\\"}"}', true],
    ['{"headers":{"Authorization":"s3cret"}}', true],
    ['{"headers":{"Authorization":"Bearer sk-s3cret"}}', true],
    ['{"content":"s3cret"}', false],
    ['{"content":"The answer is s3cret."}', false],
    ['{"content":"a key of s3crets"}', false],
  ])('is repeated by a reply that calls it a credential: %s is %s', (reply, isRepeated) => {
    expect(repeats(reply, KEYS)).toBe(isRepeated);
  });

  it('is told from one of eight, which is a secret wherever it stands', () => {
    const reply = (key: string) => JSON.stringify({ content: `The answer is ${key}.` });
    expect(['s3cret7', 's3cret78'].map((key) => repeats(reply(key), [key]))).toEqual([false, true]);
    // One of three guards nothing.
    expect(['s3c', 's3cr'].map((key) => repeats(JSON.stringify({ api_key: key }), [key]))).toEqual([false, true]);
  });

  it('is no secret where it is a word alone, as of servers that check none', () => {
    for (const word of ['EMPTY', 'none', 'test']) {
      expect(repeats(`Bearer ${word}`, [word])).toBe(false);
      expect(scrub(`api_key="${word}"`, [word])).toBe(`api_key="${word}"`);
    }
  });
});

describe('a key of letters alone', () => {
  const WORD = 'elephantine';

  it.each([
    `{"content":"${WORD}"}`,
    `{"content":"the key is:\\n${WORD}."}`,
    `{"content":"sk-${WORD}"}`,
    `{"content":"_${WORD}_"}`,
    `{"content":"KEY_${WORD}-1"}`,
    '{"content":"\\u0065lephantine"}',
    `{"url":"?a=b%20${WORD}&c"}`,
    `{"content":"${Buffer.from(`x-api-key: ${WORD}`).toString('base64')}"}`,
  ])('is never kept nor shown where it is a word by itself: %s', (reply) => {
    expect(repeats(reply, [WORD])).toBe(true);
    expect(repeats(scrub(reply, [WORD]), [WORD])).toBe(false);
  });

  it('is not taken for a part of other words', () => {
    for (const text of ['elephantinely', 'unelephantine', '2elephantine', 'Elephantine', 'elephant']) {
      expect(repeats(text, [WORD])).toBe(false);
      expect(scrub(text, [WORD])).toBe(text);
    }
  });

  it.each(['qwErTzuiOp', 'correct-horse', 'abcdefghijklmnopqrst'])(
    'is found anywhere where it is no word: %s',
    (key) => {
      expect(repeats(`xx${key}yy`, [key])).toBe(true);
    },
  );

  it.each(['password', 'hunter', 'PASSWORD'])(
    'that any answer may hold counts where it is called a credential: %s',
    (key) => {
      expect(repeats(`{"content":"Do not tell your ${key} to anyone"}`, [key])).toBe(false);
      expect(repeats(`{"content":"Bearer ${key}"}`, [key])).toBe(true);
      expect(scrub(`Bearer ${key} is wrong`, [key])).toBe('Bearer [credential] is wrong');
    },
  );

  it.each(['not-needed', 'EMPTY', 'sk-no-key-required', 'ollama'])('is none where it stands for no key: %s', (key) => {
    expect(repeats(`Bearer ${key}`, [key])).toBe(false);
    expect(scrub(key, [key])).toBe(key);
  });
});
