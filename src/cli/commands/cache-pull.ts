/** `cje cache pull`: takes what others have put into the shared cache. */

import { Command } from 'clipanion';
import type { ExitCode } from '../../core/problem.ts';
import { differentText, takenText } from '../../team/remote-text.ts';
import { counted } from '../../text/plural.ts';
import { size } from '../../text/size.ts';
import { CATEGORY } from '../cache/command.ts';
import { RemoteCommand } from '../cache/remote-command.ts';

export class CachePullCommand extends RemoteCommand {
  static override paths = [['cache', 'pull']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'take what others have put into the shared cache',
    details: `
      Fetches the segments that cje.remote.yaml's \`remote:\` has and this cache has not seen, and merges their replies, results
      and outputs. A segment is believed if a key under \`trusted\` has signed for it; each byte is checked before any is used.
      What this cache has already stays as it is.

      Exit codes: 0 taken · 1 the place cannot be reached · 2 no shared cache is named · 4 a build is running · 5 something in
      it is not believed: it is named, nothing of it was used, and the rest was taken.
    `,
    examples: [['What have the others bought?', 'cje cache pull']],
  });

  run(): Promise<ExitCode> {
    return this.withRemote(async (remote) => {
      const [{ pull }, { holdKept }] = await Promise.all([
        import('../../remote/pull.ts'),
        import('../../remote/holds.ts'),
      ]);
      const pulled = await this.writing(async (store) => {
        const done = await pull(store, remote);
        if (remote.key !== undefined && remote.trusted.has(remote.key.public))
          await holdKept(store, remote, Math.random);
        return done;
      });
      const { segments, bytes, added, different, gone, refused } = pulled;
      if (this.json) {
        this.printJson({ type: 'cache-pulled', version: 1, place: remote.objects.place, ...pulled });
      } else {
        this.print(
          segments === 0
            ? 'Nothing new.\n'
            : `Took ${counted(segments, 'segment')} (${size(bytes)}): ${takenText(added)}.\n`,
        );
        if (different > 0) this.print(`${differentText(different)}.\n`);
        if (gone > 0) this.print(`${counted(gone, 'segment is', 'segments are')} named there and gone.\n`);
      }
      return this.refusedExit(remote.objects.place, refused);
    });
  }
}
