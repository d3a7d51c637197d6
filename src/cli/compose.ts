/** One command's work on one pipeline: the graph, the store and what the engine needs, wired together and closed. */

import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { BatchApis } from '../core/batch-port.ts';
import { buildIdAfter } from '../core/build-id.ts';
import type { Listener } from '../core/events.ts';
import type { Graph } from '../core/graph.ts';
import type { Kind, RegisteredKind } from '../core/kind.ts';
import type { Ports } from '../engine/ports.ts';
import type { ThreadPool } from '../engine/threads/pool.ts';
import { registerKinds } from '../kinds/index.ts';
import { modelFileReader } from '../llama/model-file.ts';
import { loadPipeline } from '../pipeline/load.ts';
import { NO_PRICES } from '../pipeline/provider-file.ts';
import { protocolAt } from '../protocols/index.ts';
import type { ConnectedClient } from '../providers/client.ts';
import type { SeenExchange } from '../providers/client-options.ts';
import { systemClock } from '../providers/clock.ts';
import { secrets } from '../providers/environment.ts';
import { learntRates, modelMemory } from '../providers/learnt-rates.ts';
import { createPriceBook } from '../providers/prices.ts';
import { sourceReader } from '../providers/source-reader.ts';
import { withRenamed } from '../replies/renamed.ts';
import { learntTokensIn } from '../replies/token-limits.ts';
import { simulatorIdentity, simulatorStarter } from '../simulator/start.ts';
import { outFolder } from '../store/out-folder.ts';
import { type LocalStore, openStore } from '../store/store.ts';
import { loadJinja } from '../teacher-forcing/jinja-template.ts';
import { TEMPLATE_NAMES } from '../teacher-forcing/templates.ts';
import { CODE_DIGESTS } from './build-info.ts';
import { type Fingerprint, forget, seenFile } from './last-build.ts';

interface SessionOptions {
  readonly file: string;
  readonly profile: string | undefined;
  /** `name=value` settings of variables, in order. */
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly readOnly: boolean;
  readonly emit: Listener;
  /** The folder of the bundle, where worker entries lie. */
  readonly bundle: URL;
}

export interface Session {
  readonly graph: Graph;
  readonly kinds: ReadonlyMap<string, RegisteredKind>;
  readonly store: LocalStore;
  readonly ports: Ports;
  readonly cache: string;
  readonly out: string;
  /** The files that the pipeline was read from, as they were then. */
  readonly read: Pick<Fingerprint, 'consulted' | 'readAt'>;
  close(): Promise<void>;
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const { file, profile, set } = options;
  const kinds = registerKinds(CODE_DIGESTS);
  const plain = new Map<string, Kind>([...kinds].map(([name, { kind }]) => [name, kind]));
  const readAt = Date.now();
  const request = {
    file,
    ...(profile === undefined ? {} : { profile }),
    set,
    kinds: plain,
    simulatorIdentity,
    templates: TEMPLATE_NAMES,
    modelFile: modelFileReader(join(dirname(resolve(file)), '.cache'), Date.now),
    cwd: process.cwd(),
  };
  const graph = await pricedGraph(request, loadPipeline(request));
  if ([...(graph.aliases?.values() ?? [])].some(({ dialect }) => dialect.jinja !== undefined)) await loadJinja();
  return sessionOf(graph, kinds, { consulted: graph.consulted.map(seenFile), readAt }, options);
}

/** Opens what earlier builds left, for reading, whatever the pipeline's file says: the graph is empty. */
export function openPastSession(file: string, bundle: URL): Session {
  const root = dirname(resolve(file));
  const graph: Graph = {
    name: basename(root),
    nodes: new Map(),
    defaultTargets: [],
    profile: '',
    vars: {},
    providers: [],
    prices: NO_PRICES,
    budget: { confirmAbove: 0 },
    consulted: [],
    root,
  };
  const read = { consulted: [], readAt: Date.now() };
  return sessionOf(graph, registerKinds(CODE_DIGESTS), read, { readOnly: true, emit: () => {}, bundle });
}

