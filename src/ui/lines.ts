/** Events as lines that stay: what plain progress prints, and what scrolls above live progress. */

import type { CallFailure } from '../core/call.ts';
import type { BuildEvent, NodeOutcome } from '../core/events.ts';
import { completeItems, truncatedItems } from '../core/summary.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import type { Colour, Paint } from '../text/paint.ts';
import { counted } from '../text/plural.ts';
import { padEnd } from '../text/width.ts';
import { renderProblem } from './problems.ts';
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

const LABELS: Readonly<Record<NodeOutcome, readonly [mark: string, word: string, colour: Colour]>> = {
  run: ['✓', 'done', 'green'],
  cached: ['=', 'cached', 'dim'],
  failed: ['✗', 'FAILED', 'red'],
  refused: ['!', 'refused', 'yellow'],
  skipped: ['-', 'skipped', 'yellow'],
};

/** The outcome as a mark and a word. */
function outcomeLabel(outcome: NodeOutcome, { paint }: Pick<LineOptions, 'paint'>): string {
  const [mark, word, colour] = LABELS[outcome];
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
  parts.push(...answeredBy(event));
  if (event.outcome === 'run') parts.push(duration(event.milliseconds));
  if (event.reason !== undefined && event.outcome !== 'run') parts.unshift(printable(event.reason));
  const name = padEnd(printable(event.node), NAME_COLUMNS);
  return `${outcomeLabel(event.outcome, options)} ${name}  ${parts.join(', ')}`.trimEnd();
}

/** Names that one line tells. */
const NAMES_SHOWN = 3;

/** Under which other names models answered, where they did in this build. */
function answeredBy({ calls, outcome, summary }: Finished): string[] {
  if (outcome === 'cached' || calls.bought + calls.cached + calls.failed === 0) return [];
  const names = (summary?.calls ?? []).flatMap(({ model, served = [] }) =>
    served.flatMap(({ name, replies }) => (name === model ? [] : [`${printable(name)} (${count(replies)})`])),
  );
  if (names.length === 0) return [];
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return [`answered as ${names.slice(0, NAMES_SHOWN).join(', ')}${more}`];
}

function failureText(failure: CallFailure): string {
  return `${failure.reason.replaceAll('_', ' ')}: ${printable(failure.message)}`;
}

/**
 * The lines that an event leaves behind, whatever the way of showing progress; none for those that only move it.
 *
 * @param failuresBefore `call-failed` events of the same node so far
 */
export function permanentLines(event: BuildEvent, failuresBefore: number, options: LineOptions): readonly string[] {
  const { paint, verbose } = options;
  switch (event.type) {
    case 'started':
    case 'node-started':
    case 'node-items':
    case 'node-progress':
      return [];
    case 'node-finished':
      if (event.outcome === 'cached' && !verbose) return [];
      return [
        finishedLine(event, options),
        ...(event.summary?.notes ?? []).map((note) =>
          paint('yellow', `  ${printable(event.node)}: ${printable(note)}`),
        ),
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
      if (!verbose && failuresBefore > FAILURES_SHOWN) return [];
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
