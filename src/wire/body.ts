/** Bodies as they are sent: no undefined members, keys in canonical order. */

import type { Dialect } from '../core/call.ts';
import type { Json, JsonObject } from '../core/json.ts';

/**
 * The body of a request: the dialect's extra fields, then ours, which win. What is undefined is not sent at all, so a
 * server's default stays the server's and a new optional argument moves no key.
 */
export function bodyOf(dialect: Dialect, fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const merged: Record<string, Json> = {};
  for (const source of [dialect.extra, fields]) {
    for (const name of Object.keys(source)) {
      const value = source[name];
      if (value !== undefined) merged[name] = value;
    }
  }
  const names = Object.keys(merged);
  if (names.every((name, index) => index === 0 || (names[index - 1] as string) < name)) return merged;
  const body: Record<string, Json> = {};
  for (const name of names.sort()) body[name] = merged[name] as Json;
  return body;
}

/** Sampling settings in the dialect's words; a model that takes no temperature takes no `top_p` either. */
export function sampling(
  dialect: Dialect,
  settings: { readonly temperature?: number; readonly topP?: number },
): Readonly<Record<string, Json | undefined>> {
  return dialect.temperature ? { temperature: settings.temperature, top_p: settings.topP } : {};
}
