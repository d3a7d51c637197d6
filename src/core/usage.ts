/** What a server's count of tokens is worth: whether a reply can have come to it. */

import type { Usage } from './call.ts';
import { inputTokensAtMost } from './cost.ts';
import type { CallTally } from './summary.ts';

/** No model's context holds more (the largest, of Llama 4 Scout, does), and no answer is longer than a context. */
const LARGEST_CONTEXT = 10_000_000;

/** A number of tokens that a server has counted; undefined for what can be none. */
export const countedTokens = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= LARGEST_CONTEXT ? value : undefined;

/**
 * Whether an answer was made of tokens, as every text is; only an echo makes none of its own.
 *
 * @param outputCap the most tokens that could be answered; undefined where that was not said
 */
export const isCounted = ({ inputTokens, outputTokens }: Usage, outputCap: number | undefined): boolean =>
  inputTokens > 0 && (outputTokens > 0 || outputCap === 0);

/** Whether it is more than a request of so many bytes could come to: a text of the server's own, or a lie. */
export const isExcessive = (
  { inputTokens, outputTokens }: Usage,
  bytes: number,
  outputCap: number | undefined,
): boolean => inputTokens > inputTokensAtMost(bytes) || (outputCap !== undefined && outputTokens > outputCap);

/** What is odd about the usage of the replies behind a tally, in words; undefined where nothing is. */
export function usageText(tally: CallTally): string | undefined {
  const { identity, model, calls, uncounted = 0, excessive = 0 } = tally;
  const some = (replies: number) => `${replies} of ${calls} ${calls === 1 ? 'reply' : 'replies'}`;
  const said: string[] = [];
  if (uncounted > 0)
    said.push(`the usage of ${some(uncounted)} is missing or cannot be true, so their cost is not known`);
  if (excessive > 0)
    said.push(`${some(excessive)} count more tokens than their requests allow, and are billed as told`);
  return said.length === 0 ? undefined : `${model} at ${identity}: ${said.join('; ')}`;
}
