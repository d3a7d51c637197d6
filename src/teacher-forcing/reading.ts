/**
 * One reading of an echo: which tokens spell the response if tokens are shown in one given way and a given number of
 * them was generated after the text. All paths through the bytes are kept, and they must agree.
 */

import type { Display } from './displays.ts';

export type Reading =
  /** No path comes to the end of the text. */
  | { readonly type: 'unfit'; readonly reached: number }
  /** Every path has the response begin at this token. */
  | { readonly type: 'fits'; readonly from: number }
  /** No token begins at the boundary. */
  | { readonly type: 'across'; readonly token: number }
  | { readonly type: 'ambiguous' };

export interface Text {
  readonly bytes: Uint8Array;
  /** Where the response begins. */
  readonly boundary: number;
}

/** After how many tokens each byte position may have been reached: the forward half, one for all ends. */
export function positionsReached({ bytes }: Text, count: number, { ends }: Display): number[][] {
  const reached: number[][] = [[0]];
  for (let index = 0; index < count; index++) {
    const next = onward(bytes, reached[index]!, index, ends);
    if (next.length === 0) break;
    reached.push(next);
  }
  return reached;
}

function onward(bytes: Uint8Array, positions: readonly number[], index: number, ends: Display['ends']): number[] {
  if (positions.length === 1) return [...ends(bytes, positions[0]!, index)];
  return [...new Set(positions.flatMap((position) => ends(bytes, position, index)))];
}

/** The reading under which the tokens up to `to` spell the text. */
export function readingTo(to: number, text: Text, reached: readonly number[][], display: Display): Reading {
  const { bytes, boundary } = text;
  if (to < 0 || to >= reached.length || !reached[to]!.includes(bytes.length)) {
    return { type: 'unfit', reached: reached.length - 1 };
  }
  const kept: (readonly number[])[] = new Array(to + 1);
  kept[to] = [bytes.length];
  for (let index = to - 1; index >= 0; index--) {
    const after = kept[index + 1]!;
    const before = reached[index]!;
    kept[index] =
      before.length === 1
        ? before
        : before.filter((position) => display.ends(bytes, position, index).some((end) => after.includes(end)));
  }
  // What is deferred at the end is never shown, so nothing says that it is there.
  if (display.defers && to > 0 && !endsShown(kept, to, bytes)) return { type: 'unfit', reached: to };
  const from = kept.findIndex((positions) => positions.includes(boundary));
  if (from === -1) return { type: 'across', token: kept.findIndex(([first]) => first! > boundary) - 1 };
  const further = kept.findLastIndex((positions) => positions.includes(boundary));
  if (kept[from]!.length > 1) return { type: 'ambiguous' };
  if (further > from && !(display.defers && kept[further]!.length === 1)) return { type: 'ambiguous' };
  return { type: 'fits', from };
}

/** Whether the last token shows something, or hides a U+FFFD that the text holds. */
const endsShown = (kept: readonly (readonly number[])[], to: number, bytes: Uint8Array): boolean =>
  kept[to - 1]!.some((position) => position < bytes.length);
