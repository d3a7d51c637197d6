/** `cje till`: holds an account's key, limits and budget, and buys for builds on any machine. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { withLock } from '../../engine/build/lock.ts';
import { dollars } from '../../text/money.ts';
import { VERSION } from '../build-info.ts';
import { CLUSTER_CATEGORY } from '../cluster-command.ts';
import { openClient } from '../compose.ts';
import { watchInterrupts } from '../interrupts.ts';
import { PipelineCommand } from '../pipeline-command.ts';

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
      await this.withSession({ readOnly: false }, (session) =>
        withLock(session.store, this.commandLine, async () => {
          const { serveTill } = await import('../../team/serve-till.ts');
          const { graph, cache } = session;
          await serveTill({
            project: session,
            openClient: (providers) => openClient({ ...graph, providers }, this.context.bundle, { cache }),
            command: this.commandLine,
            version: VERSION,
            note,
            problem: (problem) => this.warn(problem),
            onOpen: (account, cap) => this.#tellOpen(account, cap),
            ...interrupts,
          });
        }),
      );
      return EXIT.built;
    } finally {
      interrupts.stop();
    }
  }

  #tellOpen(account: string, cap: number | undefined): void {
    const limit = cap === undefined ? 'without a cap' : `up to ${dollars(cap)}`;
    this.say(
      { type: 'till-open', version: 1, account, cap: cap ?? null },
      `Till of ${account}, ${limit}. Ctrl-C ends it.`,
    );
  }
}
