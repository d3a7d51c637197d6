/** Texts that mistakes can stand in, and places within them. */

import type { Place } from '../core/problem.ts';

/** A file as it was read, or an argument as it was typed. */
export interface Source {
  readonly kind: 'file' | 'argument';
  /** As shown to people: relative to the current directory, or the option's name. */
  readonly name: string;
  readonly text: string;
}

/** Characters `start` (inclusive) to `end` (exclusive) of a source, in UTF-16 units. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** The whole of a source. */
export const wholeOf = (source: Source): Span => ({ source, start: 0, end: source.text.length });

/** Line, column, the line's text and the width of the caret, which never leaves that line. */
export function placeOf(span: Span, options: { readonly excerpt: boolean } = { excerpt: true }): Place {
  const { source } = span;
  const { line, lineStart } = lineOf(source, span.start);
  const newline = source.text.indexOf('\n', lineStart);
  const lineText = source.text.slice(lineStart, newline === -1 ? undefined : newline).replace(/\r$/, '');
  const column = Math.min(span.start - lineStart, lineText.length);
  const width = Math.max(1, Math.min(span.end - lineStart, lineText.length) - column);
  return {
    file: source.name,
    // An argument is one line: its number would say nothing.
    ...(source.kind === 'file' ? { line } : {}),
    column: column + 1,
    ...(options.excerpt ? { excerpt: lineText, width } : {}),
  };
}

/** `file:line:column`, for facts that point to a second place. */
export function pointTo(span: Span): string {
  const place = placeOf(span);
  return place.line === undefined ? `${place.file} ${place.excerpt}` : `${place.file}:${place.line}:${place.column}`;
}

const lineStarts = new WeakMap<Source, number[]>();

function lineOf(source: Source, offset: number): { line: number; lineStart: number } {
  let starts = lineStarts.get(source);
  if (starts === undefined) {
    starts = [0];
    for (let at = source.text.indexOf('\n'); at !== -1; at = source.text.indexOf('\n', at + 1)) starts.push(at + 1);
    lineStarts.set(source, starts);
  }
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, lineStart: starts[low]! };
}
