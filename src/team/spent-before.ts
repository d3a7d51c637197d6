/** What the books of an account begin with, where there are none: everything that this cache knows to be spent. */

import { unresolvedIntents } from '../replies/intents.ts';
import type { LocalStore } from '../store/store.ts';

type SpentStore = Pick<LocalStore, 'calls' | 'intents' | 'removed'>;

export function spentBefore({ calls, intents, removed }: SpentStore): {
  readonly spent: number;
  readonly unknown: number;
} {
  // What was removed is in no answer any more, and was paid for all the same.
  const { bill } = removed.read();
  let spent = bill.cost;
  let unknown = bill.unknown;
  // What was billed for no answer, and for one that was asked anew since, was billed all the same.
  for (const answers of [calls.scan(), calls.scanFailures(), calls.scanSuperseded()]) {
    for (const { value } of answers) {
      spent += value?.cost ?? 0;
      if (value !== undefined && 'reserved' in value) unknown += value.reserved ?? 0;
    }
  }
  for (const { intent } of unresolvedIntents(intents, calls)) unknown += intent.dollars;
  return { spent, unknown };
}
