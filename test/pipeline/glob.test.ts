import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, oddPattern, oddSegment } from '../../src/pipeline/glob.ts';

const segment = fc.stringMatching(/^[a-z0-9_][a-z0-9_.+-]{0,6}$/).filter((text) => oddSegment(text) === undefined);
const path = fc.array(segment, { minLength: 1, maxLength: 4 });

describe('globs', () => {
  it.each([
    ['scores/*/p0', 'scores/deterministic/p0', 'deterministic'],
    ['scores/**', 'scores/deterministic/p0', 'deterministic/p0'],
    ['scores/**', 'scores', undefined],
    ['scores/*', 'scores/deterministic/p0', undefined],
    ['**/p0', 'p0', ''],
    ['**/p0', 'scores/deterministic/p0', 'scores/deterministic'],
    ['scores/**/p0', 'scores/p0', ''],
    ['responses/pi_*', 'responses/pi_cot', 'cot'],
    ['responses/pi_*', 'responses/p0', undefined],
    ['*/p*', 'responses/p0', 'responses/0'],
    ['a.c', 'abc', undefined],
    ['a.*', 'abc', undefined],
    ['p0', 'p0', ''],
    ['**', 'a/b', 'a/b'],
  ])('%s on %s leaves open %s', (pattern, name, label) => {
    expect(compileGlob(pattern).match(name)).toBe(label);
  });

  it('labels by what is open, so a renamed stage leaves labels as they were', () => {
    fc.assert(
      fc.property(segment, segment, path, (stage, renamed, rest) => {
        const label = (name: string) => compileGlob(`${name}/**`).match([name, ...rest].join('/'));
        expect(label(stage)).toBe(rest.join('/'));
        expect(label(renamed)).toBe(label(stage));
      }),
    );
  });

  it('can be filled in again: the labels in the place of the stars give the name back', () => {
    fc.assert(
      fc.property(path, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (segments, open) => {
        const pattern = segments.map((text, index) => (open[index] ? '*' : text)).join('/');
        const parts = compileGlob(pattern).match(segments.join('/'))?.split('/') ?? [];
        const filled = pattern.split('/').map((text) => (text === '*' ? parts.shift() : text));
        expect(filled.join('/')).toBe(segments.join('/'));
      }),
    );
  });

  it('tells any two nodes apart under a pattern with one `**`', () => {
    fc.assert(
      fc.property(path, path, segment, (first, second, stage) => {
        fc.pre(first.join('/') !== second.join('/'));
        const glob = compileGlob(`${stage}/**`);
        expect(glob.match([stage, ...first].join('/'))).not.toBe(glob.match([stage, ...second].join('/')));
      }),
    );
  });

  it.each(['', '/a', 'a/', 'a//b', 'a**', 'a/b**/c', 'a/[b]', 'a/?', 'a b', '../a', 'a/.', '{a,b}'])(
    'finds %j odd',
    (pattern) => {
      expect(oddPattern(pattern)).toBeTypeOf('string');
    },
  );

  it.each(['', 'a/b', '.', '..', 'a b', '-x', 'a*', 'a.', 'ü', 'a\nb'])('finds the segment %j odd', (text) => {
    expect(oddSegment(text)).toBeTypeOf('string');
  });
});
