/**
 * Text that came from data, made safe for the place where it is shown. Names, reasons and notes may quote what a model
 * wrote, so nothing of them reaches a reader unescaped.
 */

import { stripVTControlCharacters } from 'node:util';

// Controls, the invisible marks that reorder a line, and halves of surrogate pairs.
const UNSHOWABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is being removed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** One line of plain text: no escape sequences, no control characters, runs of white space made single spaces (a no-break space stays). */
export function plainLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(UNSHOWABLE, '')
    .replace(/[^\S\u00a0\u202f]+/g, ' ')
    .trim();
}

const HTML_ENTITIES: Readonly<Record<string, string>> = {
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
