import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../src/core/json.ts';
import { changedParts, type KeyParts, keyCall, nodeKey } from '../../src/engine/keys.ts';
import { toyRequest } from '../helpers/toy.ts';

const json = fc.jsonValue() as fc.Arbitrary<Json>;

/** The same value with every object's keys in another order. */
function shuffled(value: Json): Json {
  if (Array.isArray(value)) return value.map((member: Json) => shuffled(member));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, shuffled(member as Json)]),
  );
}

describe('canonical JSON', () => {
  it('is the same text whatever the order of keys, and reads back as the same value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('refuses numbers that JSON has not', () => {
    expect(() => canonicalJson(Number.NaN)).toThrow(RangeError);
    expect(() => canonicalJson({ a: [Number.POSITIVE_INFINITY] })).toThrow(RangeError);
  });
});

describe('a call key', () => {
  it('moves with body, draw, identity and path, and with nothing else', () => {
    const request = toyRequest('word', 'a');
    const { key } = keyCall(request);
    expect(keyCall({ ...request, body: { max_tokens: 5, prompt: 'word', model: 'parrot' } }).key).toBe(key);
    expect(keyCall({ ...request, decode: () => ({ ok: false, problem: 'other' }) }).key).toBe(key);
    const others = [
      { ...request, draw: 'b' },
      { ...request, identity: 'elsewhere' },
      { ...request, path: '/chat/completions' as const },
      toyRequest('word ', 'a'),
      toyRequest('word', 'a', { temperature: 0 }),
    ];
    expect(new Set([key, ...others.map((other) => keyCall(other).key)]).size).toBe(1 + others.length);
  });
});

const parts: KeyParts = {
  kind: 'scores',
  code: 'c1',
  params: { judge: { template: 'rate {{response}}', temperature: 0 } },
  inputs: { responses: { '': 'd1' as never } },
  sources: {},
};

describe('the text of a body that was written beforehand', () => {
  it('counts for that body alone', () => {
    const request = toyRequest('word', 'a');
    const written = { body: request.body, pieces: [canonicalJson(request.body)] };
    expect(keyCall({ ...request, written })).toEqual({ ...keyCall(request), request: { ...request, written } });
    const other = { ...request.body, prompt: 'another' };
    expect(keyCall({ ...request, body: other, written }).key).toBe(keyCall({ ...request, body: other }).key);
  });
});

describe('a node key', () => {
  it('moves exactly when the explanation names a change', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (a, b) => {
        const before = { ...parts, params: a };
        const after = { ...parts, params: b };
        expect(nodeKey(before) === nodeKey(after)).toBe(changedParts(before, after).length === 0);
        expect(nodeKey({ ...parts, params: shuffled(a) as typeof a })).toBe(nodeKey(before));
      }),
    );
  });

  it('names the parts that changed', () => {
    const after: KeyParts = {
      ...parts,
      code: 'c2',
      params: { judge: { template: 'grade {{response}}', temperature: 0 } },
    };
    expect(changedParts(parts, after)).toEqual([
      { path: ['code'], before: 'c1', after: 'c2' },
      { path: ['params', 'judge', 'template'], before: 'rate {{response}}', after: 'grade {{response}}' },
    ]);
    expect(nodeKey(parts)).not.toBe(nodeKey(after));
  });
});
