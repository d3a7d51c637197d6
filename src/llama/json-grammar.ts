/** From a JSON schema to a grammar that holds a reply to it: to its fields, in their order, and to the scale of its numbers. */

import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';

/** What is written between tokens: one space, so that no reply is spent on white space. */
const SPACE = 'space ::= " "?';

/** Numbers as a judge writes them: enough digits for any scale, and an end. */
const COMMON: readonly string[] = [
  SPACE,
  'fraction ::= "." [0-9]{1,6}',
  'zeros ::= "." "0"{1,6}',
  'integer ::= "-"? ("0" | [1-9] [0-9]{0,14})',
  'number ::= integer fraction?',
  'boolean ::= "true" | "false"',
  'null ::= "null"',
  String.raw`string ::= "\"" ([^"\\\x00-\x1f] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}))* "\""`,
  'value ::= object | array | string | number | boolean | null',
  'object ::= "{" space (string space ":" space value (space "," space string space ":" space value)*)? space "}"',
  'array ::= "[" space (value (space "," space value)*)? space "]"',
];

/** More values than this are not written out one by one. */
const MOST_INTEGERS = 1000;

/** Undefined for a schema that says what no grammar here can hold a reply to. */
export function jsonGrammar(schema: Json): string | undefined {
  const rule = ruleOf(schema);
  return rule === undefined ? undefined : [`root ::= ${rule}`, ...COMMON].join('\n');
}

const literal = (value: Json): string => JSON.stringify(JSON.stringify(value));
const either = (rules: readonly string[]): string => `(${rules.join(' | ')})`;

function ruleOf(schema: Json): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  if (schema.const !== undefined) return literal(schema.const);
  if (Array.isArray(schema.enum)) return either((schema.enum as readonly Json[]).map(literal));
  switch (schema.type) {
    case 'object':
      return objectRule(schema);
    case 'array': {
      if (schema.items === undefined) return 'array';
      const item = ruleOf(schema.items);
      return item === undefined ? undefined : `"[" space (${item} (space "," space ${item})*)? space "]"`;
    }
    case 'number':
      return between(schema, { above: 'fraction?', on: 'zeros?' }) ?? 'number';
    case 'integer':
      return between(schema, { above: '', on: '' }) ?? 'integer';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    default:
      return undefined;
  }
}

function objectRule({ properties }: JsonObject): string | undefined {
  if (!isJsonObject(properties)) return 'object';
  const members: string[] = [];
  for (const [name, value] of Object.entries(properties)) {
    const rule = value === undefined ? undefined : ruleOf(value);
    if (rule === undefined) return undefined;
    members.push(`${literal(name)} space ":" space ${rule}`);
  }
  return `"{" space ${members.join(' space "," space ')} space "}"`;
}

/**
 * The numbers of a scale: each integer, and what lies beyond it towards the other end.
 *
 * @param above what may follow an integer whose fractions are on the scale; `on` where only itself is
 */
function between(
  { minimum, maximum }: JsonObject,
  { above, on }: { readonly above: string; readonly on: string },
): string | undefined {
  if (typeof minimum !== 'number' || typeof maximum !== 'number') return undefined;
  const [lowest, highest] = [Math.ceil(minimum), Math.floor(maximum)];
  if (highest < lowest || highest - lowest > MOST_INTEGERS) return undefined;
  const integers = Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index);
  // A fraction leads away from zero, so the ends of the scale have none.
  const rules = integers.map((value) => {
    const beyond = value >= 0 ? value + 1 <= maximum : value - 1 >= minimum;
    return `"${value}" ${beyond ? above : on}`.trim();
  });
  return either(lowest < 0 && highest > 0 && above !== '' ? ['"-0" fraction', ...rules] : rules);
}
