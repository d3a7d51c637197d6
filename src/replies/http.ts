/** Buys a reply over HTTP. Only when the record is on disk is a reply counted, reported or answered. */

import type { KeyedCall } from '../core/call.ts';
import type { Listener } from '../core/events.ts';
import type { Protocols } from '../core/protocol.ts';
import type { CallRequest, CallResult, ProviderClient, TryOutcome } from '../core/provider-port.ts';
import type { CallStore, StoredCall, StoredFailure } from '../core/storage.ts';
import type { Settled } from './budget.ts';
import { CallTries, type Intents } from './intents.ts';
import { type Asker, bill, type Fetched, type ReplySource, requestOf } from './source.ts';
import type { Spend } from './spend.ts';

/** A call's result, and what all of its tries came to. */
export interface PaidResult {
  readonly result: CallResult;
  /** Dollars billed by the tries whose usage is known. */
  readonly billed: number;
  /** Dollars set aside for the others. */
  readonly unknown: number;
  /** Tries that left. */
  readonly tries: number;
  /** The last try's part of it, which is the reply's where one came; undefined where none was admitted. */
  readonly last: Settled | undefined;
}

/** Sends one order, each of its tries within the budget. */
export async function buyCall(
  client: ProviderClient,
  spend: Pick<Spend, 'admit'>,
  order: CallRequest,
  model: string,
  options: Omit<Parameters<ProviderClient['buy']>[1], 'admit'> & {
    /** Writes down that a try begins, and is told what it came to; absent where nothing is kept. */
    readonly begin?: (dollars: number) => Promise<(outcome: TryOutcome, cost: number | null) => Promise<void>>;
  },
): Promise<PaidResult> {
  const { begin, ...rest } = options;
  let billed = 0;
  let unknown = 0;
  let tries = 0;
  let last: Settled | undefined;
  const result = await client.buy(order, {
    ...rest,
    admit: async (tried) => {
      const permit = await spend.admit(tried, model);
      if ('class' in permit) return permit;
      let ended: Awaited<ReturnType<NonNullable<typeof begin>>> | undefined;
      return {
        async ready() {
          ended = await begin?.(permit.dollars);
          await permit.ready?.();
          tries++;
        },
        ...(permit.sent === undefined ? {} : { sent: permit.sent }),
        settle(outcome) {
          last = permit.settle(outcome);
          // Whatever could not be written down makes the reply itself fail to be stored, which is told.
          void ended?.(outcome, last.dollars).catch(() => {});
          if (last.certain) billed += last.dollars ?? 0;
          else unknown += last.dollars ?? 0;
        },
      };
    },
  });
  return { result, billed, unknown, tries, last };
}

export interface HttpPorts {
  readonly calls: CallStore;
  /** Made at the first purchase: who buys nothing loads no transport. */
  readonly client: () => Promise<ProviderClient>;
  readonly spend: Pick<Spend, 'admit'>;
  readonly intents: Intents;
  readonly protocols: Protocols;
  readonly now: () => number;
  readonly emit: Listener;
  /** Aborted when the build must stop at once. */
  readonly signal: AbortSignal;
  /** Aborted when nothing new may be sent. */
  readonly drain: AbortSignal;
}

export function http({ calls, client, spend, intents, protocols, now, emit, signal, drain }: HttpPorts): ReplySource {
  /** Providers that were reported as stopped. */
  const unreachable = new Set<string>();
  let connected: ProviderClient | undefined;

  return {
    async get(call: KeyedCall, { node, meter, again = false }: Asker): Promise<Fetched> {
      connected ??= await client();
      const { identity, path } = call.request;
      const model = protocols(path).modelOf(call.request.body);
      const tries = new CallTries(intents, { call: call.key, identity, model, node });
      const { result, billed, unknown, last } = await buyCall(connected, spend, requestOf(call), model, {
        signal,
        drain,
        begin: (dollars) => tries.begin(dollars),
        onRetry: (failure, waitMilliseconds) => emit({ type: 'call-retry', node, failure, waitMilliseconds }),
      });
      const own = last?.dollars ?? 0;
      const certain = last?.certain !== false;
      /**
       * Writes the record, in place of the kept one that was asked for anew, together with the end of its try. Where that
       * fails, what was paid is in no record, and nobody can show what for: it is unknown.
       *
       * @param unbooked dollars of it that the meter does not have yet
       */
      const keep = async (write: () => Promise<void>, unbooked: number) => {
        try {
          const superseded = again ? calls.supersede(call.key) : undefined;
          await Promise.all([superseded, write(), tries.recorded()]);
        } catch (error) {
          bill(meter, identity, model, { bought: 0, cost: 0, unknown: unbooked });
          void tries.unrecorded().catch(() => {});
          throw error;
        }
      };
      if (!result.ok) {
        bill(meter, identity, model, { bought: 0, cost: billed, unknown });
        const { failure, raw } = result;
        if (failure.class === 'fatal' && !unreachable.has(identity)) {
          unreachable.add(identity);
          emit({ type: 'provider-stopped', identity, failure });
        }
        if (failure.class !== 'permanent') {
          await tries.unrecorded();
          return { type: 'unavailable', failure };
        }
        const kept: StoredFailure = {
          request: call.text,
          failure,
          failedAt: now(),
          node,
          ...(raw === undefined ? {} : { raw }),
          ...(certain && own > 0 ? { cost: own } : {}),
        };
        await keep(() => calls.putFailure(call.key, kept), 0);
        meter.failed++;
        return { type: 'failure', failure };
      }
      // What earlier tries may have cost is owed whatever becomes of the reply.
      const before = { bought: 0, cost: billed - (certain ? own : 0), unknown: unknown - (certain ? 0 : own) };
      bill(meter, identity, model, before);
      const stored: StoredCall = {
        request: call.text,
        raw: result.raw,
        usage: result.usage,
        model,
        identity,
        cost: certain ? (last?.dollars ?? null) : null,
        boughtAt: now(),
        node,
        ...(certain ? {} : { reserved: own }),
      };
      await keep(() => calls.put(call.key, stored), own);
      if (!certain) meter.doubted++;
      bill(meter, identity, model, { bought: 1, cost: certain ? own : 0, unknown: certain ? 0 : own });
      const { reply } = result;
      return { type: 'reply', stored, ...(reply === undefined ? {} : { reply }) };
    },
  };
}
