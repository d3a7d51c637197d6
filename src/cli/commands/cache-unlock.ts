/** `cje cache unlock`: takes the build lock from a holder that is gone and cannot be asked. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { lockedProblem } from '../../engine/build/lock.ts';
import { printable } from '../../text/escape.ts';
import { CATEGORY, CacheCommand } from '../cache/command.ts';

export class CacheUnlockCommand extends CacheCommand {
  static override paths = [['cache', 'unlock']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'take the lock from a build on another machine that is gone',
    details: `
      A build that died on this machine is noticed by the next one, and needs no help. One on another machine cannot be asked
      whether it is alive: make sure that it is not, then break its lock with this. While the holder is alive on this machine
      the lock is not broken (exit 4).
    `,
    examples: [['A shared folder, and the other machine is off', 'cje cache unlock']],
  });

  async run(): Promise<ExitCode> {
    const { openStore } = await import('../../store/store.ts');
    const store = openStore(this.cache);
    try {
      const found = store.lock.holder() === undefined ? undefined : store.lock.break();
      if (found !== undefined && !found.broken) {
        const problem = lockedProblem(found.holder);
        throw new ProblemError({ ...problem, hint: 'it is alive: wait for it, or end it' }, EXIT.locked);
      }
      if (this.json) this.printJson({ type: 'cache-unlocked', version: 1, holder: found?.holder ?? null });
      else if (found === undefined) this.print('No build holds the lock.\n');
      else {
        const { pid, host, command, since } = found.holder;
        this.print(
          `Took the lock from pid ${pid} on ${printable(host)}, which had held it since ${new Date(since).toISOString()} (${printable(command)}).\n`,
        );
      }
      return EXIT.built;
    } finally {
      await store.close();
    }
  }
}
