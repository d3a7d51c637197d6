/** The log of builds, and the ledger, for people. */

import type { BuildRecord } from '../core/storage.ts';
import type { Bill } from '../core/unrecorded.ts';
import type { Ledger } from '../engine/explain/ledger.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { table } from '../text/table.ts';

/** What an exit code means, in a word. */
const ENDINGS: Readonly<Record<number, string>> = {
  0: 'built',
  1: 'failed',
  2: 'bad input',
  3: 'stopped',
  4: 'locked',
  5: 'damaged',
  6: 'waiting',
  130: 'interrupted',
};

/** Nodes of the ledger that are listed. */
const NODES = 12;

/** @param all entries that there are: a gate is one, whose looks are no builds of their own */
export function logText(entries: readonly (readonly BuildRecord[])[], all: number): string {
  if (entries.length === 0) return 'No build is recorded yet.\n';
  const records = entries.flat();
  // The id says when it began, in UTC.
  const tagged = records.some(({ tags = [] }) => tags.length > 0);
  const doubted = records.some(({ totals }) => (totals.cost.unknown ?? 0) > 0);
  const money = doubted ? ['billed', 'unknown'] : ['billed'];
  const header = ['build (UTC)', ...(tagged ? ['tag'] : []), 'nodes', 'bought', ...money, 'exit', 'targets'];
  const rows = entries.map((looks) => {
    const { id, tags = [], targets, profile, exit, gate } = looks[0]!;
    const sum = (of: (totals: BuildRecord['totals']) => number) =>
      looks.reduce((total, { totals }) => total + of(totals), 0);
    return [
      id,
      ...(tagged ? [tags.join(', ')] : []),
      count(sum(({ nodes }) => nodes.run)),
      count(sum(({ calls }) => calls.bought)),
      dollars(sum(({ cost }) => cost.billed)),
      ...(doubted ? [dollars(sum(({ cost }) => cost.unknown ?? 0))] : []),
      ENDINGS[exit] ?? String(exit),
      `${gate === undefined ? some(targets) : `a gate, ${counted(looks.length, 'look')}`} · ${profile}`,
    ];
  });
  const sums = money.map(() => 'right' as const);
  const align = ['left', ...(tagged ? ['left' as const] : []), 'right', 'right', ...sums, 'left', 'left'] as const;
  const rest = all - entries.length;
  const more = rest === 0 ? '' : `\n${counted(rest, 'older build')}: --limit 0 lists all.\n`;
  return `${table([header, ...rows], { align })}\n${more}`;
}

function some(targets: readonly string[]): string {
  return targets.length <= 2 ? targets.join(' ') : `${targets[0]} and ${targets.length - 1} more`;
}

export function ledgerText(ledger: Ledger, records: readonly BuildRecord[]): string {
  const { nodes, models, unrecorded } = ledger;
  const listed = new Set(records.map(({ id }) => id));
  const builds = ledger.builds.filter(
    ({ id, bought, saved, unknown }) => listed.has(id) && (bought > 0 || saved > 0 || unknown > 0),
  );
  const right = ['left', 'right', 'right', 'right', 'right'] as const;
  // Told apart where there is any: what was billed, and what may have been.
  const doubted = ledger.unknown > 0;
  const header = doubted ? ['billed', 'unknown'] : ['billed'];
  const sums = ({ cost, unknown }: Bill) => (doubted ? [dollars(cost), dollars(unknown)] : [dollars(cost)]);
  const lines: string[] = [];
  const section = (title: string, header: readonly string[], rows: readonly (readonly string[])[]) => {
    if (rows.length > 0) lines.push(title, table([header, ...rows], { align: right }), '');
  };
  section(
    'By build, newest first',
    ['build', 'bought', ...header, 'saved'],
    builds.map(({ id, tags, bought, saved, ...bill }) => [
      tags.length === 0 ? id : `${id} (${tags.join(', ')})`,
      count(bought),
      ...sums({ bought, ...bill }),
      dollars(saved),
    ]),
  );
  section(
    'By node, dearest first',
    ['node', 'bought', ...header],
    nodes.slice(0, NODES).map(({ node, ...bill }) => [node, count(bill.bought), ...sums(bill)]),
  );
  if (nodes.length > NODES) lines.splice(-1, 0, `${counted(nodes.length - NODES, 'more node')} (--json lists all)`);
  section(
    'By model',
    ['model', 'bought', ...header],
    models.map(({ model, ...bill }) => [model, count(bill.bought), ...sums(bill)]),
  );
  if (unrecorded.bought > 0) {
    lines.push(
      `Outside recorded builds (a canary, or a build that was killed or had no room to write down its end): replies bought ${count(unrecorded.bought)}, ${sums(unrecorded).join(' billed, ')}${doubted ? ' unknown' : ''}`,
    );
  }
  lines.push(`Billed in all  ${dollars(ledger.billed)}`);
  if (doubted) lines.push(`Unknown: may have been billed as well  ${dollars(ledger.unknown)}`);
  if (ledger.discount > 0) lines.push(`Less than the same online, for coming in batches  ${dollars(ledger.discount)}`);
  lines.push(`Saved by the cache  ${dollars(ledger.saved)}`);
  lines.push(
    `To buy the newest build again from nothing  ${ledger.reproduce === null ? 'unknown' : dollars(ledger.reproduce)}`,
  );
  return `${lines.join('\n')}\n`;
}
