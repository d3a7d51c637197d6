/** What a worker does with a job: checks it, brings its inputs, runs it as a build would, and gives its outputs, signed. */

import type { Kinds } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import { DamageError } from '../core/storage.ts';
import type { Executor, TransformResult } from '../engine/executor.ts';
import { nodeKey } from '../engine/keys.ts';
import type { Exchange } from '../remote/exchange.ts';
import type { LocalStore } from '../store/store.ts';
import { inputRefs, jobParts, readJob, taskOf, type WorkJob, type WorkOutcome, workKey } from './job.ts';

interface JobParts {
  readonly kinds: Kinds;
  readonly store: Pick<LocalStore, 'blobs'>;
  readonly exchange: Pick<Exchange, 'take' | 'giveRecord'>;
  readonly executor: Executor;
  readonly now: () => number;
}

/**
 * What is refused is done by the build, which then says itself what is wrong.
 *
 * @throws ProblemError where the shared cache cannot be reached: then the job may be tried again
 */
export async function doJob(data: unknown, parts: JobParts): Promise<WorkOutcome> {
  const job = readJob(data);
  if (job === undefined) return refused('it is no job that this worker understands');
  const own = parts.kinds.get(job.kind);
  if (own?.kind.shape !== 'transform') return refused(`this worker has no work of the kind ${job.kind}`);
  if (own.code !== job.code) {
    return refused(`the code of ${job.kind} here is ${own.code}, and the build's is ${job.code}: update cje`);
  }
  const lacking = await takeInputs(job, parts);
  if (lacking !== undefined) return refused(lacking);
  const result = await run(job, parts);
  if (typeof result === 'string') return refused(result);
  const { output, block, milliseconds } = result;
  const keys = jobParts(job);
  const index = await parts.exchange.giveRecord({
    key: workKey(nodeKey(keys), block),
    kind: job.kind,
    outputs: output.outputs,
    summary: output.summary,
    parts: keys,
    finishedAt: parts.now(),
  });
  return { type: 'made', index, milliseconds, ...(block === undefined ? {} : { to: block.to }) };
}

const refused = (reason: string): WorkOutcome => ({ type: 'refused', reason });

/** Why not, where an input cannot be had. */
async function takeInputs(job: WorkJob, { store, exchange }: JobParts): Promise<string | undefined> {
  const missing = () => inputRefs(job).find((ref) => store.blobs.locate(ref) === undefined);
  if (missing() === undefined) return undefined;
  const taken = await exchange.take(job.segments);
  if (taken.type === 'refused') return taken.reason;
  const still = missing();
  return still === undefined ? undefined : `the shared cache does not have its input ${still.digest}`;
}

/** The result, or why there is none. */
async function run(job: WorkJob, { store, executor }: JobParts): Promise<TransformResult | string> {
  try {
    const result = await executor.run(taskOf(job, store.blobs), () => true);
    return result ?? 'the worker was ended';
  } catch (error) {
    if (error instanceof ProblemError) return error.problems[0]?.headline ?? error.message;
    if (!(error instanceof DamageError)) throw error;
    if (error.ref !== undefined) store.blobs.setAside(error.ref);
    return error.message;
  }
}
