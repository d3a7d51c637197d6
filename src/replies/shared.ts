/** Looks into a shared cache before anything is bought: what it has becomes a kept reply first, and is found as such. */

import type { KeyedCall } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { CallStore } from '../core/storage.ts';
import { lookUp } from './local.ts';
import type { Asker, Fetched, ReplySource } from './source.ts';

/** True where something was brought into the store that may be the answer to this call. */
export type BringAnswer = (key: Digest) => Promise<boolean>;

export function shared(bring: BringAnswer, calls: CallStore, next: ReplySource): ReplySource {
  return {
    async get(call: KeyedCall, asker: Asker): Promise<Fetched> {
      const known = !asker.again && (await bring(call.key)) ? lookUp(calls, call) : undefined;
      return known ?? next.get(call, asker);
    },
  };
}
