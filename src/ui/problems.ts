/** A user's mistake as text: headline, place with the line and a caret, aligned facts, hint. */

import type { Place, Problem } from '../core/problem.ts';
import { printable, printableLines } from '../text/escape.ts';
import { painter } from '../text/paint.ts';
import { columnsOf, padEnd, truncate } from '../text/width.ts';

const TAB = 4;
/** Columns of a source line that are shown; longer ones are cut around the mistake. */
const EXCERPT = 100;

/**
 * The problem over several lines, without a last line feed:
 *
 *     error: stage "scores" wants an input that does not exist [CJE-UNKNOWN-NODE]
 *       pipeline.yaml:12:15
 *       12 │     inputs: { responses: promts }
 *          │                          ^^^^^^
 *       known  prompts, responses
 *       hint: did you mean `prompts`?
 */
export function renderProblem(problem: Problem, options: { readonly color: boolean }): string {
  const paint = painter(options.color);
  const lines = [
    `${paint('red', paint('bold', 'error:'))} ${paint('bold', printable(problem.headline))} ${paint('dim', `[${problem.id}]`)}`,
  ];
  if (problem.place !== undefined) {
    lines.push(`  ${paint('cyan', placeText(problem.place))}`);
    for (const { gutter, text, mark } of excerpt(problem.place)) {
      lines.push(`  ${paint('dim', `${gutter} │`)} ${mark ? paint('red', text) : text}`.trimEnd());
    }
  }
  const facts = problem.facts ?? [];
  const width = Math.max(0, ...facts.map(([name]) => columnsOf(printable(name))));
  for (const [name, value] of facts) {
    const [first = '', ...more] = printableLines(value).split('\n');
    lines.push(`  ${paint('dim', padEnd(printable(name), width))}  ${first}`.trimEnd());
    for (const line of more) lines.push(`  ${' '.repeat(width)}  ${line}`.trimEnd());
  }
  if (problem.hint !== undefined) lines.push(`  ${paint('green', 'hint:')} ${printable(problem.hint)}`);
  return lines.join('\n');
}

/** `file:line:column`, as far as it is known. */
function placeText(place: Place): string {
  return [printable(place.file), place.line, place.line === undefined ? undefined : place.column]
    .filter((part) => part !== undefined)
    .join(':');
}

interface ExcerptLine {
  readonly gutter: string;
  readonly text: string;
  /** True for the carets. */
  readonly mark: boolean;
}

function excerpt(place: Place): readonly ExcerptLine[] {
  if (place.excerpt === undefined || place.line === undefined) return [];
  const gutter = String(place.line);
  const blank = ' '.repeat(gutter.length);
  const source = place.excerpt;
  if (place.column === undefined) return [{ gutter, text: truncate(shown(source), EXCERPT), mark: false }];
  const at = Math.min(Math.max(place.column - 1, 0), source.length);
  const end = Math.min(at + Math.max(place.width ?? 1, 1), source.length);
  const before = shown(source.slice(0, at));
  const marked = shown(source.slice(at, end), columnsOf(before));
  const after = shown(source.slice(end), columnsOf(before) + columnsOf(marked));
  const window = cut(before, marked, after);
  const carets = '^'.repeat(Math.max(1, columnsOf(window.marked)));
  return [
    { gutter, text: window.before + window.marked + window.after, mark: false },
    { gutter: blank, text: ' '.repeat(columnsOf(window.before)) + carets, mark: true },
  ];
}

/** A piece of a line as it is shown: tabs become spaces up to the next stop, counted from the line's start. */
function shown(text: string, start = 0): string {
  let result = '';
  let column = start;
  for (const [index, piece] of text.split('\t').entries()) {
    if (index > 0) {
      const spaces = TAB - (column % TAB);
      result += ' '.repeat(spaces);
      column += spaces;
    }
    const safe = printable(piece);
    result += safe;
    column += columnsOf(safe);
  }
  return result;
}

function cut(before: string, marked: string, after: string) {
  const room = EXCERPT - columnsOf(before) - columnsOf(marked);
  if (room >= 0) return { before, marked, after: truncate(after, Math.max(room, 1)) };
  const kept = truncate(marked, Math.floor(EXCERPT / 2));
  // As much of what leads up to the mistake as there is room for; from the right, so code points are counted.
  const points = [...before];
  let lead = '';
  while (points.length > 0 && columnsOf(points.at(-1) + lead) < EXCERPT - columnsOf(kept) - 20) {
    lead = points.pop() + lead;
  }
  return { before: points.length > 0 ? `…${lead}` : lead, marked: kept, after: truncate(after, 20) };
}
