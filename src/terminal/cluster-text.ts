/** Who is at the till of an account, what was spent, and who works, for people. */

import type { clusterStatus } from '../cluster/status.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { counted } from '../text/plural.ts';
import { table } from '../text/table.ts';
import type { workStatus } from '../workers/status.ts';

type Status = Awaited<ReturnType<typeof clusterStatus>>;
type Work = Awaited<ReturnType<typeof workStatus>>;

/** @param cap dollars; undefined for none */
export function clusterText(
  { books, tills, waiting, active, missing }: Status,
  { workers, work }: Work,
  cap: number | undefined,
): string {
  const money = [
    ['spent', dollars(books.spent)],
    ['reserved', dollars(books.reserved)],
    ['unknown', `${dollars(books.unknown)} (${counted(books.unknowns, 'try', 'tries')})`],
    ['cap', cap === undefined ? 'none' : dollars(cap)],
    ['requests', String(books.calls)],
  ];
  if (books.givenUp > 0)
    money.push(['given up', `${counted(books.givenUp, 'answer')}, bought again where they are asked`]);
  const lines = [
    table(money, { align: ['left', 'left'] }),
    `${counted(waiting, 'chunk')} of calls waiting, ${active} in hand.`,
  ];
  if (missing > 0) {
    const are = missing === 1 ? 'is' : 'are';
    lines.push(
      `${counted(missing, 'answer')} of an earlier till ${are} nowhere in reach: open it where its cache is, or ` +
        '`cje cluster resolve --missing`.',
    );
  }
  if (!tills.some(({ open }) => open)) lines.push('No till is open.');
  for (const { host, pid, version, seconds, open } of tills) {
    const how = open ? 'open' : 'stands by';
    lines.push(`Till on ${printable(host)}, pid ${pid}, cje ${printable(version)}: ${how}, heard of ${seconds} s ago.`);
  }
  return [...lines, ...workLines(workers, work)].map((line) => `${line}\n`).join('');
}

/** A line for each queue of work, and one for each worker. */
function workLines(workers: Work['workers'], work: Work['work']): string[] {
  const lines = work.map(({ code, waiting, inHand }) => {
    return `${counted(waiting, 'job')} for workers of the code ${printable(code)} waiting, ${inHand} in hand.`;
  });
  for (const { host, pid, version, code, places, jobs, seconds } of workers) {
    const has = jobs.map(({ node }) => printable(node)).join(', ');
    lines.push(
      `Worker on ${printable(host)}, pid ${pid}, cje ${printable(version)}, code ${printable(code)}: ` +
        `${jobs.length} of ${counted(places, 'place')}${has === '' ? '' : ` (${has})`}, heard of ${seconds} s ago.`,
    );
  }
  return lines;
}
