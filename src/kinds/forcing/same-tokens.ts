/** Whether tokens that came back are those that were sampled. */

import type { CompletionReply } from '../../core/protocol.ts';
import { areNamedById } from '../../protocols/openai/token-logprobs.ts';
import type { Echo } from '../../teacher-forcing/echo.ts';
import { spellOut } from '../../teacher-forcing/tokens.ts';
import { writtenBy } from './sampled.ts';
import type { ForcibleRow, Range } from './valued.ts';

/** Whether the tokens that the server made of the text are those that were sampled: by ids, and by their texts. */
export function areSampled(
  { sampled }: ForcibleRow,
  reply: Pick<CompletionReply, 'promptTokenIds'>,
  echo: Echo,
  { from, to }: Range,
): boolean {
  if (sampled === undefined) return true;
  const count = sampled.count ?? sampled.tokens.length;
  if (count !== to - from) return false;
  const tokens = echo.tokens.slice(from, to);
  // Nothing but generated tokens follows the response, so its ids are the prompt's last.
  const ids = reply.promptTokenIds?.slice(reply.promptTokenIds.length - count) ?? echo.tokenIds?.slice(from, to);
  if (ids !== undefined && ids.length === count && sampled.ids !== undefined) {
    return ids.every((id, index) => id === sampled.ids?.[index]) && compared(sampled.tokens, tokens) !== 'others';
  }
  return sampled.tokens.length > 0 && tokens.every((token, at) => token === sampled.tokens[at]);
}

/** An id means another token in another vocabulary: the tokens that come back must be those of the response. */
export function isSameVocabulary(row: ForcibleRow, echo: Echo, answering: string | null, range: Range): boolean {
  const tokens = echo.tokens.slice(range.from, range.to);
  if (areNamedById(tokens)) return row.model === answering;
  const by = compared(row.sampled?.tokens ?? [], tokens);
  if (by !== 'untold') return by === 'same';
  const written = writtenBy(row);
  if (written === undefined) return false;
  if (spellOut(tokens, echo.tokenBytes?.slice(range.from, range.to), written)) return true;
  const plain = (text: string) => text.replace(/[^\0-\x7f]/g, '');
  return written.includes('\ufffd') && plain(tokens.join('')) === plain(written);
}

/**
 * Tokens beside tokens, where both are shown as plain text: two APIs of one server may show parts of characters in two ways,
 * and the space that opens a text in one alone.
 */
function compared(sampled: readonly string[], tokens: readonly string[]): 'same' | 'others' | 'untold' {
  if (sampled.length > 0 && tokens.every((token, index) => token === sampled[index])) return 'same';
  const both = tokens.flatMap((token, index) => {
    const other = sampled[index];
    return other !== undefined && PLAIN.test(token) && PLAIN.test(other) ? [[token, other] as const] : [];
  });
  if (both.some(([token, other]) => token.trimStart() !== other.trimStart())) return 'others';
  return both.length > 0 && both.length >= tokens.length / 2 ? 'same' : 'untold';
}

/** No token named by its id or its bytes. */
const PLAIN = /^(?!token_id:|bytes:|<0x)[\x20-\x7e\n]+$/;
