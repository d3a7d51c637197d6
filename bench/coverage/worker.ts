/** A thread's part of a study. */

import { parentPort, workerData } from 'node:worker_threads';
import { type Cell, type Seeds, type StudyWorld, tallyStudy } from './study.ts';

export interface Part {
  readonly world: StudyWorld;
  readonly cells: readonly Cell[];
  readonly seeds: Seeds;
  readonly pairs: boolean;
}

const { world, cells, seeds, pairs } = workerData as Part;
parentPort!.postMessage(tallyStudy(world, cells, seeds, pairs));
