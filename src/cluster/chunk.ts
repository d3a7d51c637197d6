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
  /** What this asking has cost: nothing, where the till had the answer. Tills send no batches. */
  readonly meter: Omit<CallMeter, 'inFlight' | 'discount'>;
};

/** Its reason need not be one that this version knows. */
const failureOf = <C extends CallFailure>(...classes: readonly C['class'][]) =>
  z.custom<C>(
    (value) =>
      isJsonObject(value) &&
      classes.some((each) => each === value.class) &&
      typeof value.reason === 'string' &&
      /^[a-z_]+$/.test(value.reason) &&
      typeof value.message === 'string',
  );
const number = z.number();
const text = z.string();

const storedReply = z.object({
  raw: text,
  usage: z.object({ inputTokens: number, cachedInputTokens: number, outputTokens: number }),
  model: text,
  identity: text,
  cost: number.nullable(),
  reserved: number.exactOptional(),
  boughtAt: number,
  node: text,
  batch: text.exactOptional(),
});

const storedFailure = z.object({
  failure: failureOf<PermanentFailure>('permanent'),
  failedAt: number,
  node: text,
  raw: text.exactOptional(),
  cost: number.exactOptional(),
});

const modelBill = z.object({
  identity: text,
  model: text,
  bought: number,
  cost: number,
  unknown: number.exactOptional(),
});

const keptReply = z.object({ type: z.literal('reply'), stored: storedReply });
const keptFailure = z.object({ type: z.literal('failure'), stored: storedFailure });

const answers: z.ZodType<CallAnswer[]> = z.array(
  z.object({
    answer: z.discriminatedUnion('type', [
      keptReply,
      keptFailure,
      z.object({
        type: z.literal('unavailable'),
        failure: failureOf<Exclude<CallFailure, PermanentFailure>>('transient', 'fatal', 'stopped'),
      }),
    ]),
    meter: z.object({
      bought: number,
      failed: number,
      cost: number,
      unknown: number,
      doubted: number,
      models: z.array(modelBill),
    }),
  }),
);

/** An answer that was kept, without its request. */
export type KeptAnswer = Exclude<CallAnswer['answer'], { readonly type: 'unavailable' }>;

/** An answer as Redis holds it for tills elsewhere. */
interface HeldAnswer {
  /** The canonical text of the call. */
  readonly text: string;
  readonly answer: KeptAnswer;
}

const heldAnswer: z.ZodType<HeldAnswer> = z.object({
  text,
  answer: z.discriminatedUnion('type', [keptReply, keptFailure]),
});

/** Undefined for what is no such answer. */
export function readHeld(written: string): HeldAnswer | undefined {
  try {
    return heldAnswer.safeParse(JSON.parse(written)).data;
  } catch {
    return undefined;
  }
}

export const writeHeld = (held: HeldAnswer): string => JSON.stringify(held);

/** One for each call of a chunk; undefined for what is none. */
export function readAnswers(value: unknown, calls: number): readonly CallAnswer[] | undefined {
  const { data } = answers.safeParse(value);
  return data?.length === calls ? data : undefined;
}

const callRetry = z.strictObject({
  type: z.literal('call-retry'),
  /** Which call of the chunk. */
  call: z.int().min(0),
  failure: failureOf<CallFailure>('permanent', 'transient', 'fatal', 'stopped'),
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
