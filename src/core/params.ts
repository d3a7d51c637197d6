/**
 * Marks on a kind's parameter schema that say how a written value becomes the value that enters keys. A schema always
 * describes the *resolved* value; `src/pipeline` reads the marks, resolves, then checks.
 */

import { z } from 'zod';
import type { ModelRef } from './call.ts';
import type { JsonObject } from './json.ts';

export type ParamMark =
  /** Written as a path; resolves to the parsed YAML of that file, whose own marks are resolved in turn. */
  | 'yaml-file'
  /** Written as a path; resolves to the text of that file. */
  | 'text-file'
  /** Written as an alias; resolves to a {@link ModelRef} by the profile's provider file. */
  | 'model'
  /** Written as a path relative to pipeline.yaml; resolves to an absolute path. */
  | 'path';

const MARK = 'cjeParam';

function mark<S extends z.ZodType>(schema: S, name: ParamMark): S {
  return schema.meta({ [MARK]: name }) as S;
}

/** The mark on a schema, seen through optional, nullable, default and readonly wrappers. */
export function paramMark(schema: z.ZodType): { mark: ParamMark; schema: z.ZodType } | undefined {
  let current: z.ZodType | undefined = schema;
  while (current !== undefined) {
    const found = (current.meta() as Record<string, unknown> | undefined)?.[MARK];
    if (found !== undefined) return { mark: found as ParamMark, schema: current };
    current = (current.def as { innerType?: z.ZodType }).innerType;
  }
  return undefined;
}

export function yamlFile<S extends z.ZodType>(content: S): S {
  return mark(content, 'yaml-file');
}

export function textFile() {
  return mark(z.string(), 'text-file');
}

export function sourcePath() {
  return mark(z.string(), 'path');
}

const dialect = z.strictObject({
  template: z.string(),
  bos: z.enum(['server', 'prompt']),
  tokenLimit: z.enum(['max_tokens', 'max_completion_tokens']),
  temperature: z.boolean(),
  echoTokens: z.union([z.literal(0), z.literal(1)]),
  extra: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
});

export function modelRef(): z.ZodType<ModelRef> {
  return mark(z.strictObject({ identity: z.string(), model: z.string(), dialect }), 'model');
}
