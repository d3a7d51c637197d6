/** Bodies as they are sent: no undefined members, keys in canonical order. */

import type { Dialect } from '../core/call.ts';
import type { Json, JsonObject } from '../core/json.ts';

/**
 * The body of a request: the dialect's extra fields, then ours, which win. What is undefined is not sent at all, so a
 * server's default stays the server's and a new optional argument moves no key.
 */
export function bodyOf(dialect: Dialect, fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const names = new Set(Object.keys(dialect.extra));
  for (const name of Object.keys(fields)) if (fields[name] !== undefined) names.add(name);
  const body: Record<string, Json> = {};
  for (const name of [...names].sort()) {
    const own = fields[name];
    const value = own === undefined ? dialect.extra[name] : own;
    if (value !== undefined) body[name] = value;
  }
  return body;
}

/** Sampling settings in the dialect's words; a model that takes no temperature takes no `top_p` either. */
export function sampling(
  dialect: Dialect,
  settings: { readonly temperature?: number; readonly topP?: number },
): Readonly<Record<string, Json | undefined>> {
  return dialect.temperature ? { temperature: settings.temperature, top_p: settings.topP } : {};
}
