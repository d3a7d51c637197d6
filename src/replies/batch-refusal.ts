/** A batch that was refused as a whole, for nothing, where the provider says which of its rows are wrong. */

import type { BatchStore, Submission } from '../core/batch.ts';
import type { BatchApi, BatchState } from '../core/batch-port.ts';
import type { CallFailure, FatalFailure, TransientFailure } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { CallStore } from '../core/storage.ts';
import { nameOf, transient } from './batch-text.ts';

const BAD_REQUEST = 400;
const TOO_MANY = 429;

type Mistake = BatchState['mistakes'][number];

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
    const failure = failureOf(submission, { code, message }, api);
    if (failure === undefined) continue;
    const { node, request } = call;
    blamed.push({ key, node, failure });
    if (failure.class === 'permanent') await calls.putFailure(key, { request, failure, failedAt: now(), node });
  }
  return blamed;
}

/** What a mistake would be to a single call online. */
function failureOf(
  submission: Submission,
  { code, message }: Pick<Mistake, 'code' | 'message'>,
  api: BatchApi,
  status = BAD_REQUEST,
): CallFailure | undefined {
  const body = JSON.stringify({ error: { message, code, type: 'invalid_request_error' } });
  const { result } = api.judge(submission, { type: 'response', id: submission.id, status, body });
  return result.ok ? undefined : result.failure;
}

/**
 * The failure of a batch of which no row is to blame. What is wrong with the account or its key is that: no other lane helps.
 * A quota is told by words that only an answer about limits uses.
 *
 * @param full whether the account has too much waiting
 */
export function refusal(
  submission: Submission,
  { mistakes, status }: BatchState,
  api: BatchApi,
  full: boolean,
): TransientFailure | FatalFailure {
  const message = `${nameOf(submission)} was refused as a whole: ${mistakes[0]?.message ?? status}`;
  if (full) return transient('batch_limit', message);
  for (const mistake of mistakes) {
    for (const status of [BAD_REQUEST, TOO_MANY]) {
      const failure = failureOf(submission, mistake, api, status);
      if (failure?.class === 'fatal') return { ...failure, message };
    }
  }
  return transient('batch_refused', message);
}
