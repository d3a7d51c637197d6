/** Who asks with raw text. Apart from those of messages: an edit of one is none of a stage that asks by the other. */

import type { ModelRef } from '../core/call.ts';
import type { Protocol, TextProtocol } from '../core/protocol.ts';
import { openaiCompletions } from './openai-completions/completions.ts';
import { sglangGenerate } from './sglang-generate/generate.ts';

export const TEXT_PROTOCOLS: readonly Protocol[] = [openaiCompletions, sglangGenerate];

/** The one API of raw text; a model that speaks another has none, which a pipeline's parameters check. */
export function textProtocolOf({ protocol, model }: ModelRef): TextProtocol {
  if (protocol !== undefined) throw new Error(`Internal error: ${model} speaks ${protocol}, which has no raw text`);
  return openaiCompletions;
}
