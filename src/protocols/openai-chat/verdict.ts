/** What a reply of `/chat/completions` is worth. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Verdict } from '../../core/protocol.ts';
import { endedChoice, errorText, textOf } from '../openai/choice.ts';
import { ANSWER, MESSAGE_LENGTH, noAnswer } from '../shared/verdict.ts';

export function verdictOf(reply: JsonObject): Verdict {
  const ended = endedChoice(reply);
  if ('verdict' in ended) return ended.verdict;
  const { message, finish_reason: end } = ended.choice;
  if (!isJsonObject(message)) return noAnswer('malformed_reply', 'choices.0.message: not there');
  const { content, refusal, error } = message;
  if (error !== undefined && error !== null) return { type: 'error', message: errorText(error), error };
  if (typeof refusal === 'string' && refusal.trim() !== '')
    return noAnswer('refused', refusal.slice(0, MESSAGE_LENGTH));
  const text = textOf(content);
  if (text === undefined)
    return noAnswer('malformed_reply', 'choices.0.message.content: no text, and no part with text');
  if (text !== null && text.trim() !== '') return ANSWER;
  // Asked for what it tells of the prompt, it need say nothing.
  if (Array.isArray(reply.prompt_logprobs) || Array.isArray(reply.prompt_token_ids)) return ANSWER;
  const thought = [message.reasoning_content, message.reasoning].some(
    (part) => typeof part === 'string' && part !== '',
  );
  const spent = end === 'length' && thought;
  return noAnswer(
    'empty_response',
    spent ? `reasoning used all ${tokens(reply)}of max_tokens` : 'the reply has no text',
  );
}

function tokens({ usage }: JsonObject): string {
  const count = isJsonObject(usage) ? usage.completion_tokens : undefined;
  return typeof count === 'number' ? `${count} ` : '';
}
