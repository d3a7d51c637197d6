/** What is believed of the log probabilities of a response's tokens, and their sum. */

import type { NotAligned } from './echo.ts';

/** Rounding may lift a log probability of certainty this far above 0. */
const ABOVE_ZERO = 1e-6;
/** vLLM's stand-in for minus infinity; a true value as low does not occur. */
const MINUS_INFINITY = -9999;
/** A response of more tokens than this cannot be near certain from one end to the other. */
const LONG_RESPONSE = 50;
/** Mean nats per token above which a long response is near certain. */
const NEAR_CERTAIN = -0.01;
/** So many values of exactly 0 in a row are no model's where the rest of the response is uncertain. */
const ZEROS_IN_A_ROW = 10;
/** Mean nats per token below which the rest of a response is uncertain. */
const UNCERTAIN = -0.05;

type Sum = { readonly status: 'ok'; readonly logprob: number; readonly tokens: number } | NotAligned;

/** The sum over the tokens [from, to), nats. */
export function sumOf(
  logprobs: readonly (number | null)[],
  { from, to }: { readonly from: number; readonly to: number },
): Sum {
  if (to <= from) return { status: 'text_mismatch', detail: 'no token belongs to the response' };
  let total = 0;
  let zeros = 0;
  let longest = 0;
  for (let index = from; index < to; index++) {
    const value = logprobs[index];
    if (value === null || value === undefined) {
      return { status: 'shape', detail: `token ${index} has no log probability` };
    }
    if (!(value <= ABOVE_ZERO) || value <= MINUS_INFINITY) {
      return { status: 'bad_value', detail: `token ${index} has the log probability ${value}` };
    }
    total += Math.min(value, 0);
    zeros = value === 0 ? zeros + 1 : 0;
    longest = Math.max(longest, zeros);
  }
  const tokens = to - from;
  if (tokens > LONG_RESPONSE && total / tokens > NEAR_CERTAIN) {
    return { status: 'suspicious', detail: `${total} nats over ${tokens} tokens` };
  }
  if (longest >= ZEROS_IN_A_ROW && longest < tokens && total / (tokens - longest) < UNCERTAIN) {
    return { status: 'suspicious', detail: `${longest} tokens in a row are exactly certain, and the others are not` };
  }
  return { status: 'ok', logprob: total, tokens };
}
