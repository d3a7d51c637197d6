/** A list of `{content, role}`, the form in which chat APIs take what was said. */

import type { JsonObject } from '../../core/json.ts';
import { type Pieces, quote, run, type SharedPiece } from '../../core/pieces.ts';
import type { Message } from '../../core/protocol.ts';

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
