/** What a row of responses keeps of the tokens that were sampled: enough to force the very same ones, and to compare. */

import type { ModelRef } from '../../core/call.ts';
import { digestText } from '../../core/digest.ts';
import { canonicalJson } from '../../core/json.ts';
import type { CompletionReply } from '../../core/protocol.ts';
import type { SampledTokens } from '../../datasets/rows.ts';
import { areNamedById } from '../../protocols/openai-completions/token-logprobs.ts';
import { tokensSpelling } from '../../teacher-forcing/tokens.ts';

/** Stands for a model and the prompt that it was given: whose own answer a response is. */
export const authorOf = ({ identity, model }: ModelRef, prompt: string): string =>
  digestText(canonicalJson({ identity, model, prompt }));

/** The sampled tokens of a reply; undefined where the server tells neither tokens nor ids. */
export function sampledTokens(reply: CompletionReply, author: string): SampledTokens | undefined {
  const { echo, tokenIds, text, finishReason } = reply;
  const ids = tokenIds ?? echo?.tokenIds;
  const tokens = echo?.tokens ?? [];
  const total = ids?.length ?? tokens.length;
  if (total === 0 || (tokens.length > 0 && tokens.length !== total)) return undefined;
  return {
    author,
    count: countOf(tokens, echo?.tokenBytes, total, text, finishReason),
    tokens,
    logprobs: echo?.tokenLogprobs ?? [],
    ...(ids === undefined ? {} : { ids }),
  };
}

/** How many of the tokens are the response's: the one that ends a turn is in no text. Null where nothing tells. */
function countOf(
  tokens: readonly string[],
  bytes: readonly (readonly number[] | null)[] | undefined,
  total: number,
  text: string,
  finishReason: string | null,
): number | null {
  if (finishReason === 'length') return total;
  if (tokens.length === 0) return null;
  // Only vLLM names tokens by their ids, and it ends a finished answer with the token that ended it.
  if (areNamedById(tokens)) return finishReason === 'stop' ? total - 1 : null;
  return tokensSpelling(tokens, bytes, text);
}
