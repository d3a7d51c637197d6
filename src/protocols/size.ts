/** What limits and prices read of a request's body. */

import { inputTokensAtMost } from '../core/cost.ts';
import { isJsonObject } from '../core/json.ts';
import type { Protocol } from '../core/protocol.ts';

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
export function sizeOfBody(protocol: Protocol, text: string): BodySize {
  const parsed: unknown = JSON.parse(text);
  const body = isJsonObject(parsed) ? parsed : {};
  const bytes = Buffer.byteLength(text);
  const most = protocol.outputCap(body);
  return {
    model: protocol.modelOf(body),
    inputTokensAtMost: inputTokensAtMost(bytes),
    outputTokensAtMost: most,
    tokensLikely: Math.ceil(bytes / 4) + (most ?? 0),
  };
}
