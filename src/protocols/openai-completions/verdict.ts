/** What a reply of `/completions` is worth. */

import type { JsonObject } from '../../core/json.ts';
import type { Verdict } from '../../core/protocol.ts';
import { endedChoice, textOf } from '../openai/choice.ts';
import { ANSWER, noAnswer } from '../shared/verdict.ts';

export function verdictOf(reply: JsonObject): Verdict {
  const ended = endedChoice(reply);
  if ('verdict' in ended) return ended.verdict;
  const { text: given, logprobs } = ended.choice;
  const text = textOf(given);
  if (text === undefined) return noAnswer('malformed_reply', 'choices.0.text: no text, and no part with text');
  // An echo may come beside an empty text: what is asked for then are the log probabilities.
  const echoed = given === '' && ((logprobs !== undefined && logprobs !== null) || Array.isArray(reply.prompt));
  if (echoed || (text !== null && text.trim() !== '')) return ANSWER;
  return noAnswer('empty_response', 'the reply has no text');
}
