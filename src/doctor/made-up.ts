/** An item that no data stands behind: what a kind makes of rows that are made up to the types of its inputs. */

import { toJSONSchema } from 'zod';
import type { GraphNode } from '../core/graph.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { CallsKind, Input, Inputs, RowType } from '../core/kind.ts';

/** What is asked, or scored. */
export interface ToyItem {
  readonly prompt: string;
  readonly response: string;
}

/** The first item of a node whose upstream nodes have one row each; undefined where it makes none of them. */
export function madeUpItem(
  kind: CallsKind<unknown, unknown>,
  params: JsonObject,
  inputs: GraphNode['inputs'],
  toy: ToyItem,
): unknown {
  const columns = columnsIn(params);
  const [first] = Object.keys(kind.inputs);
  const input = (name: string): Input => {
    const usual = kind.inputs[name]?.rows?.[0];
    // What is compared with the first input says something else: a text need not be compared with itself.
    const said = { ...toy, columns, ...(name === first ? {} : { response: `${toy.response} ${ANOTHER}` }) };
    return {
      summary: { items: 1, statuses: { ok: 1 }, calls: [] },
      rows: <R extends JsonObject = JsonObject>(type?: RowType<R>) => [rowOf(type ?? usual, said) as R],
      text: () => '',
      files: () => [],
    };
  };
  const made: Inputs = {
    one: input,
    many: (name) => new Map((inputs[name]?.nodes ?? []).map(({ label }) => [label, input(name)])),
    has: (name) => Object.hasOwn(inputs, name),
  };
  for (const item of kind.items(params, made)) return item;
  return undefined;
}

const ANOTHER = 'That is one way to see it.';

interface MadeUpTexts extends ToyItem {
  readonly columns: JsonObject;
}

/** What rows of a type have. A node is probed by dozens of items of one type, so each is described once. */
const schemas = new WeakMap<RowType, Schema>();

function schemaOf(type: RowType): Schema {
  const known = schemas.get(type) ?? (toJSONSchema(type.schema(), { unrepresentable: 'any' }) as Schema);
  schemas.set(type, known);
  return known;
}

function rowOf(type: RowType | undefined, { prompt, response, columns }: MadeUpTexts): JsonObject {
  const said: JsonObject = { prompt_id: 'doctor', prompt, response, status: 'ok' };
  if (type === undefined) return said;
  const schema = schemaOf(type);
  const row = madeUp(schema) as JsonObject;
  // What rows may have beside what they must: a template may ask for it.
  const extras: JsonObject = { reference: response, columns };
  const more = Object.entries(extras).filter(([name]) => schema.properties?.[name] !== undefined);
  return {
    ...Object.fromEntries(Object.entries(row).map(([name, value]) => [name, said[name] ?? value])),
    ...Object.fromEntries(more),
  };
}

/** The columns that a template among the parameters asks for, each with a text. */
function columnsIn(params: JsonObject): JsonObject {
  const texts = JSON.stringify(params).matchAll(/\{\{\s*columns\.([^{}\s]+)\s*\}\}/g);
  return Object.fromEntries([...texts].map(([, name]) => [name!, 'doctor']));
}

/** The part of a JSON Schema that types of rows are written in. */
interface Schema {
  readonly type?: string;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** The plainest value of a schema: of several forms the first. */
function madeUp(schema: Schema): Json {
  const form = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (form !== undefined) return madeUp(form);
  const said = schema.const ?? schema.enum?.[0];
  if (said !== undefined) return said;
  switch (schema.type) {
    case 'string':
      return 'doctor';
    case 'number':
    case 'integer':
      return Math.max(0, schema.minimum ?? 0);
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((name) => [name, madeUp(schema.properties?.[name] ?? {})]));
    default:
      return null;
  }
}
