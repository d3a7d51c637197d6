/** The APIs that models are asked by, found by a request's path or by what a model's provider speaks. */

import type { ModelRef, ProtocolName } from '../core/call.ts';
import type { ChatProtocol, Protocol, Protocols, TextProtocol } from '../core/protocol.ts';
import { anthropicMessages } from './anthropic-messages/messages.ts';
import { openaiChat } from './openai-chat/chat.ts';
import { openaiCompletions } from './openai-completions/completions.ts';

const ALL: readonly Protocol[] = [openaiChat, openaiCompletions, anthropicMessages];
/** What a provider file names; who names none speaks OpenAI's. */
const NAMED: Readonly<Record<ProtocolName, ChatProtocol>> = { 'anthropic-messages': anthropicMessages };

const byPath = new Map(ALL.map((protocol) => [protocol.path, protocol]));

export const protocolAt: Protocols = (path) => {
  const protocol = byPath.get(path);
  if (protocol === undefined) throw new Error(`Internal error: no protocol has the path ${path}`);
  return protocol;
};

/** How a model, or a provider as a whole, is spoken to. */
export const chatProtocolOf = ({ protocol }: Pick<ModelRef, 'protocol'>): ChatProtocol =>
  protocol === undefined ? openaiChat : NAMED[protocol];

/** The one API of raw text; a model that speaks another has none, which a pipeline's parameters check. */
export function textProtocolOf({ protocol, model }: ModelRef): TextProtocol {
  if (protocol !== undefined) throw new Error(`Internal error: ${model} speaks ${protocol}, which has no raw text`);
  return openaiCompletions;
}
