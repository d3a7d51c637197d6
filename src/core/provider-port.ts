/** What the engine needs of the outside to buy a reply. `providers` implements it over HTTP. */

import type { Lane } from './batch.ts';
import type { CallFailure, StoppedCall, Usage } from './call.ts';
import type { Digest } from './digest.ts';
import type { JsonObject } from './json.ts';

export interface CallRequest {
  readonly key: Digest;
  readonly identity: string;
  readonly path: string;
  /** The canonical JSON of the body: what is sent, byte for byte. */
  readonly body: string;
  /** The same as a value. */
  readonly fields: JsonObject;
}

/** What a call's size is read of. */
export type SizedCall = Pick<CallRequest, 'path' | 'body' | 'fields'>;

export type CallResult =
  | {
      readonly ok: true;
      /** The raw reply body, as received. */
      readonly raw: string;
      /** The same, where it is parsed already. */
      readonly reply?: JsonObject;
      readonly usage: Usage;
    }
  | {
      readonly ok: false;
      readonly failure: CallFailure;
      /** The body of a reply that came with a status of success and is no answer. */
      readonly raw?: string;
    };

/**
 * How one try ended for whoever pays: certainly not billed, perhaps billed, or billed by a usage that can be believed.
 * A try that was given up before a byte left is `unsent`, and is no request.
 */
export type TryOutcome =
  | { readonly billed: 'no'; readonly unsent?: true }
  | { readonly billed: 'maybe' }
  | { readonly billed: Usage };

/** The dollars that are set aside for one try. */
export interface Permit {
  /** Resolves when it is written down that the try leaves: to be awaited once nothing else holds it back. */
  readonly ready?: () => Promise<void>;
  /** Told when the try leaves on its connection, which may be some time after it was admitted. */
  readonly sent?: () => void;
  /** Replaces them by what the try came to: exactly once, or it throws. */
  settle(outcome: TryOutcome): void;
}

/** Asked before each try, the first is 1; waits while what is under way may make room. */
export type Admit = (order: CallRequest, tryNumber: number) => Promise<Permit | StoppedCall>;

export interface ProviderClient {
  /**
   * Sends one order, retrying transient failures; never throws for what a server or a network can do. Nothing is sent
   * that was not admitted, and every permit is settled before the result is there.
   */
  buy(
    order: CallRequest,
    options: {
      /** Aborted: drop everything, also what is on its way. */
      readonly signal: AbortSignal;
      /** Aborted: an order that waits for its turn or for its next try is given up; one that is on its way is awaited. */
      readonly drain?: AbortSignal;
      readonly admit: Admit;
      readonly onRetry: (failure: CallFailure, waitMilliseconds: number) => void;
    },
  ): Promise<CallResult>;
  /** The most calls worth having in flight for this provider at once. */
  concurrency(identity: string): number;
  close(): Promise<void>;
}

export interface PriceBook {
  /**
   * Dollars for the usage, or undefined where the model has no price. Simulated models have prices too.
   *
   * @param lane online unless told
   */
  cost(identity: string, model: string, usage: Usage, lane?: Lane): number | undefined;
  /**
   * The most dollars that a call can cost: every UTF-8 byte a token, every answer as long as its cap. Undefined: unknown
   * price or no cap.
   */
  worstCase(identity: string, model: string, call: SizedCall, lane?: Lane): number | undefined;
  /** Where the price is from and of which day, where it is not one of the experiment's own table. */
  origin?(identity: string, model: string): string | undefined;
  /** True where the money is simulated: no approval is asked for. */
  simulated(identity: string): boolean;
}
