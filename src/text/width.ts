/** How many columns a text takes in a terminal, and how to make it take fewer. */

/** Made when a text needs it: it takes longer than all else that the fast path does. */
let segmenter: Intl.Segmenter | undefined;
const graphemes = (text: string): Iterable<{ readonly segment: string }> => {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
};

/** Characters that terminals draw over two columns: East Asian wide and full width, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const ZERO = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** Columns of a printable text; an expected approximation for scripts whose width terminals disagree on. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes(text)) columns += columnsOfSegment(segment);
  return columns;
}

function columnsOfSegment(segment: string): number {
  if (ZERO.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}

/** The text itself where it fits, else as much of it as fits with an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  return columns <= 0 ? '' : `${startOf(text, columns - 1)}…`;
}

/** As much of the text's beginning as takes so many columns. */
export function startOf(text: string, columns: number): string {
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes(text)) {
    used += columnsOfSegment(segment);
    if (used > columns) break;
    kept += segment;
  }
  return kept;
}

/** As much of the text's end as takes so many columns. */
export function endOf(text: string, columns: number): string {
  const segments = [...graphemes(text)].map(({ segment }) => segment);
  let from = segments.length;
  let used = 0;
  while (from > 0) {
    used += columnsOfSegment(segments[from - 1]!);
    if (used > columns) break;
    from--;
  }
  return segments.slice(from).join('');
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - columnsOf(text))) + text;
}
