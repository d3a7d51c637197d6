/** Where a reply can come from, in the order of asking: this order is written here and nowhere else. */

import type { StoppedCall } from '../core/call.ts';
import type { PriceBook } from '../core/provider-port.ts';
import type { IntentStore } from '../core/storage.ts';
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
  /** The most calls in flight. */
  readonly jobs: number;
  /** Aborted when nothing new may be sent. */
  readonly interrupt: AbortSignal;
  /** Aborted when everything must stop at once. */
  readonly kill: AbortSignal;
}

/** A till that buys in place of this build, within its limits and those of the account. */
export type OpenTill = (parts: TillRequest) => Promise<ReplySource>;

export interface TillRequest extends Pick<ChainPorts, 'calls' | 'limits' | 'interrupt' | 'kill'> {
  /** Told that nothing more will be bought. */
  readonly onStop: (reason: StoppedCall) => void;
}

/** In flight ▸ shared cache ▸ spend ▸ HTTP, or a till in place of the last two. What is kept the engine finds itself, before it asks here: `local.ts`. */
export function chain(ports: ChainPorts): Replies {
  const { calls, bring, till, client, prices, protocols, limits, now, emit, jobs, interrupt, kill } = ports;
  const spend = new Spend(new Budget(limits, prices), emit);
  const intents = new Intents(ports.intents, now);
  const online =
    till === undefined
      ? http({ calls, client, spend, intents, protocols, now, emit, signal: kill, drain: interrupt })
      : opened(() => till({ calls, limits, interrupt, kill, onStop: (reason) => stop(reason) }));
  const inFlight = new InFlight(bring === undefined ? online : shared(bring, calls, online), {
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
    booked: () => intents.booked(),
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
