/** From a raw reply to a typed one, with a problem that names the field when it is not one. */

import { z } from 'zod';
import type { Decoded } from '../../core/call.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Verdict } from '../../core/protocol.ts';

/** @param judge says whether the reply is an answer at all; a reply that was kept before it was asked is judged here. */
export function decoded<S extends z.ZodType, R>(
  schema: S,
  judge: (reply: JsonObject) => Verdict,
  raw: unknown,
  read: (reply: z.output<S>) => R,
): Decoded<R> {
  if (!isJsonObject(raw)) return { ok: false, problem: 'the reply is no JSON object' };
  const verdict = judge(raw);
  switch (verdict.type) {
    case 'no-answer':
      return { ok: false, problem: verdict.message, reason: verdict.reason };
    case 'error':
      return { ok: false, problem: verdict.message };
    case 'answer':
      break;
  }
  const parsed = reader(schema).safeParse(raw);
  if (parsed.success) return { ok: true, value: read(parsed.data) };
  const issue = parsed.error.issues[0]!;
  const field = issue.path.length === 0 ? 'the reply' : issue.path.join('.');
  return { ok: false, problem: `${field}: ${issue.message}` };
}

/** Replies of one kind after which compiling their schema pays for itself. */
const MANY = 500;

interface Readings {
  count: number;
  /** The schema as compiled code, which reads the same values with the same complaints. */
  compiled: z.ZodType | undefined;
}

const readings = new WeakMap<z.ZodType, Readings>();

/** The schema itself for the first replies, and its compiled form for the many of a large build. */
function reader<S extends z.ZodType>(schema: S): S {
  let known = readings.get(schema);
  if (known === undefined) {
    known = { count: 0, compiled: undefined };
    readings.set(schema, known);
  }
  if (known.compiled === undefined && ++known.count > MANY) known.compiled = z.compile(schema);
  return (known.compiled ?? schema) as S;
}
