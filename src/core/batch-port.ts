/** What the lane needs of a provider's batch API. `providers/batch` implements it for each shape. */

import type { BatchSettings, Submission } from './batch.ts';
import type { CallFailure, Usage } from './call.ts';
import type { Digest } from './digest.ts';
import type { CallRequest, CallResult, TryOutcome } from './provider-port.ts';

/** A batch to be made. */
export interface NewBatch {
  readonly id: Digest;
  readonly model: string;
  readonly path: string;
  readonly calls: readonly Pick<CallRequest, 'key' | 'body'>[];
}

/** What is refused as a whole, with the line where that is told, counted from 0. */
interface BatchMistake {
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
  | {
      readonly type: 'response';
      readonly id: string;
      readonly status: number;
      readonly body: string;
      /** The body parsed, where whoever read it has it at hand. */
      readonly parsed?: unknown;
    }
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
      /** It is more than the provider takes at once. */
      readonly tooLarge?: true;
      /** Milliseconds after which it asks to be asked again. */
      readonly lookAgain?: number;
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
  /** The rows, in any order, as many at once as are at hand. @throws ResultsCut */
  rows(state: BatchState): AsyncIterable<readonly BatchRow[]>;
  /** What a row is worth. */
  judge(
    submission: Pick<Submission, 'identity' | 'model' | 'path'>,
    row: Extract<BatchRow, { type: 'response' }>,
  ): JudgedRow;
}

export interface JudgedRow {
  readonly result: CallResult;
  readonly outcome: TryOutcome;
}

/** Finds a provider's batch API; undefined where it has none. */
export type BatchApis = (identity: string) => Promise<BatchApi | undefined>;
