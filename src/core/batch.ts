/** Batches: what a provider file says of them, and what is written down of each. */

import type { Digest } from './digest.ts';

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
  /** How long a build stays for a batch that nothing can be learnt of, or that does not end although it was asked to. */
  readonly patienceSeconds: number;
}

/**
 * `prepared`: nothing was sent that makes a batch. `creating`: it may exist, under an id that is not known yet.
 * `running`: its id is known.
 */
type SubmissionState = 'prepared' | 'creating' | 'running';

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
  /** It came back empty, or with fewer answers than the provider counts; taken for true when that comes again. */
  readonly doubted?: true;
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

/** The same with its request as UTF-8 bytes: what comes back by the thousand need not be decoded to be kept. */
export type BatchedBytes = Omit<BatchedCall, 'request'> & { readonly request: Uint8Array };

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
  /** The same; its bytes are valid until the next read. */
  bytes(key: Digest): BatchedBytes | undefined;
  /** Forgets a submission and its calls. */
  close(id: Digest): Promise<void>;
  /** Removes what a kill has left of calls whose submission is gone. */
  sweep(): Promise<void>;
}
