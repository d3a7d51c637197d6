/** Bodies as they are sent: no undefined members, keys in canonical order. */

import type { Dialect } from '../core/call.ts';
import type { Json, JsonObject } from '../core/json.ts';

/**
 * The body of a request: the dialect's extra fields, then ours, which win. What is undefined is not sent at all, so a
 * server's default stays the server's and a new optional argument moves no key.
 */
export function bodyOf(dialect: Dialect, fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const body: Record<string, Json> = {};
  const merged: JsonObject = { ...dialect.extra, ...definedOnly(fields) };
  for (const name of Object.keys(merged).sort()) {
    const value = merged[name];
    if (value !== undefined) body[name] = value;
  }
  return body;
}

function definedOnly(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Sampling settings in the dialect's words; a model that takes no temperature takes no `top_p` either. */
export function sampling(
  dialect: Dialect,
  settings: { readonly temperature?: number; readonly topP?: number },
): Readonly<Record<string, Json | undefined>> {
  return dialect.temperature ? { temperature: settings.temperature, top_p: settings.topP } : {};
}
