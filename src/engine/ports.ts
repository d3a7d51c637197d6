/** What the engine is given by the composition. */

import type { Listener } from '../core/events.ts';
import type { RegisteredKind, SourceReader } from '../core/kind.ts';
import type { Protocols } from '../core/protocol.ts';
import type { PriceBook, ProviderClient } from '../core/provider-port.ts';
import type { OutputRef, Store } from '../core/storage.ts';
import type { BatchPorts } from '../replies/batch-lane.ts';
import type { ChainPorts, OpenTill } from '../replies/chain.ts';
import type { BringAnswer } from '../replies/shared.ts';
import type { Executor } from './executor.ts';

/** What a chain of reply sources is made of. */
export function chainPorts(
  options: Pick<ChainPorts, 'limits' | 'jobs' | 'interrupt' | 'kill'> & { readonly batches?: BatchOptions },
  { store, bring, till, buyer, batches, prices, protocols, now, emit }: Ports,
): ChainPorts {
  const { limits, jobs, interrupt, kill } = options;
  // Whoever says nothing of batches buys online, and leaves alone what is out.
  const { laneOf, manner }: BatchOptions = options.batches ?? { laneOf: () => 'online', manner: { type: 'leave' } };
  return {
    calls: store.calls,
    intents: store.intents,
    bring,
    till,
    client: buyer,
    prices,
    protocols,
    limits,
    ...(batches === undefined ? {} : { batches: { store: store.batches, ...batches, laneOf, manner } }),
    now,
    emit,
    jobs,
    interrupt,
    kill,
  };
}

/** What a build is told of batches. */
export type BatchOptions = Pick<BatchPorts, 'laneOf' | 'manner'>;

/** Copies of outputs for people. */
interface OutFolder {
  /** Makes the copies of these nodes be present and right; removes those of nodes that the graph no longer has. */
  sync(
    nodes: readonly { readonly name: string; readonly outputs: Readonly<Record<string, OutputRef>> }[],
    graphNodes: ReadonlySet<string>,
  ): Promise<void>;
}

export interface Ports {
  readonly kinds: ReadonlyMap<string, RegisteredKind>;
  readonly store: Store;
  readonly sources: SourceReader;
  /** Looks into a shared cache; absent where none is read. */
  readonly bring?: BringAnswer | undefined;
  /** Buys in place of the build; absent where it buys by itself. */
  readonly till?: OpenTill | undefined;
  /** Made on the first purchase: a build that buys nothing loads no transport. */
  readonly buyer: () => Promise<ProviderClient>;
  /** Providers' batches, and how time passes until they are back. Absent: there are none. */
  readonly batches?: Pick<BatchPorts, 'apis' | 'sleep' | 'memory'>;
  readonly prices: PriceBook;
  /** How requests are read: the engine knows no field of a body. */
  readonly protocols: Protocols;
  readonly out: OutFolder;
  /** For heavy transforms. Absent: they run on the build's own thread. */
  readonly executor?: Executor;
  readonly now: () => number;
  readonly emit: Listener;
  /** A new build id, sortable by time. */
  readonly buildId: () => string;
}
