/** What a row of responses keeps of the tokens that were sampled: enough to force the very same ones, and to compare. */

import type { ModelRef } from '../../core/call.ts';
import { digestText } from '../../core/digest.ts';
import { canonicalJson } from '../../core/json.ts';
import type { CompletionReply } from '../../core/protocol.ts';
import type { Turn } from '../../datasets/conversation.ts';
import type { SampledTokens } from '../../datasets/rows.ts';
import { areNamedById } from '../../protocols/openai/token-logprobs.ts';
import { tokensSpelling } from '../../teacher-forcing/tokens.ts';
import type { ForcibleRow } from './valued.ts';

/** What a reply of any API says, and of which tokens. */
type Sayings = Pick<CompletionReply, 'text' | 'finishReason' | 'usage' | 'echo' | 'tokenIds'>;

/** Stands for a model and the prompt that it was given: whose own answer a response is. */
export const authorOf = ({ identity, model }: ModelRef, prompt: string): string =>
  digestText(canonicalJson({ identity, model, prompt }));

/** The same of a model that was given messages. */
export const authorOfMessages = (model: ModelRef, messages: readonly Turn[]): string =>
  authorOf(model, canonicalJson(messages.map(({ role, content }) => ({ role, content }))));

/** What all that the model wrote is, where one text is; undefined where the server took thoughts out of it. */
export const writtenBy = ({ response, thoughts, generated }: ForcibleRow): string | undefined =>
  generated ?? (thoughts === undefined ? response : undefined);

/** The sampled tokens of a reply; undefined where the server tells neither tokens nor ids. */
export function sampledTokens(reply: Sayings, author: string): SampledTokens | undefined {
  const { echo, tokenIds } = reply;
  const ids = tokenIds ?? echo?.tokenIds;
  const tokens = echo?.tokens ?? [];
  const total = ids?.length ?? tokens.length;
  if (total === 0) return undefined;
  // Tokens and ids that contradict each other are neither's, and must not pass for a text that nobody sampled.
  if (tokens.length > 0 && tokens.length !== total) return { author, count: null, tokens: [], logprobs: [] };
  return {
    author,
    count: countOf(reply, total),
    tokens,
    logprobs: echo?.tokenLogprobs ?? [],
    ...(ids === undefined ? {} : { ids }),
  };
}

/** How many of the tokens are the response's: the one that ends a turn is in no text. Null where nothing tells. */
function countOf({ echo, text, finishReason, usage }: Sayings, total: number): number | null {
  const { tokens = [], tokenBytes: bytes } = echo ?? {};
  if (finishReason === 'length') return total;
  if (tokens.length === 0) return null;
  if (areNamedById(tokens) && bytes?.every((each) => each !== null) !== true) {
    // Nothing spells the text. A finished answer was ended by a token, which is counted, and may be left out of the list.
    const ended = usage.outputTokens - 1;
    return finishReason === 'stop' && (total === ended || total === ended + 1) ? ended : null;
  }
  return tokensSpelling(tokens, bytes, text);
}
