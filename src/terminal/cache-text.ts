/** What lies in the cache, what was taken out of it, and what was found damaged, for people. */

import type { Retention } from '../remote/retention.ts';
import type { Collection } from '../store/upkeep/collect.ts';
import type { Saved } from '../store/upkeep/salvage.ts';
import type { CallGroup, Statistics } from '../store/upkeep/statistics.ts';
import type { Verification } from '../store/upkeep/verify.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { size } from '../text/size.ts';
import { table } from '../text/table.ts';

/** Damaged entries that are named without being asked. */
const NAMED = 20;

export function statisticsText(found: Statistics, verbose: boolean): string {
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

export function collectedText(
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

export function retainedText({ young, held, removed, bytes }: Retention, dryRun: boolean): string {
  const stay = `${counted(young, 'segment stays', 'segments stay')} for their age, ${count(held)} because somebody needs them.`;
  const objects = `${counted(removed.length, 'object')} (${size(bytes)})`;
  if (removed.length === 0) return `${stay}\nNothing ${dryRun ? 'would be' : 'was'} removed.\n`;
  return `${stay}\n${dryRun ? `Would remove ${objects}: --delete does it.` : `Removed ${objects}.`}\n`;
}

export function verifiedText(
  { checked, bytes, damaged }: Verification,
  saved: Saved | undefined,
  verbose: boolean,
): string {
  const what = [
    counted(checked.replies, 'reply').replace('replys', 'replies'),
    counted(checked.actions, 'finished node'),
    counted(checked.blobs, 'output'),
  ].join(', ');
  const read = `Checked ${what}: ${size(bytes)} read.\n`;
  if (damaged.length === 0) return `${read}Nothing is damaged.\n`;
  const shown = verbose ? damaged : damaged.slice(0, NAMED);
  const rows = shown.map(({ kind, name, reason, node }) => [
    kind,
    name,
    node === undefined ? reason : `${reason} (${node})`,
  ]);
  const more =
    damaged.length > shown.length ? `… and ${count(damaged.length - shown.length)} more (--verbose names all)\n` : '';
  const rescued =
    saved === undefined
      ? ''
      : `Saved from the data file: ${count(saved.replies)} replies, ${count(saved.actions)} finished nodes, ${count(saved.builds)} builds.\n`;
  return (
    `${read}${rescued}\nDamaged:\n${table(rows)}\n${more}\n` +
    'They were taken out; copies lie in .cache/quarantine. The next build makes them again, and buys the replies that are lost.\n'
  );
}
