/** `cje cache gc`: makes room, and never at the cost of a recent build. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import type { Collection } from '../../store/upkeep/collect.ts';
import { dollars } from '../../text/money.ts';
import { count } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import { table } from '../../text/table.ts';
import { CATEGORY, CacheCommand } from '../cache/command.ts';
import { parseSize, size } from '../cache/sizes.ts';

/** Builds that are kept where only a size is given. */
const KEPT_BUILDS = 10;

export class CacheGcCommand extends CacheCommand {
  static override paths = [['cache', 'gc']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'remove what no recent build depends on, the oldest first',
    details: `
      What the newest builds depend on is kept whole: outputs, and the replies behind them, so that each can be made again
      offline. Tagged builds are kept too. Of the rest the oldest goes first, until the cache fits; without --max-size all
      of it goes. Removed replies have to be bought again if they are ever asked for.
    `,
    examples: [
      ['What would go?', 'cje cache gc --max-size 2GB --dry-run'],
      ['Keep the last three builds and nothing else', 'cje cache gc --keep-builds 3'],
    ],
  });

  maxSize = Option.String('--max-size', { description: 'stop when the cache takes no more than this: 2GB, 500MB' });
  keepBuilds = Option.String('--keep-builds', {
    description: `how many builds are kept whole; ${KEPT_BUILDS} by default`,
  });
  dryRun = Option.Boolean('--dry-run', false, { description: 'say what would be removed, and remove nothing' });

  async run(): Promise<ExitCode> {
    if (this.maxSize === undefined && this.keepBuilds === undefined) {
      throw new ProblemError({
        id: 'CJE-USAGE',
        headline: 'gc needs to be told what may stay',
        hint: 'such as --max-size 2GB, or --keep-builds 3; --dry-run shows what would go',
      });
    }
    const maxBytes = this.maxSize === undefined ? undefined : parseSize('--max-size', this.maxSize);
    const keepBuilds = this.keepBuilds === undefined ? KEPT_BUILDS : wholeNumber('--keep-builds', this.keepBuilds);
    const options = { keepBuilds, maxBytes, dryRun: this.dryRun };
    const { collect } = await import('../../store/upkeep/collect.ts');
    const done = this.dryRun
      ? await this.reading((store) => collect(store, options))
      : await this.writing((store) => collect(store, options));
    if (this.json) this.printJson({ type: 'cache-collected', version: 1, dryRun: this.dryRun, ...done });
    else this.print(collectedText(done, options));
    return EXIT.built;
  }
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && Number.isSafeInteger(value)) return value;
  throw new ProblemError({
    id: 'CJE-BAD-OPTION',
    headline: `${option} takes a whole number, not ${JSON.stringify(text)}`,
  });
}

function collectedText(
  done: Collection,
  { dryRun, maxBytes }: { dryRun: boolean; maxBytes: number | undefined },
): string {
  const { removed } = done;
  const labels: readonly (readonly [keyof Collection['removed'], string])[] = [
    ['replies', 'replies'],
    ['failures', 'failures'],
    ['actions', 'finished nodes'],
    ['blobs', 'outputs'],
    ['downloads', 'downloads'],
    ['quarantined', 'quarantined files'],
  ];
  const rows = labels.filter(([kind]) => removed[kind] > 0).map(([kind, label]) => [label, count(removed[kind])]);
  const lines = [`${dryRun ? 'Would keep' : 'Kept'} ${counted(done.builds, 'build')} whole.`];
  if (rows.length === 0) {
    lines.push(dryRun ? 'Nothing would be removed.' : 'Nothing was removed.');
  } else {
    lines.push('', dryRun ? 'Would remove:' : 'Removed:', table(rows, { align: ['left', 'right'] }));
    if (removed.replies > 0) lines.push(`The replies had cost ${dollars(done.dollars)}.`);
    lines.push('');
  }
  lines.push(`${size(done.bytesBefore)} on the disk before, ${dryRun ? 'about ' : ''}${size(done.bytesAfter)} after.`);
  if (done.unlisted > 0) {
    lines.push(
      `No reply was removed: ${count(done.unlisted)} kept nodes do not say which they depend on. \`cje cache verify\`, then build.`,
    );
  }
  if (!done.fits) lines.push(`That is more than ${size(maxBytes ?? 0)}: lower --keep-builds to let go of more.`);
  return `${lines.join('\n')}\n`;
}
