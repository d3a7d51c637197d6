/** Events as lines that stay: what plain progress prints, and what scrolls above live progress. */

import type { CallFailure } from '../core/call.ts';
import type { BuildEvent, NodeOutcome, WorkersAtWork } from '../core/events.ts';
import { completeItems, truncatedItems } from '../core/summary.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import type { Colour, Paint } from '../text/paint.ts';
import { counted } from '../text/plural.ts';
import { columnsOf, padEnd } from '../text/width.ts';
import { renderProblem } from './problems.ts';
import { otherNames, type StageState } from './stages.ts';
import { summaryLines } from './summary.ts';

/** Names up to this long keep what follows them aligned. */
const NAME_COLUMNS = 30;
/** Failed calls of one node that are shown one by one. */
const FAILURES_SHOWN = 3;

export interface LineOptions {
  readonly paint: Paint;
  readonly color: boolean;
  /** Also up-to-date nodes, every failed call and every retry. */
  readonly verbose: boolean;
}

/** A node that a cap or an interrupt stopped has not failed. */
type Ending = NodeOutcome | 'unfinished';

const LABELS: Readonly<Record<Ending, readonly [mark: string, word: string, colour: Colour]>> = {
  run: ['✓', 'done', 'green'],
  cached: ['=', 'cached', 'dim'],
  failed: ['✗', 'FAILED', 'red'],
  unfinished: ['-', 'stopped', 'yellow'],
  refused: ['!', 'refused', 'yellow'],
  skipped: ['-', 'skipped', 'yellow'],
};

/** The ending as a mark and a word. */
function endingLabel(ending: Ending, { paint }: Pick<LineOptions, 'paint'>): string {
  const [mark, word, colour] = LABELS[ending];
  return paint(colour, `${mark} ${word.padEnd(7)}`);
}

type Finished = Extract<BuildEvent, { type: 'node-finished' }>;

/** `✓ done    scores/x  200 of 200, 140 bought, 60 cached, $0.0132, 2.1 s` */
function finishedLine(event: Finished, options: LineOptions): string {
  const parts: string[] = [];
  const { summary, calls } = event;
  if (event.outcome === 'run' && summary !== undefined && summary.items > 0) {
    const complete = completeItems(summary);
    parts.push(
      complete === summary.items
        ? counted(summary.items, 'item')
        : options.paint('yellow', `${count(complete)} of ${counted(summary.items, 'item')}`),
    );
  }
  const truncated = summary === undefined ? 0 : truncatedItems(summary);
  if (event.outcome === 'run' && truncated > 0) parts.push(options.paint('yellow', `${count(truncated)} truncated`));
  if (calls.bought > 0) parts.push(`${count(calls.bought)} bought`);
  if (calls.cached > 0) parts.push(`${count(calls.cached)} cached`);
  if (calls.failed > 0) parts.push(options.paint('red', `${count(calls.failed)} failed`));
  if (event.cost > 0) parts.push(dollars(event.cost));
  parts.push(...answeredBy(otherNames(event)));
  if (event.outcome === 'run') parts.push(duration(event.milliseconds));
  if (event.reason !== undefined && event.outcome !== 'run') parts.unshift(printable(event.reason));
  const name = padEnd(printable(event.node), NAME_COLUMNS);
  const ending = event.unfinished === true ? 'unfinished' : event.outcome;
  return `${endingLabel(ending, options)} ${name}  ${parts.join(', ')}`.trimEnd();
}

/** How a stage ended: by the gravest of what its nodes came to. */
const GRAVITY = ['failed', 'unfinished', 'run', 'refused'] as const;

/** `✓ done    scores     2 nodes, 400 items, 340 bought, 60 cached, $0.0264, 2.1 s`; none for a stage that did nothing. */
function stageLine(stage: StageState, { names, now }: StageLineOptions, options: LineOptions): string[] {
  const { outcomes, nodes, items, complete, bought, cached, failed, cost } = stage;
  const ending = GRAVITY.find((each) => outcomes[each] > 0);
  if (ending === undefined || stage.startedAt === undefined) return [];
  const parts: string[] = [];
  if (nodes > 1) parts.push(counted(nodes, 'node'));
  for (const [number, word] of [
    [outcomes.failed, 'failed'],
    [outcomes.unfinished, 'unfinished'],
    [outcomes.refused, 'refused'],
    [outcomes.skipped, 'skipped'],
  ] as const) {
    if (number > 0 && nodes > 1) parts.push(`${count(number)} ${word}`);
  }
  if (items > 0) {
    const whole = complete === items || outcomes.run === 0;
    parts.push(
      whole ? counted(items, 'item') : options.paint('yellow', `${count(complete)} of ${counted(items, 'item')}`),
    );
  }
  if (bought > 0) parts.push(`${count(bought)} bought`);
  if (cached > 0) parts.push(`${count(cached)} cached`);
  if (failed > 0) parts.push(options.paint('red', `${count(failed)} ${failed === 1 ? 'call' : 'calls'} failed`));
  if (cost > 0) parts.push(dollars(cost));
  parts.push(...answeredBy([...stage.answeredAs]), duration(now - stage.startedAt));
  const width = Math.min(NAME_COLUMNS, Math.max(0, ...names.map((name) => columnsOf(printable(name)))));
  return [`${endingLabel(ending, options)} ${padEnd(printable(stage.name), width)}  ${parts.join(', ')}`];
}

