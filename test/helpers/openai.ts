/** OpenAI's APIs as most tests ask by them. */

import type { ModelRef } from '../../src/core/call.ts';
import type { ChatSettings, Message } from '../../src/core/protocol.ts';
import { openaiChat } from '../../src/protocols/openai-chat/chat.ts';
import { openaiCompletions } from '../../src/protocols/openai-completions/completions.ts';

export const { complete: completion, force: forcedText } = openaiCompletions;

export function chat(
  model: ModelRef,
  { messages, ...settings }: ChatSettings & { readonly messages: readonly Message[] },
  draw: string,
) {
  return openaiChat.form(model, settings)(messages, draw);
}
