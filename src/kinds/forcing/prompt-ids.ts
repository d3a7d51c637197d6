/** The token ids of a prompt, which the server that will be forced makes of it. */

import { type Answer, ask, type ModelRef, type Request } from '../../core/call.ts';
import type { CompletionReply } from '../../core/protocol.ts';
import type { Turn } from '../../datasets/conversation.ts';
import { askMessageIds } from '../../protocols/openai-chat/prompt-logprobs.ts';
import { countsOf } from '../../protocols/openai-completions/completions.ts';
import { textProtocolOf } from '../../protocols/text-protocols.ts';
import { findResponse } from '../../teacher-forcing/align.ts';
import type { AlignOptions } from '../../teacher-forcing/echo.ts';
import { bosOf } from '../../teacher-forcing/prompt.ts';
import { type Forced, no } from './valued.ts';

type Steps<T> = Generator<Request, T, Answer<unknown>>;

export type PromptIds = Forced | { readonly ids: readonly number[] };

/** The ids of a prompt: the same for each pass, and for every policy that says the same. */
export function* askIdsOfPrompt(model: ModelRef, prompt: string): Steps<PromptIds> {
  const { echoTokens, forcing } = model.dialect;
  const { complete } = textProtocolOf(model);
  const answer = yield* ask(
    complete(
      model,
      forcing === 'generate'
        ? { prompt, maxTokens: 1, returnTokenIds: true }
        : { prompt, maxTokens: echoTokens, echo: true, logprobs: 1, returnTokenIds: true },
      'prompt-ids',
    ),
  );
  if (!answer.ok) return no(answer.failure.reason);
  const { reply } = answer;
  const ids = idsOfPrompt(reply, prompt, alignOptions(bosOf(model.dialect), echoTokens, reply));
  return ids === undefined || ids.length === 0 ? no('no_token_ids', reply.model) : { ids };
}

/** The same of the prompt that a server makes of messages. */
export function* askIdsOfMessages(model: ModelRef, messages: readonly Turn[]): Steps<PromptIds> {
  const answer = yield* ask(askMessageIds(model, messages, 'prompt-ids'));
  if (!answer.ok) return no(answer.failure.reason);
  const { promptTokenIds: ids = [], model: answering } = answer.reply;
  return ids.length === 0 ? no('no_token_ids', answering) : { ids };
}

function idsOfPrompt(reply: CompletionReply, prompt: string, options: AlignOptions): readonly number[] | undefined {
  if (reply.promptTokenIds !== undefined && reply.promptTokenIds.length > 0) return reply.promptTokenIds;
  const ids = reply.echo?.tokenIds;
  if (ids === undefined) return undefined;
  const found = findResponse(reply.echo, '', prompt, options);
  return found.status === 'ok' ? ids.slice(0, found.to) : undefined;
}

export const alignOptions = (bosToken: string | null, extraTokens: 0 | 1, reply: CompletionReply): AlignOptions => ({
  bosToken,
  extraTokens,
  counts: countsOf(reply),
});
