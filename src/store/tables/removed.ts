/** What replies had cost that were removed, and of which no build's record tells. */

import { addBills, type Bill } from '../../core/unrecorded.ts';
import type { Change, Database } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';

/** The key of the one entry. */
export const REMOVED = 'unrecorded';
const NOTHING: Bill = { bought: 0, cost: 0, unknown: 0 };

export class RemovedPurchases {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  bill(): Bill {
    return readChecksummed<Bill>(this.#database.get('removed', REMOVED)) ?? NOTHING;
  }

  /** Books what another database had booked, unless more is booked here. */
  async restore(bill: Bill): Promise<void> {
    const known = this.bill();
    // A later bill is never smaller; one of failures alone has as many replies and more dollars.
    if (bill.bought < known.bought || bill.cost < known.cost || bill.unknown < known.unknown) return;
    await this.#database.change([['removed', REMOVED, addChecksum(bill)]]);
  }

  /** The change that books more of it, to be made in the same commit as the removals. */
  adding(bill: Bill): Change {
    return ['removed', REMOVED, addChecksum(addBills(this.bill(), bill))];
  }
}
