/** A reply with a status of success as its protocol sees it: what it is worth, and what it says that it cost. */

import { type Usage, usageOf } from '../../core/call.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { chatVerdict } from '../openai-chat/verdict.ts';
import { completionVerdict } from '../openai-completions/verdict.ts';
import type { Verdict } from '../verdict.ts';

export function verdictOf(path: string, reply: JsonObject): Verdict {
  return path === '/chat/completions' ? chatVerdict(reply) : completionVerdict(reply);
}

/**
 * The usage of a reply where it can be believed, undefined else: both counts are there and finite, none is negative, and
 * a text was made of tokens.
 *
 * @param mayAnswerNothing the request asked for no tokens, as an echo does.
 */
export function believedUsage(reply: JsonObject, verdict: Verdict, mayAnswerNothing: boolean): Usage | undefined {
  const { usage } = reply;
  if (!isJsonObject(usage)) return undefined;
  const { prompt_tokens: input, completion_tokens: output } = usage;
  if (!isCount(input) || !isCount(output)) return undefined;
  if (verdict.type === 'answer' && (input === 0 || (output === 0 && !mayAnswerNothing))) return undefined;
  return usageOf(reply);
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
