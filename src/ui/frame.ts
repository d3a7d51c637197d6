/** What is drawn while nodes are at work: a line for each of them, and one for the whole. */

import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count, progressPercent, rate } from '../text/numbers.ts';
import type { Paint } from '../text/paint.ts';
import { counted } from '../text/plural.ts';
import { columnsOf, padEnd, padStart, truncate } from '../text/width.ts';
import { workersText } from './lines.ts';
import { type NodeState, type Progress, ratesOf } from './progress.ts';

const BAR = 12;
/** Lines left free above the drawing. */
const SPARE_ROWS = 3;

/** A terminal's size. */
interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The lines for the nodes at work, at least one; as many as the terminal has room for. */
export function frameOf(progress: Progress, now: number, { columns, rows }: Size, paint: Paint): string[] {
  const width = Math.max(20, columns - 1);
  const room = Math.max(1, rows - SPARE_ROWS);
  const nodes = [...progress.active.values()];
  const shown = nodes.slice(0, nodes.length > room ? room - 1 : room);
  const nameWidth = Math.min(
    Math.max(...shown.map(({ name }) => columnsOf(printable(name)))),
    Math.floor(width * 0.45),
  );
  const lines = shown.map((node) => `${paint('cyan', '> ')}${nodeText(node, now, nameWidth, width - 2)}`);
  if (nodes.length > shown.length) lines.push(truncate(`  … and ${count(nodes.length - shown.length)} more`, width));
  lines.push(paint('dim', `  ${wholeText(progress, now, width - 2)}`));
  return lines;
}

function nodeText(node: NodeState, now: number, nameWidth: number, width: number): string {
  const name = padEnd(truncate(printable(node.name), nameWidth), nameWidth);
  const { calls, remaining } = ratesOf(node, now);
  if (node.items === undefined || node.items === 0) {
    return truncate(`${name}  ${duration(now - node.startedAt)}`, width);
  }
  const share = Math.min(1, node.done / node.items);
  const total = count(node.items);
  const filled = Math.floor(share * BAR);
  return fitting(
    [
      [KEPT, name],
      [1, `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`],
      [KEPT, `${padStart(count(node.done), columnsOf(total))}/${total}`],
      [3, node.cached > 0 && `${count(node.cached)} cached`],
      [5, node.failed > 0 && `${count(node.failed)} failed`],
      [2, calls !== undefined && rate(calls)],
      [4, node.cost > 0 && dollars(node.cost)],
      [5, remaining !== undefined && `ETA ${duration(remaining)}`],
    ],
    '  ',
    width,
  );
}

function wholeText(progress: Progress, now: number, width: number): string {
  const { share, remaining, dollars: expected } = progress.whole(now);
  const workers = progress.workers;
  const ofExpected = expected === null || expected === 0 ? '' : ` of about ${dollars(expected)}`;
  return fitting(
    [
      [KEPT, share !== undefined && progressPercent(share)],
      [1, `${count(progress.finished)} of ${counted(progress.nodes, 'node')}`],
      [3, `${count(progress.bought)} bought`],
      [4, `${dollars(progress.cost)}${ofExpected}`],
      [2, duration(now - progress.startedAt)],
      [3, workers !== undefined && workersText(workers)],
      [4, remaining !== undefined && `ETA ${duration(remaining)}`],
    ],
    ' · ',
    width,
  );
}

/** A part of a line, `false` where there is nothing to say, and when it leaves: the lowest first. */
type LinePart = readonly [leaves: number, text: string | false];

const KEPT = 6;

/** The parts in one line; those that say least are left out where there is not room for all. */
function fitting(parts: readonly LinePart[], separator: string, width: number): string {
  const kept = (from: number) => parts.flatMap(([leaves, text]) => (text === false || leaves < from ? [] : [text]));
  for (let from = 0; from < KEPT; from++) {
    const line = kept(from).join(separator);
    if (columnsOf(line) <= width) return line;
  }
  return truncate(kept(KEPT).join(separator), width);
}
