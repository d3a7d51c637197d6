/** A record of a build in round numbers, for what reads records. */

import type { BuildRecord } from '../../src/core/storage.ts';

export function buildRecord(id: string, more: Partial<BuildRecord> = {}): BuildRecord {
  return {
    id,
    startedAt: 0,
    finishedAt: 0,
    experiment: 'x',
    profile: 'sim',
    targets: ['a', 'b'],
    exit: 0,
    totals: {
      nodes: { run: 1234, cached: 7, failed: 8, refused: 9, skipped: 10 },
      calls: { bought: 0, cached: 3, failed: 4 },
      cost: { billed: 2.5, saved: 1, reproduce: 5 },
    },
    nodes: {},
    ...more,
  };
}
