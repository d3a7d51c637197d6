/** What limits and prices read of a request's body. */

import { inputTokensAtMost } from '../core/cost.ts';
import type { Protocol } from '../core/protocol.ts';
import type { SizedCall } from '../core/provider-port.ts';

export interface BodySize {
  readonly model: string;
  /** Never fewer than the server can count: every UTF-8 byte a token, and what templates add. */
  readonly inputTokensAtMost: number;
  /** The most tokens that can be answered, over all prompts and choices; undefined where the body sets no cap. */
  readonly outputTokensAtMost: number | undefined;
  /** What a server is likely to book against a token limit when the request arrives. */
  readonly tokensLikely: number;
}

export function sizeOfBody(protocol: Protocol, { body, fields }: Omit<SizedCall, 'path'>): BodySize {
  const bytes = Buffer.byteLength(body);
  const most = protocol.outputCap(fields);
  return {
    model: protocol.modelOf(fields),
    inputTokensAtMost: inputTokensAtMost(bytes),
    outputTokensAtMost: most,
    tokensLikely: Math.ceil(bytes / 4) + (most ?? 0),
  };
}
