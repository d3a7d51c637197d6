/** A till at work: the ledger, a client that the ledger paces, and the queue, for as long as it is open. */

import { hostname } from 'node:os';
import type { TillAbout } from '../cluster/roster.ts';
import type { Graph, Limits, Provider } from '../core/graph.ts';
import type { Problem } from '../core/problem.ts';
import type { Ports } from '../engine/ports.ts';
import type { ClusterSettings, TillSettings } from '../pipeline/remote-file.ts';
import { sizeOfBody } from '../protocols/size.ts';
import type { ConnectedClient } from '../providers/client.ts';
import { systemClock } from '../providers/clock.ts';
import type { BringAnswer } from '../replies/shared.ts';
import { systemProcesses } from '../store/disk/processes.ts';
import type { LocalStore } from '../store/store.ts';
import { type SharedCache, withSharedCache } from './around-build.ts';
import { connectTo, namedCluster, tillOf } from './open-cluster.ts';
import { spentBefore } from './spent-before.ts';

interface TillOptions {
  readonly project: {
    readonly graph: Graph;
    readonly cache: string;
    readonly store: LocalStore;
    readonly ports: Pick<Ports, 'store' | 'prices' | 'protocols'>;
  };
  /** Makes the client that buys. */
  readonly openClient: (providers: readonly Provider[]) => Promise<ConnectedClient>;
  readonly command: string;
  /** Of the program. */
  readonly version: string;
  readonly note: (text: string) => void;
  readonly problem: (problem: Problem) => void;
  readonly onOpen: (account: string, cap: number | undefined) => void;
  /** Aborted: takes nothing new; what is in flight is awaited. */
  readonly interrupt: AbortSignal;
  /** Aborted: drops what is in flight. */
  readonly kill: AbortSignal;
}

/** Buys until it is interrupted; stands by while another till is open. @throws ProblemError where no cluster is named */
export async function serveTill(options: TillOptions): Promise<void> {
  const { project, note, problem, interrupt, kill } = options;
  const { graph, ports, store } = project;
  const cluster = await namedCluster(graph.root);
  const { account } = cluster;
  const till = tillOf(cluster);
  const redis = await connectTo(cluster);
  const [{ Ledger }, { Roster }, { takeOver }, { runTill }] = await Promise.all([
    import('../cluster/ledger.ts'),
    import('../cluster/roster.ts'),
    import('../cluster/take-over.ts'),
    import('../cluster/run-till.ts'),
  ]);
  const client = await options.openClient(graph.providers.map(unpaced));
  const ledger = new Ledger(redis, account, { ...ledgerSettings(till), rates: ratesOf(graph, till) });
  const owner = `${hostname()}-${process.pid}-${Date.now().toString(36)}`;
  const about = { host: hostname(), pid: process.pid, version: options.version };
  const roster = new Roster(redis, account);
  const own = { ledger, roster, owner, about, lease: leaseOf(till), clock: systemClock, note, problem, interrupt };
  // One of this machine that is gone need not be waited for.
  const isGone = ({ host, pid }: TillAbout) => host === about.host && systemProcesses.startOf(pid) === undefined;
  const serve = (shared: SharedCache | undefined) =>
    runTill({
      ...own,
      redis,
      account,
      store: ports.store,
      client: async () => client,
      concurrency: new Map(graph.providers.map(({ identity, limits }) => [identity, limits.concurrency])),
      prices: ports.prices,
      protocols: ports.protocols,
      tokens: (call) => sizeOfBody(ports.protocols(call.path), call).tokensLikely,
      bring: shared === undefined ? undefined : lookingAgain(shared),
      give: shared?.giveAnswers,
      kill,
    });
  try {
    await withSharedCache(project, { ...options, note: once(note) }, async (shared) => {
      if (shared !== undefined && shared.giveAnswers === undefined) note(NOT_GIVEN);
      // What it could not give before it was last ended.
      await shared?.giveAnswers?.('all');
      while (await takeOver({ ...own, isGone })) {
        await shared?.look();
        if ((await ledger.openBooks(spentBefore(store))) === 1) note(`opened the books of the account ${account}`);
        options.onOpen(account, till.cap);
        await serve(shared);
      }
    });
  } finally {
    await client.close();
    redis.disconnect();
  }
}

const NOT_GIVEN =
  'this till gives nothing to the shared cache, because it has no key to sign with or `push: never`: a till elsewhere cannot ' +
  'go on with what this one has bought';

/** Milliseconds after which another till may have given something new. */
const LOOK_AGAIN = 10_000;

/** Looks anew at what is in the shared cache where an answer is missed: another till may have given it meanwhile. */
function lookingAgain({ bring, look }: SharedCache): BringAnswer | undefined {
  if (bring === undefined) return undefined;
  let looked = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> = Promise.resolve();
  return async (call) => {
    if (await bring(call)) return true;
    if (systemClock.now() - looked > LOOK_AGAIN) {
      looked = systemClock.now();
      looking = look();
    }
    await looking;
    return bring(call);
  };
}

/** Says again only what is not what was said last: a place that is away is away for long. */
function once(note: (text: string) => void): (text: string) => void {
  let last = '';
  return (text) => {
    if (text !== last) note(text);
    last = text;
  };
}

/**
 * Lets calls be bought again that tills have died with, or those whose answers are nowhere in reach.
 *
 * @returns how many
 */
export async function resolveCalls(
  redis: Awaited<ReturnType<typeof connectTo>>,
  cluster: ClusterSettings,
  which: 'unresolved' | 'missing',
): Promise<number> {
  const { Ledger } = await import('../cluster/ledger.ts');
  const rates = () => ({ requestsPerMinute: 0, tokensPerMinute: 0 });
  const ledger = new Ledger(redis, cluster.account, { ...ledgerSettings(tillOf(cluster)), rates });
  return which === 'missing' ? ledger.giveUp() : ledger.resolve();
}

const ledgerSettings = (till: TillSettings) => ({ cap: till.cap, lease: leaseOf(till), mostAgain: till.buy_again });

const leaseOf = (till: TillSettings): number => till.lease_seconds * 1000;

/** The ledger paces what all tills send; the client would pace each of them alone. */
function unpaced(provider: Provider): Provider {
  const { requestsPerMinute: _, tokensPerMinute: __, ...limits }: Limits = provider.limits;
  return { ...provider, limits };
}

/** The rates by identity and model: those of cje.remote.yaml before those of the provider file. */
const ratesOf =
  ({ providers }: Graph, till: TillSettings) =>
  (name: string) => {
    const [identity, ...model] = name.split(' ');
    const own = till.models[model.join(' ')];
    const limits = providers.find((provider) => provider.identity === identity)?.limits;
    return {
      requestsPerMinute: own?.requests_per_minute ?? limits?.requestsPerMinute ?? 0,
      tokensPerMinute: own?.tokens_per_minute ?? limits?.tokensPerMinute ?? 0,
    };
  };
