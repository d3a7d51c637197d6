import { expect, it } from 'vitest';
import { credentialOf, missingKeys, repeats, scrub, scrubBody } from '../../src/providers/secrets.ts';
import { provider } from './support.ts';

it.each([
  ['abcdefg1', true],
  ['abcdef1', false],
  ['abcdefgh', false],
  ['x'.repeat(20), true],
  ['x'.repeat(19), false],
  ['not-needed', false],
])('takes %s for a secret: %s', (key, secret) => {
  const text = `it says ${key}, twice ${key}`;
  expect(repeats(text, key)).toBe(secret);
  expect(scrub(text, key)).toBe(secret ? 'it says [credential], twice [credential]' : text);
  expect(scrubBody({ [key]: [text, 1, null] }, key)).toEqual(
    secret ? { '[credential]': ['it says [credential], twice [credential]', 1, null] } : { [key]: [text, 1, null] },
  );
  expect(repeats('nothing of it', key)).toBe(false);
});

it('has nothing to keep where there is no key', () => {
  expect([repeats('a', undefined), scrub('a', undefined), scrubBody(['a'], undefined)]).toEqual([false, 'a', ['a']]);
});

it('reads a key without the white space around it, and takes none that holds some', () => {
  const keyed = provider({ name: 'lab', keyVariable: 'KEY' });
  const of = (value: string | undefined) => credentialOf(keyed, () => value);
  expect(of(' sk-1\n')).toEqual({ ok: true, key: 'sk-1' });
  for (const value of [undefined, '', ' '])
    expect(of(value)).toMatchObject({ ok: false, failure: { reason: 'no_key' } });
  for (const value of ['a b', 'ä', 'a\u007fb'])
    expect(of(value)).toMatchObject({ ok: false, failure: { reason: 'bad_key' } });
  expect(credentialOf(provider({}), () => 'x')).toEqual({ ok: true, key: undefined });
  const missing = (value: string | undefined) => missingKeys([keyed, provider({})], () => value);
  expect(missing(' ')).toEqual([{ provider: keyed, variable: 'KEY' }]);
  expect(missing('x')).toEqual([]);
});
