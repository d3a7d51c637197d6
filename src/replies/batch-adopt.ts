/** Finds the batch that a submission became, where its id was never learnt: the process died, or the answer was lost. */

import type { BatchStore, Submission } from '../core/batch.ts';
import { type BatchApi, type BatchState, ResultsCut } from '../core/batch-port.ts';
import type { CallFailure } from '../core/call.ts';

export type Adopted =
  | { readonly type: 'found'; readonly submission: Submission; readonly state: BatchState }
  /** It may still turn up, or cannot be told from another that still runs. */
  | {
      readonly type: 'not-yet';
      readonly submission: Submission;
      readonly failure?: CallFailure;
      readonly lookAgain?: number | undefined;
    }
  /** It was never made, as far as anybody can tell. */
  | { readonly type: 'never-made' };

/**
 * @param claimed ids of batches that belong to other submissions
 * @param now milliseconds since the epoch
 */
export async function adopt(
  submission: Submission,
  api: BatchApi,
  store: BatchStore,
  { claimed, now }: { readonly claimed: ReadonlySet<string>; readonly now: number },
): Promise<Adopted> {
  const found = await api.find(submission);
  if (!found.ok) return { type: 'not-yet', submission, failure: found.failure, lookAgain: found.lookAgain };
  const rejected = new Set(submission.rejected);
  const candidates = found.value.filter(({ id }) => !claimed.has(id) && !rejected.has(id));
  const take = async (state: BatchState): Promise<Adopted> => {
    const running: Submission = { ...submission, state: 'running', batch: state.id, status: state.status };
    await store.put(running);
    return { type: 'found', submission: running, state };
  };
  if (api.named) {
    const [state] = candidates;
    if (state !== undefined) return take(state);
  } else {
    for (const state of candidates.filter(({ end }) => end !== undefined)) {
      const ours = await holdsOurs(submission, state, api, store);
      if (ours === undefined) return { type: 'not-yet', submission };
      if (ours) return take(state);
      rejected.add(state.id);
    }
  }
  const open = candidates.some(({ id }) => !rejected.has(id));
  const again =
    rejected.size > (submission.rejected?.length ?? 0) ? { ...submission, rejected: [...rejected] } : submission;
  if (again !== submission) await store.put(again);
  if (open || now - submission.at < api.settings.graceSeconds * 1000) return { type: 'not-yet', submission: again };
  return { type: 'never-made' };
}

/** Rows that tell whose a batch is. */
const ENOUGH = 64;

/** Whether an ended batch holds the submission's own requests; undefined where it cannot be read now. */
async function holdsOurs(
  submission: Submission,
  state: BatchState,
  api: BatchApi,
  store: BatchStore,
): Promise<boolean | undefined> {
  const keys = new Set<string>(store.keys(submission.id));
  try {
    let ours = 0;
    let others = 0;
    for await (const rows of api.rows(state)) {
      for (const row of rows) {
        if (row.type === 'unreadable') continue;
        if (keys.has(row.id) || keys.has(row.id.toLowerCase())) ours++;
        else others++;
      }
      if (ours + others >= ENOUGH) break;
    }
    return ours > others;
  } catch (error) {
    if (error instanceof ResultsCut) return undefined;
    throw error;
  }
}
