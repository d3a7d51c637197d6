/** A batch that was refused as a whole, for nothing, where the provider says which of its rows are wrong. */

import type { BatchStore, Submission } from '../core/batch.ts';
import type { BatchApi, BatchState } from '../core/batch-port.ts';
import type { CallFailure } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { CallStore } from '../core/storage.ts';

export interface BlamedRow {
  readonly key: Digest;
  readonly node: string;
  readonly failure: CallFailure;
}

/** The rows that a refusal names, each failed as it would have been online; failures for good are kept. */
export async function blameRows(
  submission: Submission,
  { mistakes }: BatchState,
  api: BatchApi,
  { store, calls, now }: { readonly store: BatchStore; readonly calls: CallStore; readonly now: () => number },
): Promise<readonly BlamedRow[]> {
  const keys = store.keys(submission.id);
  const blamed: BlamedRow[] = [];
  for (const { line, code, message } of mistakes) {
    const key = line === undefined ? undefined : keys[line];
    const call = key === undefined ? undefined : store.call(key);
    if (key === undefined || call === undefined) continue;
    const body = JSON.stringify({ error: { message, code, type: 'invalid_request_error' } });
    const { result } = api.judge(submission, { type: 'response', id: key, status: 400, body });
    if (result.ok) continue;
    const { failure } = result;
    const { node, request } = call;
    blamed.push({ key, node, failure });
    if (failure.class === 'permanent') await calls.putFailure(key, { request, failure, failedAt: now(), node });
  }
  return blamed;
}
