/** What the engine needs of the outside to buy a reply. `providers` implements it over HTTP. */

import type { CallFailure, Usage } from './call.ts';
import type { Digest } from './digest.ts';

export interface CallRequest {
  readonly key: Digest;
  readonly identity: string;
  readonly path: string;
  /** The canonical JSON of the body: what is sent, byte for byte. */
  readonly body: string;
}

export type CallResult =
  | {
      readonly ok: true;
      /** The raw reply body, as received. */
      readonly raw: string;
      readonly usage: Usage;
      /** False when the reply named no usage, so the reservation stands. */
      readonly usageKnown: boolean;
      /** Earlier tries whose outcome is unknown, and which the server may have billed too; 0 where absent. */
      readonly unknownOutcomes?: number;
    }
  | {
      readonly ok: false;
      readonly failure: CallFailure;
      /** Set when the server may have billed all the same. */
      readonly maybeBilled: boolean;
      /** How many tries may have been billed; 1 where `maybeBilled` and absent. */
      readonly unknownOutcomes?: number;
    };

export interface ProviderClient {
  /** Sends one order, retrying transient failures; never throws for what a server or a network can do. */
  buy(
    order: CallRequest,
    options: {
      /** Aborted: drop everything, also what is on its way. */
      readonly signal: AbortSignal;
      /** Aborted: an order that waits for its turn or for its next try is given up; one that is on its way is awaited. */
      readonly drain?: AbortSignal;
      readonly onRetry: (failure: CallFailure, waitMilliseconds: number) => void;
    },
  ): Promise<CallResult>;
  /** The most calls worth having in flight for this provider at once. */
  concurrency(identity: string): number;
  close(): Promise<void>;
}

export interface PriceBook {
  /** Dollars for the usage, or undefined where the model has no price. Simulated models have prices too. */
  cost(identity: string, model: string, usage: Usage): number | undefined;
  /** The most dollars that a call can cost: every UTF-8 byte a token, every answer as long as its cap. Undefined: unknown price or no cap. */
  worstCase(identity: string, model: string, call: Pick<CallRequest, 'path' | 'body'>): number | undefined;
  /** True where the money is simulated: no approval is asked for. */
  simulated(identity: string): boolean;
}
