/** What travels between builds and tills over the queue: some calls, and what became of them. */

import { z } from 'zod';
import type { CallFailure, PermanentFailure } from '../core/call.ts';
import { type Digest, digestText } from '../core/digest.ts';
import { isJsonObject } from '../core/json.ts';
import type { Known, StoredCall, StoredFailure } from '../core/storage.ts';
import type { CallMeter, Fetched } from '../replies/source.ts';
import type { BuildLimits } from './ledger.ts';

/** Calls of one job: few, because a job is done when its slowest call is. */
export const CHUNK = 16;

export interface AskedCall {
  /** The canonical text whose digest is the key; the body is in it. */
  readonly text: string;
  readonly node: string;
  /** Digest of the answer that is asked for anew; absent where any will do. */
  readonly superseding?: string;
}

export interface Chunk {
  readonly limits: BuildLimits;
  readonly calls: readonly AskedCall[];
}

export type CallAnswer = {
  /** A reply or a failure for good without its request, which the asker has; or why there is none. */
  readonly answer:
    | { readonly type: 'reply'; readonly stored: Omit<StoredCall, 'request'> }
    | { readonly type: 'failure'; readonly stored: Omit<StoredFailure, 'request'> }
    | Extract<Fetched, { readonly type: 'unavailable' }>;
  /** What this asking has cost: nothing, where the till had the answer. */
  readonly meter: Omit<CallMeter, 'inFlight'>;
};

/** It is shown and no more, so its reason need not be one that this version knows. */
const failure = z.custom<CallFailure>(
  (value) =>
    isJsonObject(value) &&
    typeof value.class === 'string' &&
    typeof value.reason === 'string' &&
    /^[a-z_]+$/.test(value.reason) &&
    typeof value.message === 'string',
);

const callRetry = z.strictObject({
  type: z.literal('call-retry'),
  /** Which call of the chunk. */
  call: z.int().min(0),
  failure,
  waitMilliseconds: z.number().min(0),
});

/** What a till tells of a chunk through BullMQ's progress: a try has failed, and there will be another. */
export type CallRetry = z.output<typeof callRetry>;

/** Undefined for what is no such notice. */
export const readCallRetry = (data: unknown): CallRetry | undefined => callRetry.safeParse(data).data;

/** The digest that stands for an answer in the ledger. */
export const answerDigest = (known: Known): string =>
  known.type === 'reply' ? digestText(known.stored.raw) : failureDigest(known.failure);

const failureDigest = (failure: PermanentFailure): Digest => digestText(JSON.stringify(failure));

/** Jobs of an account wait under this name, in keys that begin with the prefix. */
export const CALLS_QUEUE = 'calls';
export const queuePrefix = (account: string): string => `cje:{${account}}:queue`;
