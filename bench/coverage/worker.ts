/** A thread's part of a study. */

import { parentPort, workerData } from 'node:worker_threads';
import { type Cell, type Seeds, tallyStudy } from './study.ts';
import type { WorldSettings } from './world.ts';

export interface Part {
  readonly world: WorldSettings;
  readonly cells: readonly Cell[];
  readonly seeds: Seeds;
}

const { world, cells, seeds } = workerData as Part;
parentPort!.postMessage(tallyStudy(world, cells, seeds));
