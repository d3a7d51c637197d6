/** Bodies as they are sent: no undefined members, keys in canonical order. */

import type { Dialect, WrittenBody } from '../../core/call.ts';
import { canonicalJson, type Json, type JsonObject } from '../../core/json.ts';
import { type Pieces, run } from '../../core/pieces.ts';

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

/**
 * Bodies that differ in one field: what is the same in all of them is put in order and written once.
 *
 * @param hole the name of the field.
 * @returns the body with `value` in it; `pieces` are the canonical text of `value`.
 */
export function bodyForm(
  dialect: Dialect,
  fields: Readonly<Record<string, Json | undefined>>,
  hole: string,
): (value: Json, pieces: Pieces) => WrittenBody {
  const form = bodyOf(dialect, { ...fields, [hole]: null });
  // Names that look like array indices stand first in an object, whatever the order of writing.
  const names = Object.keys(form).sort();
  const at = names.indexOf(hole);
  const written = (some: readonly string[]) =>
    some.map((name) => `${JSON.stringify(name)}:${canonicalJson(form[name] as Json)}`);
  const before = run(`{${[...written(names.slice(0, at)), `${JSON.stringify(hole)}:`].join(',')}`);
  const after = run(`${[''].concat(written(names.slice(at + 1))).join(',')}}`);
  return (value, pieces) => ({ body: { ...form, [hole]: value }, pieces: [before, ...pieces, after] });
}

/** Sampling settings in the dialect's words; a model that takes no temperature takes no `top_p` either. */
export function sampling(
  dialect: Dialect,
  settings: { readonly temperature?: number; readonly topP?: number },
): Readonly<Record<string, Json | undefined>> {
  return dialect.temperature ? { temperature: settings.temperature, top_p: settings.topP } : {};
}
