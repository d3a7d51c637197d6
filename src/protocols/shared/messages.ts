/** A list of `{content, role}`, the form in which chat APIs take what was said. */

import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { type Pieces, quote, run, type SharedPiece } from '../../core/pieces.ts';
import type { Message, NamedText } from '../../core/protocol.ts';

/** What stands around the contents in the list. */
const FIRST = run('[{"content":');
const NEXT = run(',{"content":');
const LAST = run(']');
const ROLES = {
  system: run(',"role":"system"}'),
  user: run(',"role":"user"}'),
  assistant: run(',"role":"assistant"}'),
};

/** The messages as JSON, and the pieces of its canonical text. */
export function listOf(messages: readonly Message[]): {
  readonly list: readonly JsonObject[];
  readonly pieces: Pieces;
} {
  const list: JsonObject[] = [];
  const pieces: (string | SharedPiece)[] = [];
  for (const { role, content } of messages) {
    const { text, json } = typeof content === 'string' ? quote(content) : content;
    pieces.push(list.length === 0 ? FIRST : NEXT, ...json, ROLES[role]);
    list.push({ content: text, role });
  }
  return { list, pieces: list.length === 0 ? ['[]'] : [...pieces, LAST] };
}

/** What a list of messages says; empty where it is none. A content that is no text is shown as JSON. */
export function saidIn(messages: Json | undefined): NamedText[] {
  if (!Array.isArray(messages)) return [];
  return (messages as readonly Json[]).map((message) => {
    const { role, content } = isJsonObject(message) ? message : {};
    return { name: typeof role === 'string' ? role : 'message', text: writtenText(content) };
  });
}

export const writtenText = (value: Json | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);
