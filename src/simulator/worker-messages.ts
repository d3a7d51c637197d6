/** What a build and its simulator's thread say to each other. */

import type { Problem } from '../core/problem.ts';
import type { FaultRates } from './faults.ts';
import type { SimulatorOptions, SimulatorStats } from './server.ts';

/** Options that can cross to another thread. */
export interface WorkerOptions extends Omit<SimulatorOptions, 'faults'> {
  readonly faults?: FaultRates;
}

export type FromWorker =
  | { readonly type: 'listening'; readonly url: string }
  | { readonly type: 'refused'; readonly problems: readonly Problem[] }
  | { readonly type: 'stats'; readonly stats: SimulatorStats };

export type ToWorker = { readonly type: 'stats' } | { readonly type: 'close' };
