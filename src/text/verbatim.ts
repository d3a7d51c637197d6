/**
 * Text as a model wrote it: line breaks stay, nothing of it is obeyed, and what a browser would hide or act on (escape
 * sequences, marks that turn the direction of writing, halves of surrogate pairs) is written out, so that it is seen.
 */

import { html, Markup } from './html.ts';

const SPECIAL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[&<>"'`]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** The text as element content; wants `white-space: pre-wrap`. */
export function verbatim(text: string): Markup {
  return new Markup(text.replace(/\r\n/g, '\n').replace(SPECIAL, shown));
}

function shown(character: string): string {
  const entity = ENTITIES[character];
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
  return html`<pre class="text" dir="auto">${verbatim(text.slice(0, limit))}</pre><p class="cut">… ${rest.toLocaleString('en')} more characters.${where}</p>`;
}

/** JSON over several lines. */
export function jsonBlock(value: unknown, options: { readonly limit?: number; readonly more?: string } = {}): Markup {
  return textBlock(JSON.stringify(value, null, 2) ?? 'null', options);
}
