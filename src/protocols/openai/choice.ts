/** A reply's first choice: how it ended, and its text. Chat and completions have this in common. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Verdict } from '../../core/protocol.ts';
import { MESSAGE_LENGTH, noAnswer } from '../shared/verdict.ts';

/** Words for an end that was reached or was set, over all servers that are known. */
const ENDS = new Set(['stop', 'length', 'eos', 'eos_token', 'stop_sequence', 'end_turn', 'max_tokens']);

/** The first choice, where it ended as an answer does; else the verdict. */
export function endedChoice(reply: JsonObject): { readonly choice: JsonObject } | { readonly verdict: Verdict } {
  const { choices } = reply;
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (!isJsonObject(choice)) {
    return { verdict: noAnswer('malformed_reply', `choices: ${Array.isArray(choices) ? 'empty' : 'not there'}`) };
  }
  const { error, finish_reason: end } = choice;
  if (error !== undefined && error !== null) return { verdict: { type: 'error', message: errorText(error), error } };
  if (end === 'error') return { verdict: { type: 'error', message: 'the reply ended by "error"' } };
  if (end === 'content_filter') return { verdict: noAnswer('filtered', 'the reply ended by "content_filter"') };
  if (end !== undefined && end !== null && end !== '' && !(typeof end === 'string' && ENDS.has(end))) {
    return { verdict: noAnswer('malformed_reply', `the reply ended by ${JSON.stringify(end)}`) };
  }
  return { choice };
}

/** A text, or the text parts of a list joined; undefined where there is something else. */
export function textOf(content: unknown): string | null | undefined {
  if (content === undefined || content === null) return null;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.flatMap((part: unknown) =>
    isJsonObject(part) && typeof part.text === 'string' && (part.type === undefined || part.type === 'text')
      ? [part.text]
      : [],
  );
  return texts.length === 0 ? undefined : texts.join('');
}

export function errorText(error: unknown): string {
  const told = isJsonObject(error) && typeof error.message === 'string' ? error.message : JSON.stringify(error);
  const code = isJsonObject(error) && error.code !== undefined ? `${String(error.code)} ` : '';
  return `an error inside the reply: ${code}${told}`.slice(0, MESSAGE_LENGTH);
}
