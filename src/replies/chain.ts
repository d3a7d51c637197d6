/** Where a reply can come from, in the order of asking: this order is written here and nowhere else. */

import type { StoppedCall } from '../core/call.ts';
import type { PriceBook } from '../core/provider-port.ts';
import type { IntentStore } from '../core/storage.ts';
import { BatchLane, type BatchPorts } from './batch-lane.ts';
import { Budget, type BudgetLimits } from './budget.ts';
import { type HttpPorts, http } from './http.ts';
import { InFlight } from './in-flight.ts';
import { Intents } from './intents.ts';
import { type BringAnswer, shared } from './shared.ts';
import type { Replies, ReplySource } from './source.ts';
import { Spend } from './spend.ts';

export interface ChainPorts extends Pick<HttpPorts, 'calls' | 'client' | 'protocols' | 'now' | 'emit'> {
  readonly intents: IntentStore;
  /** Absent where no shared cache is read. */
  readonly bring?: BringAnswer | undefined;
  /** Absent where this build buys by itself. */
  readonly till?: OpenTill | undefined;
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
export const batchesOf = (ports: ChainPorts): BatchLane | undefined => linksOf(ports, () => {}).lane;

/** A till that buys in place of this build, within its limits and those of the account. */
export type OpenTill = (parts: TillRequest) => Promise<ReplySource>;

export interface TillRequest extends Pick<ChainPorts, 'calls' | 'limits' | 'interrupt' | 'kill'> {
  /** Told that nothing more will be bought. */
  readonly onStop: (reason: StoppedCall) => void;
}

function linksOf(ports: ChainPorts, onStop: TillRequest['onStop']) {
  const { calls, till, client, prices, protocols, limits, now, emit, interrupt, kill } = ports;
  const spend = new Spend(new Budget(limits, prices), emit);
  const intents = new Intents(ports.intents, now);
  const online =
    till === undefined
      ? http({ calls, client, spend, intents, protocols, now, emit, signal: kill, drain: interrupt })
      : opened(() => till({ calls, limits, interrupt, kill, onStop }));
  const common = { online, calls, spend, intents, prices, protocols, now, emit, interrupt };
  const lane = ports.batches === undefined ? undefined : new BatchLane({ ...ports.batches, ...common });
  return { spend, intents, lane, buying: lane ?? online };
}

/**
 * In flight ▸ shared cache ▸ batch ▸ spend ▸ HTTP, or a till in place of the last two. What is kept the engine finds
 * itself, before it asks here: `local.ts`.
 */
export function chain(ports: ChainPorts): Replies {
  const { calls, bring, jobs, interrupt } = ports;
  const { spend, intents, lane, buying } = linksOf(ports, (reason) => stop(reason));
  const inFlight = new InFlight(bring === undefined ? buying : shared(bring, calls, buying), {
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
    takeRest: () => lane?.takeRest() ?? new Map(),
    booked: () => intents.booked(),
    close: () => interrupt.removeEventListener('abort', interrupted),
  };
}

/** Opened by the first call that comes so far. */
function opened(open: () => Promise<ReplySource>): ReplySource {
  let source: Promise<ReplySource> | undefined;
  return {
    get: async (call, asker) => {
      source ??= open();
      return (await source).get(call, asker);
    },
  };
}

/** Nobody is told this: the error itself is thrown. */
const UNSTORABLE: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'replies cannot be stored' };
