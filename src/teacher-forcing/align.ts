/**
 * From an echo to log P(response | prompt): finds where the prompt ends among the echoed tokens and adds up what
 * follows. One call, never the difference of two: where a token reaches across the boundary there is no such number,
 * and the result says so.
 */

import type { AlignOptions, AlignStatus, Echo } from './echo.ts';
import { type Alignment, alignTokens } from './tokens.ts';

export type AlignResult =
  | {
      readonly status: 'ok';
      /** Sum over the response's tokens, nats. */
      readonly logprob: number;
      /** The response's tokens. */
      readonly tokens: number;
    }
  | { readonly status: AlignStatus; readonly detail: string };

/** Rounding may lift a log probability of certainty this far above 0. */
const ABOVE_ZERO = 1e-6;
/** vLLM's stand-in for minus infinity; a true value as low does not occur. */
const MINUS_INFINITY = -9999;
/** A response of more tokens than this cannot be near certain from one end to the other. */
const LONG_RESPONSE = 50;
/** Mean nats per token above which a long response is near certain. */
const NEAR_CERTAIN = -0.01;

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
  if (responseText === '') return { status: 'empty_response', detail: 'the response has no text' };
  if (echo === undefined) return { status: 'echo_unsupported', detail: 'the reply has no log probabilities' };
  const shape = checkShape(echo);
  if (shape !== undefined) return shape;

  const boundary =
    options.sentIds === undefined
      ? alignTokens(echo, promptText, responseText, options)
      : alignIds(echo, options.sentIds, options);
  return boundary.status === 'ok' ? sum(echo.tokenLogprobs, boundary) : boundary;
}

function checkShape({ tokens, tokenLogprobs, tokenIds, textOffset }: Echo): AlignResult | undefined {
  if (tokens.length <= 1) {
    return { status: 'echo_unsupported', detail: `the echo has ${tokens.length} tokens` };
  }
  for (const [name, list] of Object.entries({ tokenLogprobs, tokenIds, textOffset })) {
    if (list !== undefined && list.length !== tokens.length) {
      return { status: 'shape', detail: `${tokens.length} tokens, but ${name} has ${list.length} entries` };
    }
  }
  if (tokenLogprobs.every((value) => value === null)) {
    return { status: 'echo_unsupported', detail: 'no token has a log probability' };
  }
  const missing = tokenLogprobs.findIndex((value, index) => index > 0 && value === null);
  if (missing !== -1) return { status: 'shape', detail: `token ${missing} has no log probability` };
  return undefined;
}

/** The server may have prepended one token of its own; all that follows must be what was sent. */
function alignIds(
  { tokenIds, tokens }: Echo,
  sent: NonNullable<AlignOptions['sentIds']>,
  { bosToken, extraTokens }: AlignOptions,
): Alignment {
  if (tokenIds === undefined) return { status: 'shape', detail: 'the echo has no token ids' };
  const expected = [...sent.prompt, ...sent.response];
  const prepended = bosToken !== null && tokens[0] === bosToken && tokenIds[0] !== expected[0] ? 1 : 0;
  if (bosToken !== null && tokens[0] === bosToken && tokens[1] === bosToken) {
    return { status: 'bos', detail: `two ${bosToken}` };
  }
  const end = prepended + expected.length;
  if (tokenIds.length < end) {
    return { status: 'truncated', detail: `${tokenIds.length - prepended} of ${expected.length} tokens were echoed` };
  }
  const differs = expected.findIndex((id, index) => tokenIds[prepended + index] !== id);
  if (differs !== -1) {
    return {
      status: 'retokenized',
      detail: `token ${differs} is ${tokenIds[prepended + differs]}, sent was ${expected[differs]}`,
    };
  }
  if (tokenIds.length > end + extraTokens) {
    return { status: 'shape', detail: `${tokenIds.length - end} tokens after the text` };
  }
  return { status: 'ok', from: prepended + sent.prompt.length, to: end };
}

function sum(
  logprobs: readonly (number | null)[],
  { from, to }: { readonly from: number; readonly to: number },
): AlignResult {
  if (to <= from) return { status: 'text_mismatch', detail: 'no token belongs to the response' };
  let total = 0;
  for (let index = from; index < to; index++) {
    const value = logprobs[index];
    if (value === null || value === undefined) {
      return { status: 'shape', detail: `token ${index} has no log probability` };
    }
    if (!(value <= ABOVE_ZERO) || value <= MINUS_INFINITY) {
      return { status: 'bad_value', detail: `token ${index} has the log probability ${value}` };
    }
    total += Math.min(value, 0);
  }
  const tokens = to - from;
  if (tokens > LONG_RESPONSE && total / tokens > NEAR_CERTAIN) {
    return { status: 'suspicious', detail: `${total} nats over ${tokens} tokens` };
  }
  return { status: 'ok', logprob: total, tokens };
}
