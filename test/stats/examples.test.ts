import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { labelledAffinity } from '../../src/stats/diagnostics/score-overlap.ts';
import * as stats from '../../src/stats/index.ts';
import { kolmogorovSmirnovP, rankSumP } from '../../src/stats/numeric/rank-tests.ts';
import { FIXTURES, loadCase } from './support/reference-data.ts';

const root = path.resolve(import.meta.dirname, '../../src/stats');
const EXAMPLE = /@example\n \* (.+) \/\/ (.+)\n \*\/\nexport function (\w+)/g;

/** What an example may name beside the exports. */
const data = loadCase(path.join(FIXTURES, 'plain'));
const [first, second] = stats.estimate({ estimator: 'direct' }, data).policies;
const inner = { labelledAffinity, kolmogorovSmirnovP, rankSumP };
const scope: Readonly<Record<string, unknown>> = { ...stats, ...inner, data, first, second, compute: () => undefined };

const examples = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => [...readFileSync(path.join(root, file), 'utf8').matchAll(EXAMPLE)])
  .map(([, code, result, name]) => ({ code: code!, result: result!, name: name! }));

function rounded(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return rounded(Array.from(value as Float64Array));
  return JSON.parse(JSON.stringify(value), (_, v) => (typeof v === 'number' ? Number(v.toPrecision(6)) : v));
}

describe('the example of', () => {
  test.each(examples)('$name gives what it says', ({ code, result }) => {
    const value: unknown = new Function(...Object.keys(scope), `return ${code}`)(...Object.values(scope));
    expect(rounded(value)).toEqual(JSON.parse(result));
  });

  test('every public function is there', () => {
    const functions = Object.entries(stats).filter(
      ([, value]) => typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value)),
    );
    const told = examples.map(({ name }) => name).filter((name) => !Object.hasOwn(inner, name));
    expect(told.sort()).toEqual(functions.map(([name]) => name).sort());
  });
});
