/** A JSON Schema of pipeline.yaml for editors: completion and checks while one types. */

import { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import { type Kind, mayBeAbsent, takesMany } from '../core/kind.ts';
import { MARK_KEYS, type ParamMark, paramMark } from '../core/params.ts';
import { pipelineFile } from './schema.ts';

const WRITTEN: Readonly<Record<ParamMark, string>> = {
  'yaml-file': 'The path of a YAML file, from the folder of pipeline.yaml.',
  'prices-file': 'The path of a price table, from the folder of pipeline.yaml.',
  'text-file': 'The path of a text file, from the folder of pipeline.yaml.',
  model: 'An alias under `models:` in the provider file of the profile.',
  path: 'The path of a file, from the folder of pipeline.yaml.',
};

const REFERENCE: JsonObject = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' };

type Schema = Record<string, unknown>;

/** The schema, draft 2020-12, with each kind's inputs and parameters in the form in which they are written. */
export function pipelineJsonSchema(kinds: ReadonlyMap<string, Kind>): JsonObject {
  const schema = z.toJSONSchema(pipelineFile, { io: 'input', unrepresentable: 'any' }) as Schema;
  const properties = schema.properties as Record<string, Schema>;
  const stage = properties.stages!.additionalProperties as Schema;
  const names = [...kinds.keys()];
  (stage.properties as Record<string, Schema>).kind = {
    oneOf: [...new Map([...kinds.values()].map((kind) => [writtenName(kind), kind.about]))].map(([name, about]) => ({
      const: name,
      description: about,
    })),
  };
  stage.allOf = names.map((name) => {
    const kind = kinds.get(name)!;
    const required = Object.entries(kind.inputs).flatMap(([input, { arity }]) => (mayBeAbsent(arity) ? [] : [input]));
    return {
      if: conditionOf(kind),
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        properties: { params: paramsSchema(kind.params), inputs: inputsSchema(kind, required) },
        ...(required.length > 0 ? { required: ['inputs'] } : {}),
      },
    };
  });
  return { ...schema, title: 'cje pipeline' } as JsonObject;
}

/** What stands behind `kind:`; variants of one kind are told apart by a parameter. */
const writtenName = ({ name, variant }: Kind): string => variant?.of ?? name;

function conditionOf(kind: Kind): Schema {
  const { variant } = kind;
  const params =
    variant === undefined
      ? {}
      : { params: { properties: { [variant.param]: { const: variant.word } }, required: [variant.param] } };
  return { properties: { kind: { const: writtenName(kind) }, ...params }, required: ['kind', ...Object.keys(params)] };
}

/** The schema of a config file of its own, such as a policy's: what the parameter of that name takes. */
export function configJsonSchema(params: z.ZodType, title: string): JsonObject {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...fileSchema(params), title } as JsonObject;
}

function inputsSchema(kind: Kind, required: readonly string[]): Schema {
  const one = { type: 'string', description: 'A node.' };
  const many = {
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
    description: 'A glob over nodes, or a list of globs.',
  };
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(kind.inputs).map(([name, { arity }]) => [name, takesMany(arity) ? many : one]),
    ),
    required,
    additionalProperties: false,
  };
}

/** Parameters as they are written: marked ones as texts, and a `${name}` wherever a value may stand. */
function paramsSchema(params: z.ZodType): Schema {
  return writtenSchema(params, 'node');
}

const fileSchema = (content: z.ZodType): Schema => writtenSchema(content, 'file');

/** @param where `${name}` may stand in pipeline.yaml alone; a file's own root is marked as one, and is described all the same. */
function writtenSchema(params: z.ZodType, where: 'node' | 'file'): Schema {
  const schema = z.toJSONSchema(params, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema, path }) => {
      const target = jsonSchema as Schema;
      const found = zodSchema instanceof z.ZodType ? paramMark(zodSchema) : undefined;
      for (const key of MARK_KEYS) delete target[key];
      if (found !== undefined && (where === 'node' || path.length > 0)) {
        const { description } = target;
        for (const key of Object.keys(target)) if (key !== 'default') delete target[key];
        target.type = 'string';
        target.description = [description, WRITTEN[found.mark]].filter((text) => text !== undefined).join(' ');
        return;
      }
      // A text may hold a reference as it is; the parameters as a whole may not be one.
      if (where === 'file' || path.length === 0 || target.type === 'string' || target.anyOf !== undefined) return;
      const { default: fallback, description, ...value } = target;
      for (const key of Object.keys(target)) delete target[key];
      Object.assign(target, {
        anyOf: [value, REFERENCE],
        ...(fallback === undefined ? {} : { default: fallback }),
        ...(description === undefined ? {} : { description }),
      });
    },
  }) as Schema;
  const { $schema: _, ...rest } = schema;
  return rest;
}
