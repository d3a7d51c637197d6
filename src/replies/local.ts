/** The replies that are in the store: the first place that is asked, and the only one that is asked synchronously. */

import type { KeyedCall } from '../core/call.ts';
import type { CallStore, Known } from '../core/storage.ts';

/** What is kept of a call: a reply, or a failure for good. */
export function lookUp(store: CallStore, call: KeyedCall): Known | undefined {
  const reply = storedReply(store, call);
  if (reply !== undefined) return reply;
  const failed = store.failure(call.key);
  if (failed !== undefined && failed.request === call.text) return { type: 'failure', failure: failed.failure };
  return undefined;
}

/** The reply alone, without a look into the ledger of failures. */
export function storedReply(store: CallStore, call: KeyedCall): Known | undefined {
  const stored = store.find(call);
  return stored === undefined ? undefined : { type: 'reply', stored };
}
