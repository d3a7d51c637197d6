/** Batches: what a provider file says of them, what is written down of each, and what the lane needs of a provider. */

import type { CallFailure, Usage } from './call.ts';
import type { Digest } from './digest.ts';
import type { CallRequest, CallResult, TryOutcome } from './provider-port.ts';

/** How a call is bought: at once, or in a batch that costs less and comes later. No part of a key. */
export type Lane = 'online' | 'batch';
export const LANES: readonly Lane[] = ['online', 'batch'];

/** The shapes of batch APIs. */
export const BATCH_APIS = ['openai', 'anthropic', 'fireworks'] as const;
export type BatchApiName = (typeof BATCH_APIS)[number];

/** What a provider file says of a provider's batches. */
export interface BatchSettings {
  readonly api: BatchApiName;
  /** Where batches are sent, where that is not below the provider's own address. */
  readonly baseUrl?: string;
  /** The most requests, and bytes of input, of one batch. */
  readonly rows: number;
  readonly bytes: number;
  /** Prompt tokens that may be out for one model at once. */
  readonly enqueuedTokens?: number;
  /** Whether it gives the log probabilities of prompts. */
  readonly echo: boolean;
  /** The share of the online price, where the price table does not say. */
  readonly price: number;
  /** Between the first two looks at a batch; later looks are rarer. */
  readonly pollSeconds: number;
  /** How long a batch that may have been created is looked for before it counts as never made. */
  readonly graceSeconds: number;
}

/**
 * `prepared`: nothing was sent that makes a batch. `creating`: it may exist, under an id that is not known yet.
 * `running`: its id is known.
 */
export type SubmissionState = 'prepared' | 'creating' | 'running';

/** A batch as it is written down, before anything is sent. */
export interface Submission {
  /** What it is called at the provider, too: a digest of lane, provider, model, keys and time. */
  readonly id: Digest;
  readonly identity: string;
  readonly model: string;
  readonly path: string;
  readonly state: SubmissionState;
  readonly count: number;
  /** Dollars that are set aside for it, at batch prices. */
  readonly dollars: number;
  /** Prompt tokens that a provider is likely to count. */
  readonly tokens: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The provider's handle on what was uploaded. */
  readonly input?: string;
  /** The provider's id. */
  readonly batch?: string;
  /** What the provider last said of it. */
  readonly status?: string;
  readonly cancelling?: true;
  /** Batches of the provider that were looked into and hold other requests. */
  readonly rejected?: readonly string[];
}

/** A call that is out in a batch. */
export interface BatchedCall {
  readonly submission: Digest;
  readonly node: string;
  /** The canonical text whose digest is the key. */
  readonly request: string;
  /** Dollars that are set aside for it. */
  readonly dollars: number;
}

export interface BatchStore {
  /** Resolves when the submission and all of its calls are committed. */
  open(submission: Submission, calls: readonly (readonly [key: Digest, call: BatchedCall])[]): Promise<void>;
  /** Resolves when it is committed. */
  put(submission: Submission): Promise<void>;
  /** Oldest first. */
  list(): Submission[];
  /** The keys of a submission's calls, in the order of its input. */
  keys(id: Digest): readonly Digest[];
  /** The call, where it is out in a batch. */
  call(key: Digest): BatchedCall | undefined;
  /** Forgets a submission and its calls. */
  close(id: Digest): Promise<void>;
  /** Removes what a kill has left of calls whose submission is gone. */
  sweep(): Promise<void>;
}

/** A batch to be made. */
export interface NewBatch {
  readonly id: Digest;
  readonly model: string;
  readonly path: string;
  readonly calls: readonly Pick<CallRequest, 'key' | 'body'>[];
}

/** What is refused as a whole, with the line where that is told, counted from 0. */
export interface BatchMistake {
  readonly line: number | undefined;
  readonly code: string;
  readonly message: string;
}

export interface BatchState {
  /** The provider's id. */
  readonly id: string;
  /** Undefined while it runs. `refused`: as a whole, for nothing. */
  readonly end: 'completed' | 'expired' | 'cancelled' | 'refused' | undefined;
  /** The provider's own word. */
  readonly status: string;
  /** Requests in all, and of them those that were answered; 0 where they are not told yet. */
  readonly total: number;
  readonly answered: number;
  readonly mistakes: readonly BatchMistake[];
  /** The sum that the provider counts, where it tells one. */
  readonly usage?: Usage;
  /** Milliseconds after which it asks to be looked at again. */
  readonly lookAgain?: number;
  /** Handles on what came back. */
  readonly results: readonly string[];
}

/** One request of a batch as it came back. */
export type BatchRow =
  /** As an online exchange would have ended: a status, and a body. */
  | { readonly type: 'response'; readonly id: string; readonly status: number; readonly body: string }
  | { readonly type: 'expired' | 'cancelled'; readonly id: string }
  | { readonly type: 'unreadable'; readonly text: string };

/** What a step at a provider came to. Retries are the provider's own and are over. */
export type BatchStep<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly failure: CallFailure;
      /** The thing that was asked about is not there. */
      readonly gone?: true;
      /** What was asked for may have been done all the same. */
      readonly maybeDone?: true;
    };

/** Raised while results are read: the connection broke, or they are gone. */
export class ResultsCut extends Error {
  readonly failure: CallFailure;
  constructor(failure: CallFailure) {
    super(failure.message);
    this.name = 'ResultsCut';
    this.failure = failure;
  }
}

/** A provider's batches. Nothing here throws for what a server or a network can do, but {@link ResultsCut}. */
export interface BatchApi {
  readonly settings: BatchSettings;
  /** True for a simulator that this very build started: its batches end with it. */
  readonly ephemeral: boolean;
  /** True where {@link find} goes by a name of ours; false where it can only compare, so that ids must be looked at. */
  readonly named: boolean;
  /** The handle on what was uploaded; undefined where the requests travel with {@link create}. */
  upload(batch: NewBatch): Promise<BatchStep<string | undefined>>;
  create(batch: NewBatch, input: string | undefined): Promise<BatchStep<BatchState>>;
  /** Batches that a submission without an id may have become. */
  find(submission: Submission): Promise<BatchStep<readonly BatchState[]>>;
  look(id: string): Promise<BatchStep<BatchState>>;
  cancel(id: string): Promise<BatchStep<void>>;
  /** The rows, in any order. @throws ResultsCut */
  rows(state: BatchState): AsyncIterable<BatchRow>;
  /** What a row is worth. */
  judge(submission: Submission, row: Extract<BatchRow, { type: 'response' }>): JudgedRow;
}

export interface JudgedRow {
  readonly result: CallResult;
  readonly outcome: TryOutcome;
}

/** Finds a provider's batch API; undefined where it has none. */
export type BatchApis = (identity: string) => Promise<BatchApi | undefined>;
