/** The closing lines of a build. */

import type { BuildEvent } from '../core/events.ts';
import { EXIT, type ExitCode } from '../core/problem.ts';
import { duration } from '../text/duration.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import type { Colour, Paint } from '../text/paint.ts';
import { counted } from '../text/plural.ts';

type Finished = Extract<BuildEvent, { type: 'finished' }>;

const ENDINGS: Readonly<Record<ExitCode, readonly [word: string, colour: Colour]>> = {
  [EXIT.built]: ['Built', 'green'],
  [EXIT.failed]: ['Failed', 'red'],
  [EXIT.badInput]: ['Not built', 'red'],
  [EXIT.stopped]: ['Stopped', 'yellow'],
  [EXIT.locked]: ['Not built: another build holds the lock', 'red'],
  [EXIT.damaged]: ['Stopped: the cache is damaged', 'red'],
  [EXIT.gateFailed]: ['Failed the gate', 'red'],
  [EXIT.gateUndecided]: ['Undecided', 'yellow'],
  [EXIT.waiting]: ['Waiting for batches', 'yellow'],
  [EXIT.interrupted]: ['Interrupted', 'yellow'],
};

/** What ran, was cached, bought, billed and saved; one line where there was nothing to do. */
export function summaryLines(event: Finished, paint: Paint): readonly string[] {
  const { nodes, calls, cost } = event;
  const idle = nodes.run + nodes.failed + nodes.skipped === 0 && calls.bought + calls.failed === 0;
  if (event.exit === EXIT.built && idle) return [nothingToDo(event, paint)];
  const [word, colour] = ENDINGS[event.exit];
  if (idle && nodes.cached + nodes.refused === 0) return [paint(colour, word)];

  // A node that a cap or an interrupt stopped has not failed: the next build goes on with it.
  const halted = event.exit === EXIT.stopped || event.exit === EXIT.interrupted;
  const outcomes = [
    `${counted(nodes.run, 'node')} run`,
    ...some(nodes.cached, 'up to date'),
    ...some(nodes.refused, 'refused'),
    ...some(nodes.failed, halted ? 'unfinished' : 'failed'),
    ...some(nodes.skipped, 'skipped'),
  ];
  const lines = [
    `${paint(colour, word)} in ${duration(event.milliseconds)}: ${outcomes.join(', ')}${buildName(event)}`,
    `Calls: ${[`${count(calls.bought)} bought`, `${count(calls.cached)} cached`, ...some(calls.failed, 'failed')].join(', ')}`,
    money(cost),
  ];
  if (event.exit === EXIT.waiting) {
    lines.push('Build again later: it takes in what is back, and sends what waits. `--until 8h` stays so long.');
  } else if (event.exit !== EXIT.built && calls.bought > 0) {
    lines.push(`What was bought is kept: the next build goes on from here.`);
  }
  return lines;
}

function nothingToDo({ nodes, cost }: Finished, paint: Paint): string {
  const all = counted(nodes.cached + nodes.refused, 'node');
  const refused = nodes.refused === 0 ? '' : ` (${count(nodes.refused)} refused)`;
  const reproduce = cost.reproduce === null || cost.reproduce === 0 ? '' : `; ${dollars(cost.reproduce)} to reproduce`;
  return `${paint('green', 'Nothing to do')}: ${all} up to date${refused}, 0 calls${reproduce}`;
}

function money({ billed, unknown = 0, saved, discount = 0, reproduce }: Finished['cost']): string {
  const whole = reproduce === null ? '' : `; ${dollars(reproduce)} to reproduce from nothing`;
  const reserved = unknown === 0 ? '' : `, reserved for unknown outcomes ${dollars(unknown)}`;
  const batches = discount === 0 ? '' : ` (${dollars(discount)} less than online, by batches)`;
  return `Billed ${dollars(billed)}${batches}${reserved}, saved ${dollars(saved)}${whole}`;
}

const some = (value: number, word: string): string[] => (value === 0 ? [] : [`${count(value)} ${word}`]);
const buildName = ({ build }: Finished) => (build === null ? '' : ` (build ${build})`);
