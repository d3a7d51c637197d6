/**
 * Takes in what came back of a batch. Rows are on disk before the batch is forgotten, and taking them in twice changes
 * nothing, so results that break off are read again.
 */

import type { Submission } from '../core/batch.ts';
import { type BatchApi, type BatchState, ResultsCut } from '../core/batch-port.ts';
import { type Harvest, HarvestLedger, type LedgerPorts } from './harvest-ledger.ts';

interface HarvestPorts extends LedgerPorts {
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Results that break off, or lack calls that they should hold, are read again after these waits; milliseconds. */
const WAITS = [500, 2_000];

/**
 * @returns undefined where the batch is empty, or has fewer answers than the provider counts, for the first time
 * @throws ResultsCut where the results cannot be read: nothing is lost, and they may be another time
 */
export async function harvest(
  submission: Submission,
  state: BatchState,
  api: BatchApi,
  ports: HarvestPorts,
): Promise<Harvest | undefined> {
  const ledger = new HarvestLedger(submission, state, api, ports);
  for (let reading = 0; ; reading++) {
    const wait = WAITS[reading];
    try {
      await ledger.read();
      if (!ledger.isShort || wait === undefined) {
        return ledger.isDoubtful && !submission.doubted ? undefined : await ledger.close();
      }
    } catch (error) {
      if (!(error instanceof ResultsCut)) throw error;
      if (error.failure.class === 'permanent') return ledger.close(error.message);
      if (wait === undefined) throw error;
    }
    // Many a proxy cuts a long answer without a word. What comes again is not taken twice.
    await ports.sleep(wait);
    await ledger.lookAgain();
  }
}
