/** Batches that are asked for where none can be made. */

import { expect, it } from 'vitest';
import { checkLane } from '../../src/cli/batch-options.ts';
import type { BatchSettings } from '../../src/core/batch.ts';

const none = { providers: [{ name: 'lab' }, { name: 'home' }] };

it('is refused where no provider makes any, by name, and is fine where one does', () => {
  const batch: BatchSettings = {
    api: 'openai',
    rows: 1,
    bytes: 1,
    echo: false,
    price: 0.5,
    pollSeconds: 1,
    graceSeconds: 1,
    patienceSeconds: 1,
  };
  expect(() => checkLane('batch', none)).toThrow('--lane batch finds no provider that makes batches ("lab", "home")');
  for (const lane of ['online', undefined] as const) expect(() => checkLane(lane, none)).not.toThrow();
  expect(() => checkLane('batch', { providers: [...none.providers, { name: 'hosted', batch }] })).not.toThrow();
});
