/** From a raw reply to a typed one, with a problem that names the field when it is not one. */

import type { z } from 'zod';
import type { Decoded } from '../../core/call.ts';

export function decoded<S extends z.ZodType, R>(schema: S, raw: unknown, read: (reply: z.output<S>) => R): Decoded<R> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ok: true, value: read(parsed.data) };
  const issue = parsed.error.issues[0]!;
  const field = issue.path.length === 0 ? 'the reply' : issue.path.join('.');
  return { ok: false, problem: `${field}: ${issue.message}` };
}
