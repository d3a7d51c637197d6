/** Sends a batch: written down first, uploaded, then made. What is not on disk is not sent. */

import type { BatchStore, Submission } from '../core/batch.ts';
import type { BatchApi, BatchStep } from '../core/batch-port.ts';
import type { CallFailure } from '../core/call.ts';
import { digestText } from '../core/digest.ts';
import { transient } from './batch-text.ts';
import type { CollectedCall } from './collected-calls.ts';

export interface BatchTarget {
  readonly identity: string;
  readonly model: string;
  readonly path: string;
}

/** One text for equal targets. */
export const targetName = ({ identity, path, model }: BatchTarget): string => `${identity}\n${path}\n${model}`;

export type Submitted =
  /** It is made; or may have been, and is looked for. */
  | { readonly type: 'sent'; readonly submission: Submission }
  /** It was not made, and nothing of it is kept: it is more than the provider takes at once. */
  | { readonly type: 'too-large' }
  /** It was not made, and nothing of it is kept. */
  | { readonly type: 'failed'; readonly failure: CallFailure };

/** What a server says that has no such address or takes no such request. Of a single call it would be about the model. */
const NO_BATCHES = /^(404|405|410) (?!.*model)/i;

/** A batch that is refused is no word on any one of its calls. */
function refused(failure: CallFailure): CallFailure {
  if (NO_BATCHES.test(failure.message)) {
    return transient('batch_refused', `the provider takes no batches at the address of \`batch:\`: ${failure.message}`);
  }
  return failure.class === 'permanent'
    ? transient('batch_refused', `a batch was refused: ${failure.message}`)
    : failure;
}

/** The submission as it is first written down. */
export function newSubmission(
  target: BatchTarget,
  calls: readonly CollectedCall[],
  tokens: number,
  at: number,
): Submission {
  const { identity, model, path } = target;
  const keys = calls.map(({ key }) => key).sort();
  const id = digestText(['batch', identity, path, model, String(at), ...keys].join('\n'));
  const dollars = calls.reduce((sum, { permit }) => sum + permit.dollars, 0);
  return { id, identity, model, path, state: 'prepared', count: calls.length, dollars, tokens, at };
}

type Refused = Extract<BatchStep<unknown>, { readonly ok: false }>;

export async function submit(
  submission: Submission,
  calls: readonly CollectedCall[],
  api: BatchApi,
  store: BatchStore,
): Promise<Submitted> {
  const { id, model, path } = submission;
  await store.open(
    submission,
    calls.map(({ key, node, request, permit: { dollars } }) => [key, { submission: id, node, request, dollars }]),
  );
  const give = async ({ failure, tooLarge }: Refused): Promise<Submitted> => {
    await store.close(id);
    return tooLarge && calls.length > 1 ? { type: 'too-large' } : { type: 'failed', failure: refused(failure) };
  };
  const batch = { id, model, path, calls };
  const uploaded = await api.upload(batch);
  if (!uploaded.ok) return give(uploaded);
  const input = uploaded.value;
  const creating: Submission = { ...submission, state: 'creating', ...(input === undefined ? {} : { input }) };
  await store.put(creating);
  const created = await api.create(batch, input);
  if (!created.ok) return created.maybeDone ? { type: 'sent', submission: creating } : give(created);
  const running: Submission = { ...creating, state: 'running', batch: created.value.id, status: created.value.status };
  await store.put(running);
  return { type: 'sent', submission: running };
}
