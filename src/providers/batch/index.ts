/** Finds a provider's batch API. Loaded when something is to be sent in a batch, or is out in one. */

import { setMaxListeners } from 'node:events';
import type { BatchApiName, BatchSettings } from '../../core/batch.ts';
import { type BatchApi, type BatchApis, ResultsCut } from '../../core/batch-port.ts';
import type { FatalFailure } from '../../core/call.ts';
import type { Provider } from '../../core/graph.ts';
import type { ServedModel } from '../../core/served-model.ts';
import { chatProtocolOf } from '../../protocols/chat-protocols.ts';
import type { ConnectedClient } from '../client.ts';
import type { Clock } from '../clock.ts';
import { anthropicBatches } from './anthropic.ts';
import { fireworksBatches } from './fireworks.ts';
import { type BatchHttp, createBatchHttp } from './http.ts';
import { judgeRow } from './judge-row.ts';
import { openaiBatches } from './openai.ts';

interface BatchApisOptions {
  readonly client: ConnectedClient;
  readonly providers: readonly Provider[];
  readonly served: readonly ServedModel[];
  readonly clock: Clock;
  readonly random: () => number;
}

export function createBatchApis({ client, providers, served, clock, random }: BatchApisOptions): BatchApis {
  const found = new Map<string, Promise<BatchApi | undefined>>();
  // Batches end with the connection. The SDK listens to the signal anew for each request.
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const open = async (identity: string): Promise<BatchApi | undefined> => {
    const provider = providers.find((each) => each.identity === identity);
    if (provider?.batch === undefined) return undefined;
    const connection = await client.connection(identity);
    if (!connection.ok) return unreachable(provider.batch, connection.failure);
    if (connection.http === undefined) return undefined;
    const http = createBatchHttp({
      transport: connection.http,
      ring: connection.ring,
      protocol: chatProtocolOf(provider),
      attempts: provider.limits.attempts,
      clock,
      random,
      signal,
    });
    return {
      ...SHAPES[provider.batch.api](http, provider.batch),
      settings: provider.batch,
      ephemeral: provider.type === 'simulator' && provider.baseUrl === undefined,
      judge: (submission, row) => judgeRow(submission, row, { keys: () => connection.ring.keys(), served }),
    };
  };
  return (identity) => {
    let api = found.get(identity);
    if (api === undefined) {
      api = open(identity);
      found.set(identity, api);
    }
    return api;
  };
}

/** A provider without a key, or whose file says what cannot be: whatever is asked fails for that reason. */
function unreachable(settings: BatchSettings, failure: FatalFailure): BatchApi {
  const fail = async () => ({ ok: false, failure }) as const;
  return {
    settings,
    ephemeral: false,
    named: true,
    upload: fail,
    create: fail,
    find: fail,
    look: fail,
    cancel: fail,
    // biome-ignore lint/correctness/useYield: there is no row to hand out
    async *rows() {
      throw new ResultsCut(failure);
    },
    judge: () => ({ result: { ok: false, failure }, outcome: { billed: 'no' } }),
  };
}

type Shape = Omit<BatchApi, 'settings' | 'ephemeral' | 'judge'>;

const SHAPES: Readonly<Record<BatchApiName, (http: BatchHttp, settings: BatchSettings) => Shape>> = {
  openai: openaiBatches,
  anthropic: anthropicBatches,
  fireworks: (http, { baseUrl }) => fireworksBatches(http, accountAddress(http.baseUrl, baseUrl ?? '')),
};

/** The address of an account; a path alone is meant at the provider's own host. */
function accountAddress(provider: string, written: string): string {
  const address = URL.canParse(written) ? written : `${new URL(provider).origin}${written}`;
  return address.replace(/\/+$/, '');
}
