/** What limits and prices read of a request's body. */

import { inputTokensAtMost } from '../core/cost.ts';
import { isJsonObject } from '../core/json.ts';

export interface BodySize {
  readonly model: string;
  /** Never fewer than the server can count: every UTF-8 byte a token, and what templates add. */
  readonly inputTokensAtMost: number;
  /** The most tokens that can be answered, over all prompts and choices; undefined where the body sets no cap. */
  readonly outputTokensAtMost: number | undefined;
  /** What a server is likely to book against a token limit when the request arrives. */
  readonly tokensLikely: number;
}

/** Reads a body that is known to be JSON. */
export function sizeOfBody(text: string): BodySize {
  const parsed: unknown = JSON.parse(text);
  const body = isJsonObject(parsed) ? parsed : {};
  const bytes = Buffer.byteLength(text);
  const cap = count(body.max_completion_tokens) ?? count(body.max_tokens);
  const answers = Math.max(count(body.n) ?? 1, count(body.best_of) ?? 1, 1) * promptsIn(body.prompt);
  const outputTokensAtMost = cap === undefined ? undefined : cap * answers;
  return {
    model: typeof body.model === 'string' ? body.model : '',
    inputTokensAtMost: inputTokensAtMost(bytes),
    outputTokensAtMost,
    tokensLikely: Math.ceil(bytes / 4) + (outputTokensAtMost ?? 0),
  };
}

/** A prompt is a text, a list of token ids, or a list of either. */
function promptsIn(prompt: unknown): number {
  if (!Array.isArray(prompt) || prompt.length === 0) return 1;
  return typeof prompt[0] === 'number' ? 1 : prompt.length;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}
