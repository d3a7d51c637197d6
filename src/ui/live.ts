/**
 * Progress in a terminal: one line for each node at work and one for the whole, redrawn in place; what is finished
 * scrolls above them. Only nodes at work keep the lines alive, so that other output may follow once none is.
 */

import type { Listener } from '../core/events.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count, progressPercent, rate } from '../text/numbers.ts';
import { painter } from '../text/paint.ts';
import { counted } from '../text/plural.ts';
import { columnsOf, padEnd, padStart, truncate } from '../text/width.ts';
import { type LineOptions, permanentLines, workersText } from './lines.ts';
import { createProgress, type NodeState, ratesOf } from './progress.ts';
import type { Sink, Timer } from './sink.ts';
import { createStages } from './stages.ts';

/** Milliseconds between two drawings at least, and between two while nothing happens. */
const FRAME = 100;
const HEARTBEAT = 1_000;
const BAR = 12;
/** Lines left free above the drawing. */
const SPARE_ROWS = 3;

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

interface LiveOptions {
  readonly sink: Sink;
  readonly timer: Timer;
  /** The terminal's size; asked before each drawing. */
  readonly columns: () => number;
  readonly rows: () => number;
  readonly color: boolean;
  readonly verbose: boolean;
}

interface Live {
  readonly listener: Listener;
  /** Prints text that stays, above the drawing. */
  print(text: string): void;
  /** Takes the drawing away and shows the cursor again. May be called more than once. */
  close(): void;
}

export function createLive(options: LiveOptions): Live {
  const { sink, timer } = options;
  const paint = painter(options.color);
  const lineOptions: LineOptions = { paint, color: options.color, verbose: options.verbose };
  const progress = createProgress();
  const stages = createStages();
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let cursorHidden = false;
  let scheduled: { readonly at: number; readonly cancel: () => void } | undefined;
  let pending = '';
  let over = false;
  let closed = false;

  const erase = () => (drawn === 0 ? '' : `\u001b[${drawn}A\r\u001b[J`);

  const working = () => !over && progress.active.size > 0;

  const draw = () => {
    const now = timer.now();
    const lines = working() ? frame(now) : [];
    let text = erase() + pending;
    pending = '';
    if (lines.length > 0 && !cursorHidden) text = HIDE_CURSOR + text;
    if (lines.length > 0) text += `${lines.join('\n')}\n`;
    else if (cursorHidden) text += SHOW_CURSOR;
    cursorHidden = lines.length > 0;
    drawn = lines.length;
    drawnAt = now;
    scheduled?.cancel();
    scheduled = undefined;
    if (text !== '') sink.write(text);
    if (lines.length > 0) schedule(HEARTBEAT);
  };

  const schedule = (ms: number) => {
    const at = timer.now() + ms;
    if (scheduled !== undefined && scheduled.at <= at) return;
    scheduled?.cancel();
    scheduled = {
      at,
      cancel: timer.after(ms, () => {
        scheduled = undefined;
        draw();
      }),
    };
  };

  const frame = (now: number): string[] => {
    const width = Math.max(20, options.columns() - 1);
    const room = Math.max(1, options.rows() - SPARE_ROWS);
    const nodes = [...progress.active.values()];
    const shown = nodes.slice(0, nodes.length > room ? room - 1 : room);
    const nameWidth = Math.min(
      Math.max(...shown.map(({ name }) => columnsOf(printable(name)))),
      Math.floor(width * 0.45),
    );
    const lines = shown.map((node) => nodeLine(node, now, nameWidth, width));
    if (nodes.length > shown.length) lines.push(truncate(`  … and ${count(nodes.length - shown.length)} more`, width));
    lines.push(footer(now, width));
    return lines;
  };

  const nodeLine = (node: NodeState, now: number, nameWidth: number, width: number): string => {
    const name = padEnd(truncate(printable(node.name), nameWidth), nameWidth);
    const { calls, remaining } = ratesOf(node, now);
    if (node.items === undefined || node.items === 0) {
      return paint('cyan', '> ') + truncate(`${name}  ${duration(now - node.startedAt)}`, width - 2);
    }
    const share = Math.min(1, node.done / node.items);
    const total = count(node.items);
    const filled = Math.floor(share * BAR);
    const text = fitting(
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
      width - 2,
    );
    return `${paint('cyan', '> ')}${text}`;
  };

  const footer = (now: number, width: number): string => {
    const { share, remaining, dollars: expected } = progress.whole(now);
    const workers = progress.workers();
    const ofExpected = expected === null || expected === 0 ? '' : ` of about ${dollars(expected)}`;
    const text = fitting(
      [
        [KEPT, share !== undefined && progressPercent(share)],
        [1, `${count(progress.finished())} of ${counted(progress.nodes(), 'node')}`],
        [3, `${count(progress.bought())} bought`],
        [4, `${dollars(progress.cost())}${ofExpected}`],
        [2, duration(now - progress.startedAt())],
        [3, workers !== undefined && workersText(workers)],
        [4, remaining !== undefined && `ETA ${duration(remaining)}`],
      ],
      ' · ',
      width - 2,
    );
    return paint('dim', `  ${text}`);
  };

  return {
    listener(event) {
      if (closed) return;
      const now = timer.now();
      const failures = event.type === 'call-failed' ? (progress.active.get(event.node)?.failures ?? 0) : 0;
      progress.follow(event, now);
      const stage = stages.follow(event, now);
      if (event.type === 'finished') over = true;
      const context = { failuresBefore: failures, stage, names: stages.names, now };
      const lines = permanentLines(event, context, lineOptions);
      if (lines.length > 0) pending += `${lines.join('\n')}\n`;
      // Erase the display as soon as no node is running: other output may follow.
      if (!working()) {
        if (pending !== '' || drawn > 0) draw();
      } else schedule(Math.max(0, drawnAt + FRAME - now));
    },
    print(text) {
      if (text === '') return;
      pending += text.endsWith('\n') ? text : `${text}\n`;
      if (!closed) draw();
      else {
        sink.write(pending);
        pending = '';
      }
    },
    close() {
      if (closed) return;
      closed = true;
      over = true;
      if (pending !== '' || drawn > 0 || cursorHidden) draw();
      scheduled?.cancel();
      scheduled = undefined;
    },
  };
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
