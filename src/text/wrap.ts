/** Texts broken and clipped to fit a terminal's columns. */

import { plainLine } from './escape.ts';
import { columnsOf, endOf, startOf } from './width.ts';

/** Clips in the middle, for names that differ at either end. */
export function clipMiddle(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  const head = startOf(text, Math.floor((columns - 1) / 2));
  return `${head}…${endOf(text, columns - 1 - columnsOf(head))}`;
}

/**
 * Cleans the text and breaks it at spaces; a word longer than a line is broken anywhere.
 *
 * @param hanging columns before every line but the first
 * @param first columns before the first line
 */
export function wrap(text: string, width: number, hanging = 0, first = 0): string[] {
  const lines: string[] = [];
  let line = '';
  const indent = () => (lines.length === 0 ? first : hanging);
  const room = () => Math.max(8, width - indent());
  const flush = () => {
    lines.push(' '.repeat(indent()) + line);
    line = '';
  };
  for (const word of plainLine(text).split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > room()) flush();
    let rest = word;
    while (columnsOf(rest) > room()) {
      line = startOf(rest, room());
      rest = rest.slice(line.length);
      flush();
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  if (line !== '' || lines.length === 0) flush();
  return lines;
}
