import { expect, it } from 'vitest';
import { number, openShare, portNumber, positiveNumber, wholeNumber } from '../../src/cli/numbers.ts';
import { ProblemError } from '../../src/core/problem.ts';

/** The value, or what is said in its place. */
function of(read: (text: string) => unknown, text: string): unknown {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof ProblemError) return error.problems[0]!.headline;
    throw error;
  }
}

it.each<[string, unknown, unknown, unknown, unknown]>([
  ['0', 0, 0, '--n takes a number from 1 on, not "0"', 0],
  ['7', 7, 7, 7, 7],
  ['65535', 65_535, 65_535, 65_535, 65_535],
  ['65536', 65_536, 65_536, 65_536, 'no port'],
  ['1.5', 1.5, 'no whole', 'no whole', 'no port'],
  ['-1', 'no', 'no whole', 'no whole', 'no port'],
  ['', 'no', 'no whole', 'no whole', 'no port'],
  [' ', 'no', 'no whole', 'no whole', 'no port'],
  ['many', 'no', 'no whole', 'no whole', 'no port'],
  ['1e999', 'no', 'no whole', 'no whole', 'no port'],
  ['9007199254740993', 9_007_199_254_740_992, 'no whole', 'no whole', 'no port'],
])('%j is read as a number, a whole one, a count and a port, or refused', (text, any, whole, positive, port) => {
  const told: Readonly<Record<string, string>> = {
    no: `--n takes a number from 0 on, such as 2 or 0.5, not ${JSON.stringify(text)}`,
    'no whole': `--n takes a whole number from 0 on, not ${JSON.stringify(text)}`,
    'no port': `--port takes a number from 0 to 65535, not ${JSON.stringify(text)}`,
  };
  const expected = (value: unknown) => (typeof value === 'string' ? (told[value] ?? value) : value);
  expect([
    of((given) => number('--n', given), text),
    of((given) => wholeNumber('--n', given), text),
    of((given) => positiveNumber('--n', given), text),
    of(portNumber, text),
  ]).toEqual([any, whole, positive, port].map(expected));
});

it('an option that is not given has no number', () => {
  expect([number('--n', undefined), wholeNumber('--n', undefined), positiveNumber('--n', undefined)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it.each([
  ['0.05', 0.05],
  ['0.999', 0.999],
  ['0', '--alpha lies between 0 and 1, and is 0'],
  ['1', '--alpha lies between 0 and 1, and is 1'],
  ['1.5', '--alpha lies between 0 and 1, and is 1.5'],
])('%j is read as a share that is neither none nor all, or refused', (text, read) => {
  expect(of((given) => openShare('--alpha', given), text)).toEqual(read);
});
