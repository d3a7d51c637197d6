/** What the data file would take without free pages: never more than it takes. */

import { expect, it } from 'vitest';
import { dataFileSize } from '../../src/store/upkeep/cache-size.ts';

it.each([
  [1_000_000, 500_000 + 32_768],
  [510_000, 510_000],
])('of a data file of %d bytes with 500,000 bytes of entries %d are used', (file, used) => {
  const usage = () => ({
    file,
    tables: new Map([
      ['calls', 400_000],
      ['actions', 100_000],
    ]),
  });
  expect(dataFileSize({ database: { usage } } as never)).toEqual({ file, used });
});