interface StageLineOptions {
  /** Of all stages, so that what follows them is aligned. */
  readonly names: readonly string[];
  readonly now: number;
}

/** Names that one line tells. */
const NAMES_SHOWN = 3;

function answeredBy(others: readonly (readonly [name: string, replies: number])[]): string[] {
  if (others.length === 0) return [];
  const names = others.map(([name, replies]) => `${printable(name)} (${count(replies)})`);
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return [`answered as ${names.slice(0, NAMES_SHOWN).join(', ')}${more}`];
}

function failureText(failure: CallFailure): string {
  return `${failure.reason.replaceAll('_', ' ')}: ${printable(failure.message)}`;
}

const RETURNED: Readonly<Record<Extract<BuildEvent, { type: 'work-returned' }>['reason'], string>> = {
  'worker-gone': 'its worker is gone',
  'given-back': 'its worker was told to end',
  failed: 'its worker could not do it this time',
};

/** `2 workers: 4 jobs in hand, 12 waiting, 30 done` */
export function workersText(event: WorkersAtWork): string {
  const { workers, inHand, waiting, done, here } = event;
  const parts = [`${counted(inHand, 'job')} in hand`, `${count(waiting)} waiting`, `${count(done)} done`];
  if (here > 0) parts.push(`${count(here)} here`);
  return `${counted(workers, 'worker')}: ${parts.join(', ')}`;
}

/** What the events before an event came to. */
interface EventContext {
  /** `call-failed` events of the same node so far. */
  readonly failuresBefore: number;
  /** The stage that the event settles, if it does. */
  readonly stage: StageState | undefined;
  readonly names: StageLineOptions['names'];
  readonly now: number;
}

/**
 * The lines that an event leaves behind, whatever the way of showing progress; none for those that only move it. A stage
 * is one line; with `verbose` each node is.
 */
export function permanentLines(event: BuildEvent, context: EventContext, options: LineOptions): readonly string[] {
  const { paint, verbose } = options;
  const { failuresBefore } = context;
  switch (event.type) {
    case 'started':
    case 'planned':
    case 'node-started':
    case 'node-items':
    case 'node-progress':
      return [];
    case 'node-finished':
      return [
        ...(verbose ? [finishedLine(event, options)] : []),
        ...(event.outcome === 'cached' && !verbose ? [] : (event.summary?.notes ?? [])).map((note) =>
          paint('yellow', `  ${printable(event.node)}: ${printable(note)}`),
        ),
        ...(verbose || context.stage === undefined ? [] : stageLine(context.stage, context, options)),
      ];
    case 'workers':
      return verbose ? [paint('dim', `  ${workersText(event)}`)] : [];
    case 'work-returned':
      return [
        paint('yellow', `  ${printable(event.node)}: ${RETURNED[event.reason]}; its work goes back to the queue`),
      ];
    case 'call-retry':
      if (!verbose) return [];
      return [
        paint(
          'dim',
          `  ${printable(event.node)}: trying again in ${duration(event.waitMilliseconds)}: ${failureText(event.failure)}`,
        ),
      ];
    case 'call-failed': {
      // What stops a provider is told once for all that asked it.
      if (!verbose && (event.failure.class === 'fatal' || failuresBefore > FAILURES_SHOWN)) return [];
      const text = `  ${printable(event.node)}, ${printable(event.item)}: ${failureText(event.failure)}`;
      if (!verbose && failuresBefore === FAILURES_SHOWN) {
        return [paint('yellow', `  ${printable(event.node)}: more calls failed; --verbose shows each`)];
      }
      return [paint('yellow', text)];
    }
    case 'provider-stopped':
      return [paint('red', `  ${printable(event.identity)} is asked no more: ${failureText(event.failure)}`)];
    case 'budget-reached': {
      const bound = event.limit === 'cost' ? dollars(event.bound) : counted(event.bound, 'call');
      const spent = event.limit === 'cost' ? dollars(event.spent) : counted(event.spent, 'call');
      return [paint('yellow', `  the budget of ${bound} is reached (${spent} so far); nothing more is bought`)];
    }
    case 'problem':
      return renderProblem(event.problem, { color: options.color }).split('\n');
    case 'note':
      return [paint('dim', `  ${printable(event.text)}`)];
    case 'finished':
      return summaryLines(event, options.paint);
  }
}
