/** The strict JSON schema that structured output takes, made from the zod schema that will read the reply. */

import { z } from 'zod';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';

/**
 * The JSON schema of a zod object: every object closed (`additionalProperties: false`), every property required, keys
 * in canonical order, so that the same zod schema always gives the same bytes.
 *
 * @throws RangeError on an optional property: strict schemas have none, `nullable` says the same.
 */
export function jsonSchemaOf(schema: z.ZodObject): JsonObject {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'output' });
  return strict(json as Json) as JsonObject;
}

function strict(value: Json): Json {
  if (Array.isArray(value)) return value.map((member) => strict(member as Json));
  if (!isJsonObject(value)) return value;
  const closed: Record<string, Json> = {};
  const members: JsonObject = isJsonObject(value.properties) ? closedObject(value) : value;
  for (const name of Object.keys(members).sort()) {
    const member = members[name];
    if (member === undefined) continue;
    closed[name] = name === 'properties' && isJsonObject(member) ? mapped(member) : strict(member);
  }
  return closed;
}

/** A map from property names to schemas, whose own keys are names and not schema words. */
function mapped(properties: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.keys(properties)
      .sort()
      .map((name) => [name, strict(properties[name] as Json)]),
  );
}

function closedObject(object: JsonObject): JsonObject {
  const names = Object.keys(object.properties as JsonObject);
  const required = new Set(object.required as string[] | undefined);
  const optional = names.find((name) => !required.has(name));
  if (optional !== undefined) throw new RangeError(`${optional} is optional, which a strict schema cannot say`);
  return { ...object, additionalProperties: false, required: names.sort() };
}
