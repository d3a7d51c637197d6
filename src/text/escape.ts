/**
 * Text that came from data, made safe for the place where it is shown: what models, files and servers say must never
 * steer a terminal or a page, nor hide from a reader.
 */

import { stripVTControlCharacters } from 'node:util';

/**
 * Unsafe characters, as the inside of a class of a regular expression with the flag `u`: controls (C0, DEL, C1), line and
 * paragraph separators, marks that turn the direction of writing, characters without width that can hide text (the soft
 * hyphen and tags among them), and halves of surrogate pairs.
 */
export const UNSAFE_CHARACTERS =
  '\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}\\ud800-\\udfff';

const UNSAFE = new RegExp(`[${UNSAFE_CHARACTERS}]`, 'gu');
/** The same without white space, which {@link plainLine} folds. */
const INVISIBLE = new RegExp(`(?!\\s)[${UNSAFE_CHARACTERS}]`, 'gu');

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/** One line of the same text in which every unsafe character is written out, as `\n` or `\u{202e}`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same for a text of several lines: line feeds stay, everything else is written out. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function escaped(character: string): string {
  const named = NAMED[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/**
 * One line of plain text: no escape sequences, no unsafe characters, runs of white space made single spaces (a no-break
 * space stays).
 */
export function plainLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(INVISIBLE, '')
    .replace(/[^\S\u00a0\u202f]+/g, ' ')
    .trim();
}

/** What HTML gives a meaning to, in element content and in attribute values within quotes. */
export const HTML_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** For element content and for attribute values in double quotes. */
export function escapeHtml(text: string): string {
  return plainLine(text).replace(/[&<>"'`]/g, (character) => HTML_ENTITIES[character]!);
}

/**
 * For a Markdown paragraph, list item or table cell: shows as the very same characters. Underscores inside a word need
 * no escape, so `pi_clone` stays readable in the source.
 */
export function escapeMarkdown(text: string): string {
  return plainLine(text)
    .replace(/&/g, '&amp;')
    .replace(/[\\`*[\]|~$]/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/:(?=\/\/)/g, '&#58;')
    .replace(/\bwww\./gi, (match) => `${match.slice(0, 3)}&#46;`)
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^[#+=-]/, '\\$&');
}

/** Clips to so many characters, the last an ellipsis. */
export function clip(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, Math.max(0, length - 1)).join('')}…`;
}
