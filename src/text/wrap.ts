/** Text measured and coloured for a terminal. */

import { plainLine } from './unsafe.ts';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'blue';

/** Colours a text that is already padded, so that escape sequences never enter a width. */
export type Paint = (style: Style, text: string) => string;

const CODES: Readonly<Record<Style, readonly [open: number, close: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
};

export function painter(color: boolean): Paint {
  if (!color) return (_, text) => text;
  return (style, text) => `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m`;
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;
const NO_WIDTH = /\p{Mark}/u;

/** Columns that a terminal gives to the text. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - columnsOf(text))) + text;
}

/** Clips a clean text to so many columns, the last an ellipsis. */
export function clipEnd(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  return `${take([...text], columns - 1)}…`;
}

/** Clips in the middle, for names that differ at either end. */
export function clipMiddle(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  const characters = [...text];
  const head = take(characters, Math.floor((columns - 1) / 2));
  const tail = [...take(characters.reverse(), columns - 1 - columnsOf(head))].reverse().join('');
  return `${head}…${tail}`;
}

function take(characters: readonly string[], columns: number): string {
  let kept = '';
  let used = 0;
  for (const character of characters) {
    used += columnsOf(character);
    if (used > columns) break;
    kept += character;
  }
  return kept;
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
      line = take([...rest], room());
      rest = rest.slice(line.length);
      flush();
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  if (line !== '' || lines.length === 0) flush();
  return lines;
}
