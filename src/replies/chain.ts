/** Where a reply can come from, in the order of asking: this order is written here and nowhere else. */

import type { StoppedCall } from '../core/call.ts';
import type { PriceBook } from '../core/provider-port.ts';
import type { IntentStore } from '../core/storage.ts';
import { BatchLane, type BatchPorts } from './batch-lane.ts';
import { Budget, type BudgetLimits } from './budget.ts';
import { type HttpPorts, http } from './http.ts';
import { InFlight } from './in-flight.ts';
import { Intents } from './intents.ts';
import type { Replies } from './source.ts';
import { Spend } from './spend.ts';

export interface ChainPorts extends Pick<HttpPorts, 'calls' | 'client' | 'protocols' | 'now' | 'emit'> {
  readonly intents: IntentStore;
  readonly prices: PriceBook;
  readonly limits: BudgetLimits;
  /** Absent where nothing is bought in batches, and none can be out. */
  readonly batches?: BatchPorts;
  /** The most calls in flight. */
  readonly jobs: number;
  /** Aborted when nothing new may be sent. */
  readonly interrupt: AbortSignal;
  /** Aborted when everything must stop at once. */
  readonly kill: AbortSignal;
}

/** The batches that are out, for whoever looks after them and buys nothing. */
export const batchesOf = (ports: ChainPorts): BatchLane | undefined => linksOf(ports).lane;

function linksOf(ports: ChainPorts) {
  const { calls, client, prices, protocols, limits, now, emit, interrupt, kill } = ports;
  const spend = new Spend(new Budget(limits, prices), emit);
  const intents = new Intents(ports.intents, now);
  const online = http({ calls, client, spend, intents, protocols, now, emit, signal: kill, drain: interrupt });
  const common = { online, calls, spend, intents, prices, protocols, now, emit, interrupt };
  const lane = ports.batches === undefined ? undefined : new BatchLane({ ...ports.batches, ...common });
  return { spend, intents, online, lane };
}

/** In flight ▸ batch ▸ spend ▸ HTTP. What is kept the engine finds itself, before it asks here: `local.ts`. */
export function chain(ports: ChainPorts): Replies {
  const { jobs, interrupt } = ports;
  const { spend, intents, online, lane } = linksOf(ports);
  const inFlight = new InFlight(lane ?? online, {
    jobs,
    stopped: () => spend.stopped,
    onUnstorable: () => spend.stop(UNSTORABLE),
  });
  const stop = (reason: StoppedCall) => {
    spend.stop(reason);
    inFlight.wakeAll();
  };
  const interrupted = () => stop({ class: 'stopped', reason: 'interrupted', message: 'the build was interrupted' });
  if (interrupt.aborted) interrupted();
  interrupt.addEventListener('abort', interrupted, { once: true });
  return {
    get: (call, asker) => inFlight.get(call, asker),
    get stopped() {
      return spend.stopped;
    },
    stop,
    open: async () => lane?.open(),
    turn: async () => (await lane?.turn()) ?? 'done',
    takeHarvest: (node) => lane?.takeHarvest(node),
    booked: () => intents.booked(),
  };
}

/** Nobody is told this: the error itself is thrown. */
const UNSTORABLE: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'replies cannot be stored' };
