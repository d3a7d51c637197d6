/** The replies that are in the store: the first place that is asked, and the only one that is asked synchronously. */

import type { KeyedCall } from '../core/call.ts';
import type { CallStore, Known } from '../core/storage.ts';
import type { LookUpOptions } from './source.ts';

export function lookUp(store: CallStore, call: KeyedCall, options: LookUpOptions): Known | undefined {
  const stored = store.find(call);
  if (stored !== undefined) return { type: 'reply', stored };
  if (options.forgetFailures) return undefined;
  const failed = store.failure(call.key);
  if (failed !== undefined && failed.request === call.text) return { type: 'failure', failure: failed.failure };
  return undefined;
}
