import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemProblem } from '../../src/core/system-problem.ts';

describe('what the machine would not do', () => {
  it.each([
    ['ENOSPC', 'CJE-CACHE-FULL', /^no space left on the disk: \/x\/y$/],
    ['EDQUOT', 'CJE-CACHE-FULL', /^the disk quota is used up: \/x\/y$/],
    ['EFBIG', 'CJE-CACHE-FULL', /^a file may become no longer: \/x\/y$/],
    ['EMFILE', 'CJE-SYSTEM', /^too many open files: \/x\/y$/],
    ['EACCES', 'CJE-SYSTEM', /^a file or folder may not be written or read: \/x\/y$/],
  ])('is a problem with a place: %s', (code, id, headline) => {
    const error = Object.assign(new Error(`${code}: it says so`), { code, path: '/x/y' });
    const problem = systemProblem(error)!;
    expect(problem.problems[0]).toMatchObject({ id, headline: expect.stringMatching(headline) });
    expect(problem.problems[0]!.facts).toEqual([['reason', `${code}: it says so`]]);
    expect(problem.exit).toBe(1);
  });

  it('is nothing else', () => {
    expect(systemProblem(new TypeError('x is undefined'))).toBeUndefined();
    expect(systemProblem('ENOSPC')).toBeUndefined();
    let missing: unknown;
    try {
      openSync('/nowhere/at/all', 'r');
    } catch (error) {
      missing = error;
    }
    expect(systemProblem(missing)).toBeUndefined();
  });
});
