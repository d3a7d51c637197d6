/**
 * Text as a model wrote it: line breaks stay, nothing of it is obeyed, and what a browser would hide or act on (escape
 * sequences, marks that turn the direction of writing, halves of surrogate pairs) is written out, so that it is seen.
 */

import { HTML_ENTITIES, UNSAFE_CHARACTERS } from './escape.ts';
import { html, Markup } from './html.ts';
import { count } from './numbers.ts';

/** What HTML gives a meaning to, and unsafe characters but for tabs and line feeds. */
const SPECIAL = new RegExp(`[&<>"'\`]|(?![\\t\\n])[${UNSAFE_CHARACTERS}]`, 'gu');

/** The text as element content; wants `white-space: pre-wrap`. */
export function verbatim(text: string): Markup {
  return new Markup(text.replace(/\r\n/g, '\n').replace(SPECIAL, shown));
}

function shown(character: string): string {
  const entity = HTML_ENTITIES[character];
  if (entity !== undefined) return entity;
  const code = character.codePointAt(0) ?? 0;
  return `<span class="mark">U+${code.toString(16).toUpperCase().padStart(4, '0')}</span>`;
}

/** Characters of one text that a page holds. */
const LONGEST = 20_000;

/** A block of such text. A very long one is cut, with a link to all of it where there is one. */
export function textBlock(text: string, options: { readonly limit?: number; readonly more?: string } = {}): Markup {
  const limit = options.limit ?? LONGEST;
  const rest = text.length - limit;
  if (rest <= 0) return html`<pre class="text" dir="auto">${verbatim(text)}</pre>`;
  const where = options.more === undefined ? null : html` <a href="${options.more}">show all of it</a>`;
  return html`<pre class="text" dir="auto">${verbatim(text.slice(0, limit))}</pre><p class="cut">… ${count(rest)} more characters.${where}</p>`;
}

/** JSON over several lines. */
export function jsonBlock(value: unknown, options: { readonly limit?: number; readonly more?: string } = {}): Markup {
  return textBlock(JSON.stringify(value, null, 2) ?? 'null', options);
}
