/** Who asks in messages: what a model's provider names, else OpenAI's. */

import type { ModelRef, ProtocolName } from '../core/call.ts';
import type { ChatProtocol } from '../core/protocol.ts';
import { anthropicMessages } from './anthropic-messages/messages.ts';
import { openaiChat } from './openai-chat/chat.ts';

/** What a provider file names; who names none speaks OpenAI's. */
const NAMED: Readonly<Record<ProtocolName, ChatProtocol>> = { 'anthropic-messages': anthropicMessages };

export const CHAT_PROTOCOLS: readonly ChatProtocol[] = [openaiChat, ...Object.values(NAMED)];

/** How a model, or a provider as a whole, is spoken to. */
export const chatProtocolOf = ({ protocol }: Pick<ModelRef, 'protocol'>): ChatProtocol =>
  protocol === undefined ? openaiChat : NAMED[protocol];
