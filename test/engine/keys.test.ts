import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import { canonicalJson, type Json } from '../../src/core/json.ts';
import { changedParts, type KeyParts, keyCall, nodeKey, walkParts } from '../../src/engine/keys.ts';
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

  it('puts keys in the order of their code units, also those that an object keeps in an order of its own', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 'x' }], a: undefined, Z: null })).toBe('{"Z":null,"b":[{"c":"x","d":1}]}');
    expect(canonicalJson({ b: 1, a: { 9: 1, 10: 2, '-': 3 } })).toBe('{"a":{"-":3,"10":2,"9":1},"b":1}');
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"a":2}}'))).toBe('{"__proto__":{"a":2},"b":1}');
  });

  it('refuses numbers that JSON has not', () => {
    expect(() => canonicalJson(Number.NaN)).toThrow(RangeError);
    expect(() => canonicalJson({ a: [Number.POSITIVE_INFINITY] })).toThrow(RangeError);
    expect(() => canonicalJson({ b: [Number.POSITIVE_INFINITY], a: 1 })).toThrow(RangeError);
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
    const { key, text, body, bytes } = keyCall(request);
    expect(keyCall({ ...request, written })).toMatchObject({ key, text, body, bytes });
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

describe('the parts of a node key', () => {
  const many: KeyParts = {
    kind: 'scores',
    code: 'c1',
    params: { b: 2, a: { d: [1], c: {} } },
    inputs: { z: { two: 'd2' as never, one: 'd1' as never }, y: { '': 'd3' as never } },
    sources: { t: 's2', s: 's1' },
  };
  const WALK = [
    '["protocol"]=1',
    '["kind"]="scores"',
    '["code"]="c1"',
    '["params","a","c"]={}',
    '["params","a","d"]=[1]',
    '["params","b"]=2',
    '["inputs","y",""]="d3"',
    // Labels come as they are wired: an output may depend on their order.
    '["inputs","z","two"]="d2"',
    '["inputs","z","one"]="d1"',
    '["sources","s"]="s1"',
    '["sources","t"]="s2"',
  ];

  it('are visited by name, but for labels, and all of them are hashed', () => {
    const seen: string[] = [];
    walkParts(many, { part: (path, value) => seen.push(`${JSON.stringify(path)}=${JSON.stringify(value)}`) });
    expect(seen).toEqual(WALK);
    expect(nodeKey(many)).toBe(digestText(WALK.join('\n')));
  });

  it('move the key one by one', () => {
    const d = 'd9' as never;
    const others: KeyParts[] = [
      { ...many, kind: 'oracle' },
      { ...many, code: 'c2' },
      { ...many, params: { ...many.params, b: 3 } },
      { ...many, inputs: { ...many.inputs, y: { '': d } } },
      { ...many, inputs: { ...many.inputs, z: { one: 'd1' as never, two: 'd2' as never } } },
      { ...many, inputs: { ...many.inputs, y: { other: 'd3' as never } } },
      { ...many, sources: { ...many.sources, s: 's3' } },
    ];
    expect(new Set([many, ...others].map(nodeKey)).size).toBe(1 + others.length);
  });
});