function sessionOf(
  graph: Graph,
  kinds: Session['kinds'],
  read: Session['read'],
  { readOnly, emit, bundle }: Pick<SessionOptions, 'readOnly' | 'emit' | 'bundle'>,
): Session {
  const cache = join(graph.root, '.cache');
  const out = join(graph.root, 'out');
  const store = openStore(cache, { readOnly });
  let buyer: Promise<ConnectedClient> | undefined;
  const client = () => {
    buyer ??= openClient(graph, bundle, { cache, note: (text) => emit({ type: 'note', text }) });
    return buyer;
  };
  let batchApis: Promise<BatchApis> | undefined;
  let threads: Promise<ThreadPool> | undefined;
  const ports: Ports = {
    kinds,
    store: {
      ...store,
      calls: withRenamed(store.calls, graph.served ?? [], protocolAt),
      builds: {
        get: (id) => store.builds.get(id),
        list: (limit) => store.builds.list(limit),
        // A new record makes "nothing to do" a question again, for every command line.
        put: async (record) => {
          forget(cache);
          await store.builds.put(record);
        },
      },
    },
    sources: sourceReader({
      files: store.files,
      downloads: join(cache, 'downloads'),
      secrets,
      written: (path) => graph.writtenPaths?.get(path) ?? relative(process.cwd(), path),
      onProgress: (text) => emit({ type: 'note', text }),
    }),
    buyer: client,
    batches: {
      apis: async (identity) => {
        batchApis ??= openBatchApis(graph, client);
        return (await batchApis)(identity);
      },
      sleep: systemClock.sleep,
      memory: modelMemory(join(cache, 'batch-tokens.json'), learntTokensIn),
    },
    prices: createPriceBook(graph.prices, graph.providers),
    protocols: protocolAt,
    executor: {
      run: async (task, admit) => {
        threads ??= openThreads(cache, bundle);
        return (await threads).run(task, admit);
      },
    },
    out: outFolder(out, join(cache, 'out.json'), store.blobs),
    now: Date.now,
    emit,
    buildId: () => buildIdAfter([...store.builds.list(1)][0]?.id, Date.now(), Math.random),
  };
  return {
    graph,
    kinds,
    store,
    ports,
    cache,
    out,
    read,
    async close() {
      if (buyer !== undefined) await (await buyer).close();
      if (threads !== undefined) await (await threads).close();
      await store.close();
    },
  };
}

/** Prices that the experiment's own table lacks are looked up in a library, which no other command line loads. */
async function pricedGraph(request: Parameters<typeof loadPipeline>[0], graph: Graph): Promise<Graph> {
  if (graph.unpriced === undefined) return graph;
  const { libraryPrice } = await import('../providers/library-prices.ts');
  const today = new Date().setUTCHours(0, 0, 0, 0);
  return loadPipeline({ ...request, knownPrice: (baseUrl, model) => libraryPrice(baseUrl, model, today) });
}

/** Loaded where something is sent in a batch, or is out in one. */
export async function openBatchApis(graph: Graph, client: () => Promise<ConnectedClient>): Promise<BatchApis> {
  const { createBatchApis } = await import('../providers/batch/index.ts');
  const { providers, served = [] } = graph;
  return createBatchApis({ client: await client(), providers, served, clock: systemClock, random: Math.random });
}

/** Heavy transforms that this machine makes at once: one a core. */
export const placesHere = availableParallelism;

/** Threads for heavy transforms; started by the first of them. */
export async function openThreads(cache: string, bundle: URL, places = placesHere()): Promise<ThreadPool> {
  const { threadPool } = await import('../engine/threads/pool.ts');
  return threadPool(new URL('transform-worker.js', bundle), { cache }, places);
}

/**
 * The transport is loaded by the first purchase, and by nothing else.
 *
 * @param cache the cache's folder, where learnt rates are remembered; absent: nowhere.
 * @param observe told what servers say of their limits.
 * @param note told what was learnt of limits that no file states.
 * @param patience milliseconds that a server is waited for; absent: as a build waits.
 */
export async function openClient(
  { providers, served = [], root }: Pick<Graph, 'providers' | 'served' | 'root'>,
  bundle: URL,
  {
    cache,
    observe,
    note,
    patience,
  }: {
    readonly cache?: string;
    readonly observe?: (seen: SeenExchange) => void;
    readonly note?: (text: string) => void;
    readonly patience?: number;
  } = {},
): Promise<ConnectedClient> {
  const { createProviderClient } = await import('../providers/client.ts');
  return createProviderClient({
    providers,
    served,
    secrets,
    startSimulator: simulatorStarter(bundle),
    startEngine: async (provider) => {
      const { startEngine } = await import('../llama/process.ts');
      return startEngine(provider, root, new URL('llama-worker.js', bundle));
    },
    clock: systemClock,
    random: Math.random,
    ...(cache === undefined ? {} : { learntRates: learntRates(cache) }),
    ...(observe === undefined ? {} : { observe }),
    ...(note === undefined ? {} : { note }),
    ...(patience === undefined ? {} : { patience }),
  });
}
