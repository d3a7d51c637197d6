/**
 * Progress where there is no terminal: a line when a stage ends; with `verbose` one when a node starts and ends, and a few
 * in between.
 */

import type { BuildEvent, Listener } from '../core/events.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count, progressPercent, rate } from '../text/numbers.ts';
import { painter } from '../text/paint.ts';
import { counted } from '../text/plural.ts';
import { type LineOptions, permanentLines } from './lines.ts';
import { type NodeState, Progress, ratesOf } from './progress.ts';
import type { Sink, Timer } from './sink.ts';
import { createStages } from './stages.ts';

/** A node says how far it is at every tenth of its items, but not more often than this, … */
const STEP = 0.1;
const SHORTEST = 2_000;
/** … and at least this often; milliseconds. */
const LONGEST = 10_000;

interface PlainOptions {
  readonly sink: Sink;
  readonly timer: Pick<Timer, 'now'>;
  readonly color: boolean;
  readonly verbose: boolean;
}

export function plainListener({ sink, timer, color, verbose }: PlainOptions): Listener {
  const options: LineOptions = { paint: painter(color), color, verbose };
  const progress = new Progress();
  const stages = createStages();
  const reports = new Map<string, { at: number; step: number }>();
  const print = (line: string) => sink.write(`${line}\n`);

  return (event) => {
    const now = timer.now();
    const failures = event.type === 'call-failed' ? (progress.active.get(event.node)?.failures ?? 0) : 0;
    progress.follow(event, now);
    const stage = stages.follow(event, now);
    if (verbose) follow(event, now);
    const context = { failuresBefore: failures, stage, names: stages.names, now };
    for (const line of permanentLines(event, context, options)) print(line);
  };

  /** What is told of a node before it ends. */
  function follow(event: BuildEvent, now: number): void {
    switch (event.type) {
      case 'node-started':
        reports.set(event.node, { at: now, step: 0 });
        print(`${options.paint('cyan', '> start  ')} ${printable(event.node)}  ${printable(event.reason)}`.trimEnd());
        return;
      case 'node-progress': {
        const node = progress.active.get(event.node);
        const last = reports.get(event.node);
        if (node === undefined || last === undefined || event.done >= event.items) return;
        const step = Math.floor(event.done / event.items / STEP + 1e-9);
        const since = now - last.at;
        if (since >= LONGEST || (step > last.step && since >= SHORTEST)) {
          reports.set(event.node, { at: now, step });
          print(`  ${progressText(node, now)}`);
        }
        return;
      }
      case 'node-finished':
        reports.delete(event.node);
    }
  }
}

/** `scores/x: 60 of 200 (30 %), 12 cached, 1 failed, 35.2/s, $0.0040, 4.0 s left` */
function progressText(node: NodeState, now: number): string {
  const items = node.items ?? 0;
  const { calls, remaining } = ratesOf(node, now);
  const parts = [
    `${count(node.done)} of ${count(items)} (${progressPercent(items === 0 ? 1 : node.done / items)})`,
    ...(node.cached > 0 ? [`${count(node.cached)} cached`] : []),
    ...(node.failed > 0 ? [`${count(node.failed)} failed`] : []),
    ...(node.retries > 0 ? [counted(node.retries, 'retry').replace('retrys', 'retries')] : []),
    ...(calls === undefined ? [] : [rate(calls)]),
    ...(node.cost > 0 ? [dollars(node.cost)] : []),
    ...(remaining === undefined ? [] : [`${duration(remaining)} left`]),
  ];
  return `${printable(node.name)}: ${parts.join(', ')}`;
}
