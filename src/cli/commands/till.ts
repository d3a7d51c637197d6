/** `cje till`: holds an account's key, limits and budget, and buys for builds on any machine. */

import { hostname } from 'node:os';
import { Command } from 'clipanion';
import type { TillAbout } from '../../cluster/roster.ts';
import type { Limits } from '../../core/graph.ts';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { protocolAt } from '../../protocols/index.ts';
import { sizeOfBody } from '../../protocols/size.ts';
import { systemClock } from '../../providers/clock.ts';
import { unresolvedIntents } from '../../replies/intents.ts';
import { systemProcesses } from '../../store/disk/processes.ts';
import type { LocalStore } from '../../store/store.ts';
import { dollars } from '../../text/money.ts';
import { VERSION } from '../build-info.ts';
import { CLUSTER_CATEGORY } from '../cluster-command.ts';
import { openClient, type Session } from '../compose.ts';
import { watchInterrupts } from '../interrupts.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { withSharedCache } from '../remote/around-build.ts';
import { connectTo, namedCluster, tillOf } from '../remote/open-cluster.ts';
import { withLock } from '../store-lock.ts';

export class TillCommand extends PipelineCommand {
  static override paths = [['till']];
  static override usage = Command.Usage({
    category: CLUSTER_CATEGORY,
    description: 'buy for builds on any machine, within one limit and one budget',
    details: `
      Holds the keys of the provider file, and takes calls that builds with the same \`cluster:\` in their cje.remote.yaml put
      on the queue. Every try is claimed in Redis before it is sent and booked there when its answer is on this disk, so a call
      that two builds ask for is paid once, and the cap holds over all of them. Runs until it is interrupted: once, and what is
      in flight is awaited; twice, and it is dropped. One till is open for an account at a time: another stands by, and takes
      over when that one has ended or says nothing more.

      Exit codes: 0 stopped by hand · 1 Redis does not answer · 2 bad pipeline or settings · 4 a build or another till uses this
      cache folder.
    `,
    examples: [['For everybody with the profile test', 'cje till --profile test']],
  });

  async run(): Promise<ExitCode> {
    const note = (text: string) => this.say({ type: 'note', text }, text);
    const interrupts = watchInterrupts(() =>
      note('stopping: what is in flight is awaited; press Ctrl-C again to drop it'),
    );
    try {
      // What is bought lies in this cache folder, so no build may write to it meanwhile.
      return await this.withSession({ readOnly: false }, (session) =>
        withLock(session.store, this.commandLine, () => this.#serve(session, note, interrupts)),
      );
    } finally {
      interrupts.stop();
    }
  }

  async #serve(
    session: Session,
    note: (text: string) => void,
    { interrupt, kill }: { readonly interrupt: AbortSignal; readonly kill: AbortSignal },
  ): Promise<ExitCode> {
    const { graph, ports, store, cache } = session;
    const cluster = await namedCluster(graph.root);
    const { account } = cluster;
    const till = tillOf(cluster);
    const redis = await connectTo(cluster);
    const [{ Ledger }, { Roster }, { takeOver }, { runTill }] = await Promise.all([
      import('../../cluster/ledger.ts'),
      import('../../cluster/roster.ts'),
      import('../../cluster/take-over.ts'),
      import('../../cluster/till.ts'),
    ]);
    const lease = till.lease_seconds * 1000;
    // The ledger paces what all tills send; the client would pace each of them alone.
    const unpaced = ({ requestsPerMinute: _, tokensPerMinute: __, ...limits }: Limits) => limits;
    const providers = graph.providers.map((provider) => ({ ...provider, limits: unpaced(provider.limits) }));
    const client = await openClient({ ...graph, providers }, this.context.bundle, { cache });
    const rates = (name: string) => {
      const [identity, ...model] = name.split(' ');
      const own = till.models[model.join(' ')];
      const limits = graph.providers.find((provider) => provider.identity === identity)?.limits;
      return {
        requestsPerMinute: own?.requests_per_minute ?? limits?.requestsPerMinute ?? 0,
        tokensPerMinute: own?.tokens_per_minute ?? limits?.tokensPerMinute ?? 0,
      };
    };
    const ledger = new Ledger(redis, account, { cap: till.cap, lease, mostAgain: till.buy_again, rates });
    const owner = `${hostname()}-${process.pid}-${Date.now().toString(36)}`;
    const about = { host: hostname(), pid: process.pid, version: VERSION };
    // One of this machine that is gone need not be waited for.
    const isGone = (other: TillAbout) => other.host === about.host && systemProcesses.startOf(other.pid) === undefined;
    const own = {
      ledger,
      roster: new Roster(redis, account),
      owner,
      lease,
      about,
      clock: systemClock,
      note,
      interrupt,
    };
    const cap = till.cap === undefined ? 'without a cap' : `up to ${dollars(till.cap)}`;
    const sharing = { command: this.commandLine, note };
    const serve = () =>
      withSharedCache(session, sharing, async (shared) => {
        await shared?.look();
        await runTill({
          ...own,
          redis,
          account,
          store: ports.store,
          client: async () => client,
          concurrency: new Map(graph.providers.map(({ identity, limits }) => [identity, limits.concurrency])),
          prices: ports.prices,
          protocols: protocolAt,
          tokens: (call) => sizeOfBody(protocolAt(call.path), call).tokensLikely,
          bring: shared?.bring,
          kill,
        });
      });
    try {
      while (await takeOver({ ...own, isGone })) {
        if ((await ledger.openBooks(spentBefore(store))) === 1) note(`opened the books of the account ${account}`);
        this.say(
          { type: 'till-open', version: 1, account, cap: till.cap ?? null },
          `Till of ${account}, ${cap}. Ctrl-C ends it.`,
        );
        await serve();
      }
      return EXIT.built;
    } finally {
      await client.close();
      redis.disconnect();
    }
  }
}

/** What the account's books begin with, where there are none: everything that this cache knows to be spent. */
function spentBefore(store: LocalStore): { readonly spent: number; readonly unknown: number } {
  let spent = 0;
  let unknown = 0;
  // What was billed for no answer, and for one that was asked anew since, was billed all the same.
  for (const answers of [store.calls.scan(), store.calls.scanFailures(), store.calls.scanSuperseded()]) {
    for (const { value } of answers) {
      spent += value?.cost ?? 0;
      if (value !== undefined && 'reserved' in value) unknown += value.reserved ?? 0;
    }
  }
  for (const { intent } of unresolvedIntents(store.intents, store.calls)) unknown += intent.dollars;
  return { spent, unknown };
}
