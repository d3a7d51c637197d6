/** `cje cache stats`: what the cache holds and what it had cost. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { CallGroup, Statistics } from '../../store/upkeep/statistics.ts';
import { dollars } from '../../text/money.ts';
import { count } from '../../text/numbers.ts';
import { table } from '../../text/table.ts';
import { CATEGORY, CacheCommand } from '../cache/command.ts';
import { size } from '../cache/sizes.ts';

export class CacheStatsCommand extends CacheCommand {
  static override paths = [['cache', 'stats']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'what the cache holds: entries, bytes, dollars, by kind, model and age',
    details: 'With --verbose also by node.',
    examples: [['Where the money lies', 'cje cache stats']],
  });

  run(): Promise<ExitCode> {
    return this.reading(async (store) => {
      const { statistics } = await import('../../store/upkeep/statistics.ts');
      const found = statistics(store, Date.now());
      if (this.json) this.printJson({ type: 'cache-stats', version: 1, ...asJson(found) });
      else this.print(asText(found, this.verbose));
      return EXIT.built;
    });
  }
}

function asJson(found: Statistics) {
  const { total, byKind, byNode, byModel, byAge, ...rest } = found;
  return {
    ...rest,
    replies: group(total),
    byKind: groups(byKind),
    byNode: groups(byNode),
    byModel: groups(byModel),
    byAge: groups(byAge),
  };
}

const group = ({ oldest, newest, ...counts }: CallGroup) => ({
  ...counts,
  oldest: Number.isFinite(oldest) ? oldest : null,
  newest: Number.isFinite(newest) ? newest : null,
});
const groups = (found: ReadonlyMap<string, CallGroup>) =>
  Object.fromEntries([...found].map(([name, counts]) => [name, group(counts)]));

function asText(found: Statistics, verbose: boolean): string {
  const sections = [overview(found), section('kind', found.byKind), section('model', found.byModel)];
  if (verbose) sections.push(section('node', found.byNode));
  sections.push(section('bought', found.byAge, 'as they come'));
  if (found.damaged > 0) {
    sections.push(`${count(found.damaged)} replies are damaged: run \`cje cache verify\`.`);
  }
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function overview(found: Statistics): string {
  const { total, blobs, downloads, quarantine, dataFile } = found;
  const rows: string[][] = [
    ['replies', count(total.replies), size(total.bytes), money(total)],
    ['failures', count(found.failures), '', ''],
    ['finished nodes', count(found.actions), '', ''],
    ['outputs', count(blobs.files), size(blobs.bytes), ''],
    ['builds', count(found.builds), '', ''],
  ];
  if (downloads.files > 0) rows.push(['downloads', count(downloads.files), size(downloads.bytes), '']);
  if (quarantine.files > 0) rows.push(['quarantined', count(quarantine.files), size(quarantine.bytes), '']);
  const free = dataFile.bytes - dataFile.used;
  const text = table([['', 'entries', 'size', 'dollars'], ...rows], { align: ['left', 'right', 'right', 'right'] });
  const roomy = free > 0.1 * dataFile.bytes && free > 1e6 ? ` (${size(free)} of it is free room in the data file)` : '';
  return `${text}\n\n${size(found.bytes)} on the disk${roomy}`;
}

function section(title: string, found: ReadonlyMap<string, CallGroup>, order?: 'as they come'): string {
  const entries = [...found].filter(([, { replies }]) => replies > 0);
  if (entries.length === 0) return '';
  if (order === undefined) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = entries.map(([name, counts]) => [name, count(counts.replies), size(counts.bytes), money(counts)]);
  return table([[title, 'replies', 'size', 'dollars'], ...rows], { align: ['left', 'right', 'right', 'right'] });
}

const money = ({ dollars: sum, unpriced }: CallGroup): string =>
  unpriced > 0 ? `${dollars(sum)} + ${count(unpriced)} unpriced` : dollars(sum);
