/**
 * From an echo to log P(response | prompt): finds where the prompt ends among the echoed tokens and adds up what
 * follows. One call, never the difference of two: where a token reaches across the boundary there is no such number,
 * and the result says so.
 */

import type { Alignment, AlignOptions, Echo, NotAligned } from './echo.ts';
import { alignIds } from './ids.ts';
import { alignTokens } from './tokens.ts';
import { sumOf } from './values.ts';

export type AlignResult =
  | {
      readonly status: 'ok';
      /** Sum over the response's tokens, nats. */
      readonly logprob: number;
      /** The response's tokens. */
      readonly tokens: number;
    }
  | NotAligned;

/**
 * Log P(responseText | promptText) from the echo of the two joined. The token that ends the turn is not scored: it is
 * in no response text, and a response that was cut at `max_tokens` has none, so scoring it would treat the two alike.
 *
 * @param promptText the rendered prompt as sent. A beginning-of-text token that the server prepends is seen and passed.
 * @returns `ok` with the sum in nats, or what went wrong. A failure is never a number.
 */
export function alignEcho(
  echo: Echo | undefined,
  promptText: string,
  responseText: string,
  options: AlignOptions,
): AlignResult {
  const found = findResponse(echo, promptText, responseText, options);
  if (found.status !== 'ok' || echo === undefined) return found as NotAligned;
  return sumOf(echo.tokenLogprobs, found);
}

/** Which of the echoed tokens are the response's. */
export function findResponse(
  echo: Echo | undefined,
  promptText: string,
  responseText: string,
  options: AlignOptions,
): Alignment {
  if (responseText === '') return { status: 'empty_response', detail: 'the response has no text' };
  if (echo === undefined) return { status: 'echo_unsupported', detail: 'the reply has no log probabilities' };
  const shape = checkShape(echo, options);
  if (shape !== undefined) return shape;
  return options.sentIds === undefined
    ? alignTokens(echo, promptText, responseText, options)
    : alignIds(echo, options.sentIds, options);
}

function checkShape(
  { tokens, tokenLogprobs, tokenIds, tokenBytes, textOffset }: Echo,
  { bosToken, sentIds }: AlignOptions,
): NotAligned | undefined {
  if (tokens.length <= 1) {
    return { status: 'echo_unsupported', detail: `the echo has ${tokens.length} tokens` };
  }
  for (const [name, list] of Object.entries({ tokenLogprobs, tokenIds, tokenBytes, textOffset })) {
    if (list !== undefined && list.length !== tokens.length) {
      return { status: 'shape', detail: `${tokens.length} tokens, but ${name} has ${list.length} entries` };
    }
  }
  if (tokenLogprobs.every((value) => value === null)) {
    return { status: 'echo_unsupported', detail: 'no token has a log probability' };
  }
  const missing = tokenLogprobs.findIndex((value, index) => index > 0 && value === null);
  if (missing !== -1) return { status: 'shape', detail: `token ${missing} has no log probability` };
  // Some servers write 0 for the token that nothing precedes; any other value must be some other token's.
  const [token, value] = [tokens[0], tokenLogprobs[0]];
  const isFirst = bosToken === null || sentIds !== undefined || token === bosToken || token === '';
  if (isFirst && value !== null && value !== 0) {
    return { status: 'shape', detail: `the first token has the log probability ${value}, and nothing precedes it` };
  }
  return undefined;
}
