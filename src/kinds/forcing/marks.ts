/** The control tokens that a server leaves out of a reply's text, and shows among its tokens. */

import type { CompletionReply } from '../../core/protocol.ts';
import { isControlToken, tokensSpelling } from '../../teacher-forcing/tokens.ts';

/** The text with such tokens in their places; as it is, where none is left out or nobody can tell where it stood. */
export function withMarks({ text, echo }: Pick<CompletionReply, 'text' | 'echo'>): string {
  const { tokens = [], tokenBytes } = echo ?? {};
  const isLeftOut = (token: string): boolean => isControlToken(token) && !text.includes(token);
  // The one that ended the answer is no part of what was said.
  const count = isLeftOut(tokens.at(-1) ?? '') ? tokens.length - 1 : tokens.length;
  const marks = [...tokens.keys()].filter((index) => index < count && isLeftOut(tokens[index]!));
  if (marks.length === 0) return text;
  let [marked, at] = ['', 0];
  for (const [turn, mark] of [...marks, count].entries()) {
    const from = turn === 0 ? 0 : marks[turn - 1]! + 1;
    const length =
      mark === count
        ? text.length - at
        : lengthOf(tokens.slice(from, mark), tokenBytes?.slice(from, mark), text.slice(at));
    if (length === undefined) return text;
    marked += text.slice(at, at + length) + (mark === count ? '' : tokens[mark]!);
    at += length;
  }
  return marked;
}

const plain = (shown: string): string => shown.replace(/[^\0-\x7f]/g, '');

/** How much of the text's beginning the tokens spell; those with parts of characters do not show it by their length. */
function lengthOf(
  tokens: readonly string[],
  bytes: NonNullable<CompletionReply['echo']>['tokenBytes'],
  text: string,
): number | undefined {
  const shown = tokens.join('');
  if (text.startsWith(shown) && !tokens.includes('')) return shown.length;
  for (let length = plain(shown).length; length <= text.length; length++) {
    const part = text.slice(0, length);
    if (plain(part) === plain(shown) && tokensSpelling(tokens, bytes, part) === tokens.length) return length;
  }
  return undefined;
}
