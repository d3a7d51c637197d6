/** What a worker tells of a job through BullMQ's progress, and what that means to the build. */

import { isJsonObject, type Json } from '../core/json.ts';
import type { JobMove } from './queue.ts';

export type JobProgress = { readonly type: 'taken' | 'given-back'; readonly worker: string };

/** Undefined for what no worker of this version says. */
export function moveOf(id: string, data: Json): JobMove | undefined {
  if (!isJsonObject(data) || typeof data.worker !== 'string') return undefined;
  const { type, worker } = data;
  if (type === 'taken') return { type, id, worker };
  return type === 'given-back' ? { type: 'returned', id, reason: type } : undefined;
}
