/** Conversations as files of data have them, in one form: turns with a role and a text. */

import { isJsonObject } from '../core/json.ts';

export type Turn = { readonly role: 'system' | 'user' | 'assistant'; readonly content: string };

type Conversation =
  | { readonly ok: true; readonly turns: readonly Turn[]; readonly leftOut: number }
  | { readonly ok: false; readonly message: string };

/** What roles are called: by OpenAI, by ShareGPT, by Gemini. Turns of tools are in no policy's power. */
const ROLES: Readonly<Record<string, Turn['role'] | 'left out'>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bot: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  model: 'assistant',
  tool: 'left out',
  function: 'left out',
  function_call: 'left out',
  observation: 'left out',
};

/**
 * Turns such as `{"role": "user", "content": "…"}` or `{"from": "human", "value": "…"}`.
 *
 * @param texts plain texts are turns of the user, as MT-Bench and preference data write them
 */
export function readConversation(value: unknown, texts: boolean): Conversation {
  const bad = (message: string): Conversation => ({ ok: false, message });
  if (!Array.isArray(value)) return bad('is not a list of turns');
  const turns: Turn[] = [];
  let leftOut = 0;
  if (texts && value.every((turn) => typeof turn === 'string')) {
    // What the model answered in between is not told, so what comes after the first turn cannot be asked.
    const [first] = value as readonly string[];
    const written: readonly Turn[] = first === undefined ? [] : [{ role: 'user', content: first }];
    return { ok: true, turns: written, leftOut: Math.max(0, value.length - 1) };
  }
  for (const turn of value as readonly unknown[]) {
    if (!isJsonObject(turn)) return bad('has a turn that is not an object');
    const named = turn.role ?? turn.from;
    if (typeof named !== 'string') return bad('has a turn without a role');
    const role = ROLES[named.toLowerCase()];
    if (role === undefined) return bad(`has a turn of the unknown role ${JSON.stringify(named)}`);
    if (role === 'left out') {
      leftOut++;
      continue;
    }
    const content = textOf(turn.content ?? turn.value ?? turn.text);
    if (content !== undefined) turns.push({ role, content });
    else if (role === 'user') return bad("has a user's turn whose content is not a text");
    else leftOut++;
  }
  return { ok: true, turns, leftOut };
}

/** A text, or the texts of a list of parts; undefined where a part is a picture or another thing that is no text. */
function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content) || content.length === 0) return undefined;
  const texts = content.map((part) =>
    typeof part === 'string' ? part : isJsonObject(part) && typeof part.text === 'string' ? part.text : undefined,
  );
  return texts.every((text) => text !== undefined) ? texts.join('\n') : undefined;
}

/** What a policy is asked: all turns up to the last of the user. */
export function asked(turns: readonly Turn[]): readonly Turn[] {
  const last = turns.findLastIndex(({ role }) => role === 'user');
  return turns.slice(0, last + 1);
}

/** What a cell asks: a text as it is, of a conversation the first turn of the user; with all turns, where they are more. */
export function askedIn(cell: unknown): { readonly prompt: string; readonly turns?: readonly Turn[] } | undefined {
  if (!Array.isArray(cell)) return undefined;
  const read = readConversation(cell, true);
  if (!read.ok) return undefined;
  const turns = asked(read.turns);
  const first = turns.find(({ role }) => role === 'user');
  if (first === undefined) return undefined;
  return { prompt: first.content, ...(turns.length === 1 ? {} : { turns }) };
}

/** What was answered last in a conversation; undefined where it ends with a question. */
export function answerIn(cell: unknown): string | undefined {
  const read = readConversation(cell, false);
  const last = read.ok ? read.turns.at(-1) : undefined;
  return last?.role === 'assistant' ? last.content : undefined;
}
