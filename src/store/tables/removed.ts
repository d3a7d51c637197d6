/**
 * What replies had cost that were removed, and of which no build's record tells. Each removal is an entry of its own with
 * what it is of, so that a reply that comes back, in a pack or out of a damaged file, is not counted twice. What others
 * bought stands here too: it is in their books.
 */

import { addBills, type Bill, type UnrecordedPurchases } from '../../core/unrecorded.ts';
import type { Change, Database } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';

/** An entry: the bill, and what it is of; caches of before have one that does not say. */
export type RemovedBill = Bill & { readonly of?: readonly string[] };

interface RemovedPurchaseBook {
  readonly bill: Bill;
  readonly of: ReadonlySet<string>;
}

const PREFIX = 'unrecorded';
/** Of what came from elsewhere, where it is booked: an entry without a bill. */
const ELSEWHERE = 'elsewhere';
/** What one entry names. */
const IDS = 2000;
const NOTHING: Bill = { bought: 0, cost: 0, unknown: 0 };

/** Whether entries lie under such a key. */
export const isRemovedKey = (key: string): boolean =>
  key === PREFIX || [PREFIX, ELSEWHERE].some((prefix) => key.startsWith(`${prefix}/`));

export class RemovedPurchases {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  read(): RemovedPurchaseBook {
    let bill = NOTHING;
    const all = new Set<string>();
    for (const { value } of this.#database.scan('removed')) {
      const { of = [], ...entry }: RemovedBill = readChecksummed<RemovedBill>(value) ?? NOTHING;
      bill = addBills(bill, entry);
      for (const id of of) all.add(id);
    }
    return { bill, of: all };
  }

  /** Says of purchases that others made them, in whose books they are. */
  async bookedElsewhere(of: readonly string[]): Promise<void> {
    for (let from = 0; from < of.length; from += IDS) {
      const some = of.slice(from, from + IDS);
      const entry: RemovedBill = { ...NOTHING, of: some };
      await this.#database.change([['removed', `${ELSEWHERE}/${some[0]}`, addChecksum(entry)]]);
    }
  }

  /** Books what another database had booked under this key, unless more is booked here. */
  async restore(key: string, bill: RemovedBill): Promise<void> {
    const known = readChecksummed<RemovedBill>(this.#database.get('removed', key)) ?? NOTHING;
    // A later bill is never smaller; one of failures alone has as many replies and more dollars.
    if (bill.bought < known.bought || bill.cost < known.cost || bill.unknown < known.unknown) return;
    await this.#database.change([['removed', key, addChecksum(bill)]]);
  }

  /** The change that books more of it, to be made in the same commit as the removals; none where there is nothing. */
  adding({ bill, of }: UnrecordedPurchases): readonly Change[] {
    const [first] = of;
    if (first === undefined) return [];
    return [['removed', `${PREFIX}/${first}`, addChecksum({ ...bill, of })]];
  }
}
