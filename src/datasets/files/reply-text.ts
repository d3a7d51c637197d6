/** What a model said, in replies as the APIs of models write them and as files keep them. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { textIn } from './records.ts';

/** Thoughts of a model that reasons are parts of their own, and no part of its answer. Undefined where nothing is said. */
export function contentOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content === '' ? undefined : content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.flatMap((part) =>
    isJsonObject(part) && (part.type === 'text' || part.type === 'output_text') && typeof part.text === 'string'
      ? [part.text]
      : [],
  );
  return texts.length === 0 ? undefined : texts.join('\n');
}

/**
 * The text of a reply: a chat completion, a completion, a response or a message, or what a batch puts around one.
 * Null for a reply that says nothing, such as an error; undefined for what is no reply.
 */
export function saidIn(cell: unknown): string | null | undefined {
  if (!isJsonObject(cell)) return undefined;
  if (isJsonObject(cell.body)) return saidIn(cell.body) ?? null;
  const { choices, output, content } = cell;
  if (Array.isArray(choices)) {
    const [choice] = choices;
    if (!isJsonObject(choice)) return null;
    return (isJsonObject(choice.message) ? contentOf(choice.message.content) : contentOf(choice.text)) ?? null;
  }
  if (Array.isArray(output)) return contentOf(output.flatMap(partsOf)) ?? null;
  if (content !== undefined && 'role' in cell) return contentOf(content) ?? null;
  return 'error' in cell || 'status_code' in cell ? null : undefined;
}

/** A cell's response: a reply that was kept whole is what it says, and not its JSON. */
export const responseIn = (cell: unknown): string | undefined => {
  const said = saidIn(cell);
  return said === undefined ? textIn(cell) : (said ?? undefined);
};

/** The parts of a message among what a reply holds, which may also hold thoughts and calls of tools. */
const partsOf = (item: JsonObject[string]): readonly JsonObject[string][] =>
  isJsonObject(item) && item.type === 'message' && Array.isArray(item.content) ? item.content : [];
