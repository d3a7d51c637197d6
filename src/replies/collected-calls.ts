/** Calls that wait to be sent in one batch, cut where a batch is full. */

import type { BatchSettings } from '../core/batch.ts';
import type { Digest } from '../core/digest.ts';
import type { PricedPermit } from './spend.ts';

/** A call on its way into a batch. */
export interface CollectedCall {
  readonly key: Digest;
  readonly node: string;
  /** The canonical text whose digest is the key. */
  readonly request: string;
  /** The canonical body. */
  readonly body: string;
  readonly permit: PricedPermit;
}

/** Bytes of a line beside its body: ids, method and path. */
const LINE_BYTES = 160;
/** Bytes of a body that a provider is likely to count as one token of a prompt. */
const BYTES_PER_TOKEN = 4;

export const tokensOf = (body: string): number => Math.ceil(Buffer.byteLength(body) / BYTES_PER_TOKEN);

/** What one batch may hold. */
type BatchBounds = Pick<BatchSettings, 'rows' | 'bytes'>;

/** Calls to one model by one path, in the order in which they were asked. */
export class CollectedCalls {
  #calls: CollectedCall[] = [];
  #bytes = 0;
  #tokens = 0;

  get size(): number {
    return this.#calls.length;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Whether a call still fits beside those that are there; the first one always does. */
  fits(body: string, { rows, bytes }: BatchBounds): boolean {
    if (this.#calls.length === 0) return true;
    return this.#calls.length < rows && this.#bytes + Buffer.byteLength(body) + LINE_BYTES <= bytes;
  }

  add(call: CollectedCall): void {
    this.#calls.push(call);
    this.#bytes += Buffer.byteLength(call.body) + LINE_BYTES;
    this.#tokens += tokensOf(call.body);
  }

  /** All of them; none is left. */
  take(): readonly CollectedCall[] {
    const calls = this.#calls;
    this.#calls = [];
    this.#bytes = 0;
    this.#tokens = 0;
    return calls;
  }
}
