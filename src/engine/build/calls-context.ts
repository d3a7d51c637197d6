/** What a node of shape `calls` is run with. */

import type { CallFailure } from '../../core/call.ts';
import type { CallsKind, Inputs } from '../../core/kind.ts';
import type { Protocols } from '../../core/protocol.ts';
import type { BlobStore, CallStore } from '../../core/storage.ts';
import type { CallMeter, Replies } from '../../replies/source.ts';
import type { AsksAgain } from '../again.ts';

export interface CallsNodeContext {
  readonly node: string;
  readonly kind: CallsKind<unknown, unknown>;
  readonly params: unknown;
  readonly inputs: Inputs;
  readonly calls: CallStore;
  readonly protocols: Protocols;
  readonly blobs: BlobStore;
  /** Buys what is missing; undefined when nothing may be bought. */
  readonly replies: Replies | undefined;
  /** Share of the items that may be unusable. */
  readonly tolerate: number;
  /** Items in hand at once. */
  readonly window: number;
  /** Which items are asked for anew; undefined: none. */
  readonly asksAgain: AsksAgain | undefined;
  readonly meter: CallMeter;
  readonly progress: (done: number, items: number | undefined) => void;
  readonly onFailure: (item: string, failure: CallFailure) => void;
  /** Set when the build is stopping for a reason outside this node. */
  readonly halted: () => boolean;
}
