/** What a provider lists under `/models`. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Listing } from '../../core/protocol.ts';

/** The names under which servers tell a context's length; each has its own. */
const CONTEXT_FIELDS = [
  'max_model_len',
  'context_length',
  'context_window',
  'max_context_length',
  'max_input_tokens',
] as const;

/** Reads a reply to `GET /models`; undefined where it is no list. */
export function readListing(body: unknown): Listing | undefined {
  const data = isJsonObject(body) ? body.data : undefined;
  if (!Array.isArray(data)) return undefined;
  const entries = (data as readonly unknown[]).filter(
    (entry): entry is JsonObject & { readonly id: string } => isJsonObject(entry) && typeof entry.id === 'string',
  );
  const contexts = new Map<string, number>();
  for (const entry of entries) {
    const length = CONTEXT_FIELDS.map((field) => entry[field]).find((value) => typeof value === 'number');
    if (typeof length === 'number' && length > 0) contexts.set(entry.id, length);
  }
  const owners = new Set(entries.flatMap(({ owned_by: owner }) => (typeof owner === 'string' ? [owner] : [])));
  return { models: entries.map(({ id }) => id), contexts, owners };
}
