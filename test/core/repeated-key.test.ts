import fc from 'fast-check';
import { expect, it } from 'vitest';
import { repeatedKey } from '../../src/core/repeated-key.ts';

it.each<[string, string | undefined]>([
  ['{"a": 1, "b": 2}', undefined],
  ['{"a": 1, "a": 1}', 'a'],
  ['{"a": "a", "b": "a"}', undefined],
  ['[{"a": 1}, {"a": 2}]', undefined],
  ['{"x": {"a": 1}, "a": {"x": 1}}', undefined],
  ['{"x": [{"b": 1, "c": ["b", "c"], "b": 2}]}', 'b'],
  ['{"a\\"": 1, "a\\u0022": 2}', 'a"'],
  ['{"a\\\\": 1, "a": 2}', undefined],
  ['{"a": "}, \\"a\\": {", "b": []}', undefined],
  ['"a"', undefined],
])('in %s', (text, name) => {
  expect(repeatedKey(text)?.name).toBe(name);
});

it('is told where it stands again, and is in nothing that was written from a value', () => {
  expect(repeatedKey('{"a": 1,\n "a": 2}')?.offset).toBe(10);
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, spaced) => {
      expect(repeatedKey(JSON.stringify(value, null, spaced ? 1 : undefined))).toBeUndefined();
    }),
  );
});
