/** Studies shared out to one thread a core: the same rows, however many. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { RunStudy } from './main.ts';
import { coverageRows, joinTallies, type Tally, tallyStudy } from './study.ts';
import type { Part } from './worker.ts';

/** @param workerFile the bundled worker. */
export function studyOnThreads(workerFile: string, threads = availableParallelism()): RunStudy {
  return async (world, cells, seeds, pairs = false) => {
    // In this thread, which then knows the values of the worlds before.
    if (threads === 1) return coverageRows(world, tallyStudy(world, cells, seeds, pairs), seeds);
    const share = Math.ceil(seeds.count / threads);
    const parts = Array.from({ length: threads }, (_, k) => ({
      first: seeds.first + k * share,
      count: Math.max(0, Math.min(share, seeds.count - k * share)),
    }));
    const tallies = await Promise.all(parts.map((part) => tallyOf(workerFile, { world, cells, seeds: part, pairs })));
    return coverageRows(world, joinTallies(tallies), seeds);
  };
}

function tallyOf(workerFile: string, part: Part): Promise<Tally[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile, { workerData: part });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
