/** `cje cache gc`: makes room, and never at the cost of a recent build. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode, usageError } from '../../core/problem.ts';
import { collectedText, retainedText } from '../../terminal/cache-text.ts';
import { parseAge } from '../cache/ages.ts';
import { CATEGORY } from '../cache/command.ts';
import { RemoteCommand } from '../cache/remote-command.ts';
import { parseSize } from '../cache/sizes.ts';
import { wholeNumber } from '../numbers.ts';

/** Builds that are kept where only a size is given. */
const KEPT_BUILDS = 10;

export class CacheGcCommand extends RemoteCommand {
  static override paths = [['cache', 'gc']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'remove what no recent build depends on, the oldest first',
    details: `
      What the newest builds depend on is kept whole: outputs, and the replies behind them, so that each can be made again
      offline. Tagged builds are kept too. Of the rest the oldest goes first, until the cache fits; without --max-size all
      of it goes. Removed replies have to be bought again if they are ever asked for.

      None of that touches a shared cache. There \`--remote --older-than 90d\` says what is that old and what nobody who signs
      has said to need within that time; only with \`--delete\` is it removed.
    `,
    examples: [
      ['What would go?', 'cje cache gc --max-size 2GB --dry-run'],
      ['Keep the last three builds and nothing else', 'cje cache gc --keep-builds 3'],
      ['What in the shared cache has nobody needed for a year?', 'cje cache gc --remote --older-than 365d'],
    ],
  });

  maxSize = Option.String('--max-size', { description: 'stop when the cache takes no more than this: 2GB, 500MB' });
  keepBuilds = Option.String('--keep-builds', {
    description: `how many builds are kept whole; ${KEPT_BUILDS} by default`,
  });
  dryRun = Option.Boolean('--dry-run', false, { description: 'say what would be removed, and remove nothing' });

  remote = Option.Boolean('--remote', false, { description: 'look at the shared cache in place of this one' });
  olderThan = Option.String('--older-than', {
    description: 'with --remote: what may go is at least this old: 90d, 12w',
  });
  delete = Option.Boolean('--delete', false, { description: 'with --remote: remove it' });

  async run(): Promise<ExitCode> {
    const local = this.maxSize !== undefined || this.keepBuilds !== undefined;
    if (this.remote ? local : this.olderThan !== undefined || this.delete) {
      throw usageError(
        'a shared cache is thinned out by age alone, and this one by size and builds',
        '--remote goes with --older-than and --delete; --max-size and --keep-builds go without it',
      );
    }
    if (this.remote) return this.#thinOutRemote();
    if (this.maxSize === undefined && this.keepBuilds === undefined) {
      throw usageError(
        'gc needs to be told what may stay',
        'such as --max-size 2GB, or --keep-builds 3; --dry-run shows what would go',
      );
    }
    const maxBytes = this.maxSize === undefined ? undefined : parseSize('--max-size', this.maxSize);
    const keepBuilds = wholeNumber('--keep-builds', this.keepBuilds) ?? KEPT_BUILDS;
    const options = { keepBuilds, maxBytes, dryRun: this.dryRun };
    const { collect } = await import('../../store/upkeep/collect.ts');
    const done = this.dryRun
      ? await this.reading((store) => collect(store, options))
      : await this.writing((store) => collect(store, options));
    if (this.json) this.printJson({ type: 'cache-collected', version: 1, dryRun: this.dryRun, ...done });
    else this.print(collectedText(done, options));
    return EXIT.built;
  }

  async #thinOutRemote(): Promise<ExitCode> {
    if (this.olderThan === undefined) {
      throw usageError(
        'gc --remote needs to be told how old is old',
        'such as --older-than 90d; nothing is removed without --delete',
      );
    }
    const olderThan = parseAge('--older-than', this.olderThan);
    const dryRun = !this.delete || this.dryRun;
    return this.withRemote(async (remote) => {
      const { retain } = await import('../../remote/retention.ts');
      const done = await retain(remote, { olderThan, dryRun });
      const { place } = remote.objects;
      if (this.json) this.printJson({ type: 'cache-remote-collected', version: 1, place, dryRun, ...done });
      else this.print(retainedText(done, dryRun));
      return this.refusedExit(place, done.refused);
    });
  }
}
