/** The numbers, tables and texts of three builds against the values that were accepted with `npm run golden`. */

import { beforeAll, describe, expect, it } from 'vitest';
import { differences, summary } from '../../scripts/golden/compare.mjs';
import { buildAll, goldens, RUNS, type Texts } from '../../scripts/golden/runs.mjs';

let built: Readonly<Record<string, Texts>>;
beforeAll(() => {
  built = buildAll();
}, 180_000);

describe.each(RUNS)('golden values of the run %s', (run) => {
  const golden = goldens(run);

  it('are of the same files', () => {
    expect(Object.keys(built[run]!).sort()).toEqual(Object.keys(golden));
    expect(golden['estimates.json']!.length).toBeGreaterThan(10_000);
  });

  it.each(Object.keys(golden))('%s', (file) => {
    const found = differences(file, golden[file]!, built[run]![file]!);
    expect(summary(found), 'if this change is right: npm run golden').toBe('');
  });
});
