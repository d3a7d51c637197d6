/** Looks into zod schemas: what stands under a key, which keys there are, which branch of a union a value takes. */

import type { z } from 'zod';
import { innerSchema, paramMark } from '../core/params.ts';
import { plain, type Tree } from './tree.ts';

interface Definition {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly rest?: z.ZodType | null;
  readonly options?: readonly z.ZodType[];
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly getter?: () => z.ZodType;
  readonly catchall?: z.ZodType;
}

export const definition = (schema: z.ZodType): Definition => schema.def as Definition;

/** The schema without the wrappers around it. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema;
  for (;;) {
    const next = definition(current).type === 'lazy' ? definition(current).getter?.() : innerSchema(current);
    if (next === undefined) return current;
    current = next;
  }
}

/** The parts of a union or intersection that may describe this value; the schema itself otherwise. */
export function branches(schema: z.ZodType): readonly z.ZodType[] {
  const inner = unwrap(schema);
  const { type, options, left, right } = definition(inner);
  if (type === 'union') return (options ?? []).flatMap(branches);
  if (type === 'intersection') return [left!, right!].flatMap(branches);
  return [inner];
}

/** The schema under a key or index, if some branch knows one. */
export function childSchema(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  for (const branch of branches(schema)) {
    const { type, shape, element, valueType, items, rest, catchall } = definition(branch);
    if (type === 'object') {
      const found = Object.hasOwn(shape ?? {}, key) ? shape?.[String(key)] : undefined;
      if (found !== undefined) return found;
      if (catchall !== undefined && definition(catchall).type !== 'never') return catchall;
    }
    if (type === 'array' && element !== undefined) return element;
    if (type === 'record' && valueType !== undefined) return valueType;
    if (type === 'tuple') return items?.[Number(key)] ?? rest ?? undefined;
  }
  return undefined;
}

/** The schema at the end of a path. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let current: z.ZodType | undefined = schema;
  for (const step of path) current = current === undefined ? undefined : childSchema(current, step);
  return current;
}

/** The keys that an object schema spells out, over all branches. */
export function keysOf(schema: z.ZodType): string[] {
  return [...new Set(branches(schema).flatMap((branch) => Object.keys(definition(branch).shape ?? {})))];
}

/** True where an object schema would silently drop keys that it does not know. */
export function dropsUnknownKeys(schema: z.ZodType): boolean {
  const found = branches(schema);
  return (
    found.length > 0 &&
    found.every((branch) => definition(branch).type === 'object') &&
    found.some((branch) => definition(branch).catchall === undefined)
  );
}

/**
 * The branch of a union that a written value takes: one whose resolved form it already has (a word such as `simulated`)
 * stays as it is; else the one marked branch, whose written form it must be.
 */
export function writtenBranch(schema: z.ZodType, tree: Tree): z.ZodType {
  if (paramMark(schema) !== undefined) return schema;
  const inner = unwrap(schema);
  if (definition(inner).type !== 'union') return schema;
  const options = definition(inner).options ?? [];
  const marked = options.filter((option) => paramMark(option) !== undefined);
  if (marked.length !== 1) return schema;
  const value = plain(tree);
  const taken = options.find((option) => paramMark(option) === undefined && option.safeParse(value).success);
  return taken ?? marked[0]!;
}
