import { describe, expect, it } from 'vitest';
import { type Problem, ProblemError } from '../../src/core/problem.ts';
import { checkPackable, findBuild } from '../../src/engine/build-name.ts';
import { buildRecord } from '../helpers/build-record.ts';
import { memoryStore } from '../helpers/memory-store.ts';

function logOf(...records: readonly (readonly [id: string, ...tags: string[]])[]) {
  const { builds, contents } = memoryStore();
  for (const [id, ...tags] of records) contents.builds.push(buildRecord(id, { tags }));
  return builds;
}

/** Newest first. */
const LOG = logOf(['2026-03', 'v2'], ['2026-02', 'v1', 'best'], ['2025-01', '2026']);

function problemOf(name: string, log = LOG): Problem {
  try {
    findBuild(log, name);
  } catch (error) {
    if (error instanceof ProblemError) return error.problems[0]!;
    throw error;
  }
  throw new Error(`${name} was found`);
}

describe('a build', () => {
  it.each([
    ['last', '2026-03'],
    ['last~0', '2026-03'],
    ['last~1', '2026-02'],
    ['last~2', '2025-01'],
    ['2026-02', '2026-02'],
    ['2025', '2025-01'],
    ['2025-', '2025-01'],
    ['v1', '2026-02'],
    ['best', '2026-02'],
    ['v2', '2026-03'],
  ])('named %s is %s', (name, id) => expect(findBuild(LOG, name).id).toBe(id));

  it('is not meant by what few builds begin with, or nothing is called', () => {
    for (const name of ['202', 'v3', 'last~', 'last~x', 'xlast']) {
      expect(problemOf(name)).toEqual({
        id: 'CJE-UNKNOWN-BUILD',
        headline: `there is no build "${name}"`,
        facts: [],
        hint: 'name it by its id, or last, last~1 and so on',
      });
    }
  });

  it('is not picked where several are meant', () => {
    // Two begin so, and a third is tagged so.
    expect(problemOf('2026')).toEqual({
      id: 'CJE-UNKNOWN-BUILD',
      headline: 'several builds are called "2026"',
      facts: [
        ['2026-03', 'a b'],
        ['2026-02', 'a b'],
        ['2025-01', 'a b'],
      ],
      hint: 'name it by its id, or last, last~1 and so on',
    });
    const many = logOf(...Array.from({ length: 7 }, (_, index) => [`2026-0${index}`] as const));
    expect(problemOf('2026', many).facts).toHaveLength(5);
  });

  it('counted from the last is none of the looks of a gate, which go by their ids', () => {
    const { builds, contents } = memoryStore();
    contents.builds.push(
      buildRecord('b4', { gate: 'b3' }),
      buildRecord('b3', { gate: 'b3' }),
      buildRecord('b2'),
      buildRecord('b1'),
    );
    expect(['last', 'last~1', 'b4'].map((name) => findBuild(builds, name).id)).toEqual(['b2', 'b1', 'b4']);
    expect(problemOf('last~2', builds).hint).toBe('the oldest is last~1');
  });

  it('before the oldest is not there', () => {
    expect(problemOf('last~3')).toEqual({
      id: 'CJE-UNKNOWN-BUILD',
      headline: 'there is no build last~3',
      facts: [['recorded', '3 builds']],
      hint: 'the oldest is last~2',
    });
    expect(problemOf('last', logOf())).toEqual({
      id: 'CJE-UNKNOWN-BUILD',
      headline: 'no build is recorded yet',
      facts: [],
      hint: 'cje build',
    });
  });
});

describe('a build to pack', () => {
  const packable = (exit: number, key: string | null) => () => {
    const node = { key, outcome: 'run', outputs: {}, bought: 0, cost: 0 } as never;
    checkPackable(LOG, buildRecord('2026-04', { exit, nodes: { a: node } }));
  };

  it('is one that was finished, or that finished a node at least', () => {
    expect(packable(0, null)).not.toThrow();
    expect(packable(1, 'key')).not.toThrow();
    expect(packable(0, 'key')).not.toThrow();
    expect(packable(1, null)).toThrow(expect.objectContaining({ exit: 1 }));
  });
});
