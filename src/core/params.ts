/**
 * Marks on a kind's parameter schema that say how a written value becomes the value that enters keys. A schema always
 * describes the *resolved* value; `src/pipeline` reads the marks, resolves, then checks.
 */

import { z } from 'zod';
import type { ModelRef } from './call.ts';
import type { ProblemId } from './catalogue.ts';
import type { JsonObject } from './json.ts';
import { pricesFile } from './prices.ts';

export type ParamMark =
  /** Written as a path; resolves to the parsed YAML of that file, whose own marks are resolved in turn. */
  | 'yaml-file'
  /** Written as the path of a price table; resolves to its content, with providers' names also as their identities. */
  | 'prices-file'
  /** Written as a path; resolves to the text of that file. */
  | 'text-file'
  /** Written as an alias; resolves to a {@link ModelRef} by the profile's provider file. */
  | 'model'
  /** Written as a path relative to pipeline.yaml; resolves to an absolute path. */
  | 'path';

const MARK = 'cjeParam';
const PATH_OPTIONS = 'cjePath';

/** What a path parameter takes beside a path. */
interface PathOptions {
  /** Words that stand for themselves, such as `simulated`. */
  readonly keep?: readonly string[];
  /** Leave `http://` and `https://` addresses as they are. */
  readonly urls?: boolean;
  /** A file that is not there (yet) is no mistake. */
  readonly optional?: boolean;
}

/**
 * Where in a resolved text a custom issue stands. A schema that finds fault with the content of a text file, a YAML file
 * or any other parameter reports it as
 * `context.addIssue({ code: 'custom', path: ['template'], message, params: { offset, width, hint } satisfies IssueDetail })`.
 * The message becomes the headline. If the issue's path leads to a text, `offset` counts UTF-16 units from its start, and
 * the caret lands in the text file itself; without it the caret is at the file's first line.
 */
export interface IssueDetail {
  /** What kind of mistake it is; `CJE-BAD-VALUE` unless told. */
  readonly id?: ProblemId;
  readonly offset?: number;
  /** UTF-16 units to underline. */
  readonly width?: number;
  /** One sentence: what to do. */
  readonly hint?: string;
  /** It is the stage that is wrong, whatever file shows it: told once, with all of its nodes. */
  readonly ofStage?: true;
}

/** Metadata keys of the marks; not part of what a JSON Schema of the parameters should show. */
export const MARK_KEYS: readonly string[] = [MARK, PATH_OPTIONS];

function mark<S extends z.ZodType>(schema: S, name: ParamMark, more: Record<string, unknown> = {}): S {
  return schema.meta({ [MARK]: name, ...more }) as S;
}

/** The schema that a wrapper such as `.optional()`, or a pipe, puts in front of. */
export function innerSchema(schema: z.ZodType): z.ZodType | undefined {
  const definition = schema.def as { innerType?: z.ZodType; in?: z.ZodType; out?: z.ZodType };
  if (definition.innerType !== undefined) return definition.innerType;
  // A preprocessing pipe begins with a bare transform; what it leads to says more.
  return definition.in?.def.type === 'transform' ? definition.out : definition.in;
}

export interface FoundMark {
  readonly mark: ParamMark;
  /** The marked schema, which describes the resolved value. */
  readonly schema: z.ZodType;
  readonly path: PathOptions;
}

/** The mark on a schema, seen through optional, nullable, default, readonly and pipe wrappers; not through unions. */
export function paramMark(schema: z.ZodType): FoundMark | undefined {
  let current: z.ZodType | undefined = schema;
  while (current !== undefined) {
    const meta = current.meta() as Record<string, unknown> | undefined;
    const found = meta?.[MARK];
    if (found !== undefined) {
      return { mark: found as ParamMark, schema: current, path: (meta?.[PATH_OPTIONS] as PathOptions) ?? {} };
    }
    current = innerSchema(current);
  }
  return undefined;
}

export function yamlFile<S extends z.ZodType>(content: S): S {
  return mark(content, 'yaml-file');
}

/** A price table. */
export function pricesPath() {
  return mark(pricesFile, 'prices-file');
}

export function textFile() {
  return mark(z.string(), 'text-file');
}

/** A file or, if told, a URL or one of some words. */
export function sourcePath(options: PathOptions = {}) {
  return mark(z.string(), 'path', { [PATH_OPTIONS]: options });
}

const dialect = z.strictObject({
  template: z.string(),
  bos: z.enum(['server', 'prompt']),
  tokenLimit: z.enum(['max_tokens', 'max_completion_tokens']),
  temperature: z.boolean(),
  echoTokens: z.union([z.literal(0), z.literal(1)]),
  jinja: z
    .strictObject({
      source: z.string(),
      bos: z.string().nullable(),
      variables: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
      special: z.array(z.string()),
    })
    .exactOptional(),
  forcing: z.enum(['ids', 'generate', 'text', 'chat']).exactOptional(),
  json: z.enum(['object', 'none']).exactOptional(),
  extra: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
});

const model = z.strictObject({
  identity: z.string(),
  model: z.string(),
  dialect,
  protocol: z.literal('anthropic-messages').exactOptional(),
});

export function modelRef(): z.ZodType<ModelRef> {
  return mark(model, 'model');
}
