/** JSON values, and the one text that stands for each of them. */

export type JsonPrimitive = string | number | boolean | null;
export type Json = JsonPrimitive | JsonObject | readonly Json[];
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/**
 * The canonical text of a value: object keys sorted by UTF-16 code unit, no white space, absent where undefined.
 * Two values have the same canonical text exactly when they are the same JSON value.
 *
 * @throws RangeError on a number that JSON cannot hold (NaN, infinities): a key must never be built from one.
 */
export function canonicalJson(value: Json): string {
  if (isCanonical(value)) return JSON.stringify(value);
  const ordered = inOrder(value);
  return ordered === undefined ? canonicalText(value) : JSON.stringify(ordered);
}

/** Whether JSON.stringify gives the canonical text: keys stand in order and every number is finite. Costs less than sorting. */
function isCanonical(value: Json | undefined): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isCanonical);
  if (typeof value !== 'object') return false;
  let previous: string | undefined;
  for (const key of Object.keys(value)) {
    if (previous !== undefined && previous > key) return false;
    previous = key;
    const member = (value as JsonObject)[key];
    if (member !== undefined && !isCanonical(member)) return false;
  }
  return true;
}

/** A copy whose keys stand in order, which JSON.stringify writes faster than we do; undefined where there is none. */
function inOrder(value: Json): Json | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const members: Json[] = [];
    for (const each of value as readonly Json[]) {
      const member = inOrder(each);
      if (member === undefined) return undefined;
      members.push(member);
    }
    return members;
  }
  const object = value as JsonObject;
  const copy: Record<string, Json> = {};
  for (const key of sortedKeys(object)) {
    const member = object[key];
    if (member === undefined) continue;
    const ordered = inOrder(member);
    if (ordered === undefined || keepsNoOrder(key)) return undefined;
    copy[key] = ordered;
  }
  return copy;
}

/** Array indices come first in any object, by their numbers; and who sets `__proto__` adds no key. */
const keepsNoOrder = (key: string): boolean =>
  (key.charCodeAt(0) <= NINE && key.charCodeAt(0) >= ZERO) || key === '__proto__';

const ZERO = 0x30;
const NINE = 0x39;

function canonicalText(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    let text = '[';
    for (let index = 0; index < value.length; index++) {
      if (index > 0) text += ',';
      text += canonicalText(value[index] as Json);
    }
    return `${text}]`;
  }
  const object = value as JsonObject;
  let text = '{';
  for (const key of sortedKeys(object)) {
    const member = object[key];
    if (member === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(key)}:${canonicalText(member)}`;
  }
  return `${text}}`;
}

/** Keys in code-unit order. Most objects are written in that order already, so look before sorting. */
function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  for (let index = 1; index < keys.length; index++) {
    if ((keys[index - 1] as string) > (keys[index] as string)) return keys.sort();
  }
  return keys;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
