/** Differences of texts as people read them: unified, coloured, safe to show. */

import { structuredPatch } from 'diff';
import { printable } from './escape.ts';
import { painter } from './paint.ts';
import { columnsOf, truncate } from './width.ts';

export interface DiffLook {
  readonly color: boolean;
  readonly width: number;
}

/** Lines around a change. */
const CONTEXT = 2;
/** A changed line longer than this is cut around what changed in it. */
const LONGEST = 400;
/** What is kept on either side of a change in a long line. */
const AROUND = 60;

/**
 * A unified diff without file headers, each line behind `indent`. Context lines are cut to the width; changed ones are
 * whole, or cut around the change where they are very long.
 */
export function unifiedDiff(before: string, after: string, look: DiffLook, indent = '  '): string[] {
  const paint = painter(look.color);
  const { hunks } = structuredPatch('', '', withNewline(before), withNewline(after), '', '', { context: CONTEXT });
  const lines: string[] = [];
  for (const hunk of hunks) {
    lines.push(`${indent}${paint('cyan', `@@ line ${hunk.newStart} @@`)}`);
    for (const line of shortened(hunk.lines)) {
      const text = printable(line);
      if (line.startsWith('+')) lines.push(`${indent}${paint('green', text)}`);
      else if (line.startsWith('-')) lines.push(`${indent}${paint('red', text)}`);
      else lines.push(`${indent}${paint('dim', truncate(text, Math.max(20, look.width - columnsOf(indent))))}`);
    }
  }
  return lines;
}

/** The same as one text without colours, for programs. */
export function diffText(before: string, after: string): string {
  const { hunks } = structuredPatch('', '', withNewline(before), withNewline(after), '', '', { context: CONTEXT });
  return hunks
    .map(
      ({ oldStart, oldLines, newStart, newLines, lines }) =>
        `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@\n${lines.join('\n')}\n`,
    )
    .join('');
}

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** Cuts a pair of long lines, one that goes and one that comes in its place, to where they differ. */
function shortened(lines: readonly string[]): string[] {
  const result = [...lines];
  for (let index = 0; index + 1 < result.length; index++) {
    const [gone, come] = [result[index]!, result[index + 1]!];
    if (!gone.startsWith('-') || !come.startsWith('+')) continue;
    if (Math.max(gone.length, come.length) <= LONGEST) continue;
    let head = 1;
    while (head < gone.length && gone[head] === come[head]) head++;
    let tail = 0;
    while (tail < Math.min(gone.length, come.length) - head && gone.at(-1 - tail) === come.at(-1 - tail)) tail++;
    result[index] = cut(gone, head, tail);
    result[index + 1] = cut(come, head, tail);
  }
  return result;
}

function cut(line: string, head: number, tail: number): string {
  const from = Math.max(1, head - AROUND);
  const to = Math.min(line.length, line.length - tail + AROUND);
  const middle = line.slice(from, to);
  return `${line[0]}${from > 1 ? '…' : ''}${truncate(middle, LONGEST)}${to < line.length ? '…' : ''}`;
}
