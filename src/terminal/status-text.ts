/** The state of an experiment, and its failures, for people. */

import type { Kinds } from '../core/kind.ts';
import type { LockHolder } from '../core/storage.ts';
import type { FailedItem, Failures } from '../engine/explain/failures.ts';
import type { NodeStatus } from '../engine/explain/status.ts';
import type { Trouble } from '../engine/explain/trouble.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { table } from '../text/table.ts';
import { truncate } from '../text/width.ts';

/** Failed items of a node that are listed unless everything is asked for. */
const LISTED = 10;

export function statusText(rows: readonly NodeStatus[], calls: number, lock: LockHolder | null, kinds: Kinds): string {
  const cells = rows.map((row) => [
    row.node,
    row.state,
    row.items === null || row.items === 0 ? '' : `${count(row.complete ?? 0)} of ${count(row.items)}`,
    printable(
      [row.note === '' ? lackingText(row) : row.note, ...(row.served ?? []), ...(row.usage ?? [])]
        .filter(Boolean)
        .join('; '),
    ),
  ]);
  const lines = [
    table([['node', 'state', 'complete', ''], ...cells], { align: ['left', 'left', 'right', 'left'] }),
    '',
  ];
  const fresh = rows.filter(({ state }) => state !== 'stale').length;
  lines.push(
    `${count(fresh)} of ${counted(rows.length, 'node')} up to date; ${counted(calls, 'reply', 'replies')} in the cache.`,
  );
  if (rows.some(({ kind, lacking }) => kinds.get(kind)?.kind.shape === 'calls' && Object.keys(lacking).length > 0)) {
    lines.push('What failed, item by item: cje status --failures');
  }
  if (lock !== null) {
    const since = new Date(lock.since).toISOString();
    lines.push(`A build is running: pid ${lock.pid} on ${printable(lock.host)}, since ${since}.`);
  }
  return `${lines.join('\n')}\n`;
}

const lackingText = ({ lacking, truncated }: NodeStatus): string =>
  Object.entries({ ...lacking, ...(truncated === undefined ? {} : { truncated }) })
    .map(([status, rows]) => `${count(rows)} ${status}`)
    .join(', ');

export function troubleText({ uncopied, unresolved, full = false }: Trouble): string {
  const lines = [
    ...(uncopied === undefined ? [] : [`The last build did not make all copies: ${printable(uncopied)}. Build again.`]),
    ...(unresolved === undefined
      ? []
      : [
          `A build was killed, or its disk was full, with ${counted(unresolved.requests, 'request')} under way: ${dollars(unresolved.dollars)} may have been billed; the next build books it as unknown.`,
        ]),
    ...(full ? ['The disk of the cache folder is full: a build needs 4 MB at the very least.'] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

export function failuresText(
  { items, loose, nodes }: Failures,
  options: { readonly verbose: boolean; readonly width: number },
): string {
  if (items.length + loose.length + nodes.length === 0) {
    return 'Nothing failed: every item that was asked for has an answer.\n';
  }
  const lines: string[] = [];
  const byNode = new Map<string, FailedItem[]>();
  for (const item of items) byNode.set(item.node, [...(byNode.get(item.node) ?? []), item]);
  for (const [node, failed] of byNode) {
    lines.push(`${node}: ${counted(failed.length, 'item')} without a usable reply`);
    const shown = options.verbose ? failed : failed.slice(0, LISTED);
    for (const { item, status, failure, reply } of shown) {
      const said = failure?.message ?? (reply === null ? 'nothing was asked' : `reply ${reply}`);
      lines.push(
        truncate(`  ${printable(item)}  ${printable(status)}: ${printable(said)}`, Math.max(60, options.width)),
      );
    }
    if (shown.length < failed.length) lines.push(`  … ${count(failed.length - shown.length)} more (--verbose)`);
    lines.push('');
  }
  if (loose.length > 0) {
    lines.push(`${counted(loose.length, 'more failure')} in the ledger, of requests that no finished node asks now`);
    const shown = options.verbose ? loose : loose.slice(0, LISTED);
    for (const { node, reason, message } of shown) {
      lines.push(truncate(`  ${node}  ${reason}: ${printable(message)}`, Math.max(60, options.width)));
    }
    lines.push('');
  }
  if (nodes.length > 0) {
    lines.push(`${counted(nodes.length, 'node')} that the last build did not finish`);
    for (const { node, reason } of nodes) {
      lines.push(truncate(`  ${node}  ${printable(reason)}`, Math.max(60, options.width)));
    }
    lines.push('');
  }
  if (items.length + loose.length > 0) lines.push('To ask again for what failed for good: cje build --retry-failed');
  else lines.push('What was bought is kept: the next build goes on from there.');
  return `${lines.join('\n')}\n`;
}
