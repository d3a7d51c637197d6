/** `cje cache push`: gives what is here and not in the shared cache. */

import { Command, Option } from 'clipanion';
import type { ExitCode } from '../../core/problem.ts';
import { givenText } from '../../team/remote-text.ts';
import { counted } from '../../text/plural.ts';
import { size } from '../../text/size.ts';
import { CATEGORY } from '../cache/command.ts';
import { RemoteCommand } from '../cache/remote-command.ts';

export class CachePushCommand extends RemoteCommand {
  static override paths = [['cache', 'push']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'give what is here to the shared cache',
    details: `
      Writes the replies, results and outputs that the place of cje.remote.yaml's \`remote:\` lacks as signed segments. What is
      there is never replaced. Prompts and replies leave this machine with it; keys, credentials and records of builds do not.

      Exit codes: 0 given · 1 the place cannot be reached · 2 no shared cache is named, or no key that it trusts is here · 5
      something in it is not believed: it is named; the rest was given.
    `,
    examples: [['After a build', 'cje cache push']],
  });

  all = Option.Boolean('--all', false, { description: 'give also what was there once and has been removed' });

  run(): Promise<ExitCode> {
    return this.withRemote(async (remote) => {
      const [{ push }, { holdKept }] = await Promise.all([
        import('../../remote/push.ts'),
        import('../../remote/holds.ts'),
      ]);
      const pushed = await this.reading(async (store) => {
        const done = await push(store, remote, { all: this.all });
        await holdKept(store, remote, Math.random);
        return done;
      });
      const { place } = remote.objects;
      if (this.json) this.printJson({ type: 'cache-pushed', version: 1, place, ...pushed });
      else if (pushed.segments === 0) this.print('Everything is there already.\n');
      else this.print(`Gave ${counted(pushed.segments, 'segment')} (${size(pushed.bytes)}): ${givenText(pushed)}.\n`);
      return this.refusedExit(place, pushed.refused);
    });
  }
}
