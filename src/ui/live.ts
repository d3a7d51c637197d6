/**
 * Progress in a terminal: one line for each node at work and one for the whole, redrawn in place; what is finished
 * scrolls above them. Only nodes at work keep the lines alive, so that other output may follow once none is.
 */

import type { Listener } from '../core/events.ts';
import { painter } from '../text/paint.ts';
import { frameOf } from './frame.ts';
import { type LineOptions, permanentLines } from './lines.ts';
import { Progress } from './progress.ts';
import type { Sink, Timer } from './sink.ts';
import { createStages } from './stages.ts';

/** Milliseconds between two drawings at least, and between two while nothing happens. */
const FRAME = 100;
const HEARTBEAT = 1_000;

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
  const progress = new Progress();
  const stages = createStages();
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let cursorHidden = false;
  let pending = '';
  let over = false;
  let closed = false;

  const erase = () => (drawn === 0 ? '' : `\u001b[${drawn}A\r\u001b[J`);

  const working = () => !over && progress.active.size > 0;

  const draw = () => {
    const now = timer.now();
    const size = { columns: options.columns(), rows: options.rows() };
    const lines = working() ? frameOf(progress, now, size, paint) : [];
    let text = erase() + pending;
    pending = '';
    if (lines.length > 0 && !cursorHidden) text = HIDE_CURSOR + text;
    if (lines.length > 0) text += `${lines.join('\n')}\n`;
    else if (cursorHidden) text += SHOW_CURSOR;
    cursorHidden = lines.length > 0;
    drawn = lines.length;
    drawnAt = now;
    next.cancel();
    if (text !== '') sink.write(text);
    if (lines.length > 0) next.within(HEARTBEAT);
  };
  const next = nextDrawing(timer, draw);

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
      } else next.within(Math.max(0, drawnAt + FRAME - now));
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
      next.cancel();
    },
  };
}

/** When it is drawn again: at the earliest of the moments that were asked for. */
function nextDrawing(timer: Timer, draw: () => void) {
  let scheduled: { readonly at: number; readonly cancel: () => void } | undefined;
  const cancel = () => {
    scheduled?.cancel();
    scheduled = undefined;
  };
  return {
    cancel,
    within(ms: number) {
      const at = timer.now() + ms;
      if (scheduled !== undefined && scheduled.at <= at) return;
      cancel();
      scheduled = {
        at,
        cancel: timer.after(ms, () => {
          scheduled = undefined;
          draw();
        }),
      };
    },
  };
}
