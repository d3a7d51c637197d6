/** From a raw reply to a typed one, with a problem that names the field when it is not one. */

import type { z } from 'zod';
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
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ok: true, value: read(parsed.data) };
  const issue = parsed.error.issues[0]!;
  const field = issue.path.length === 0 ? 'the reply' : issue.path.join('.');
  return { ok: false, problem: `${field}: ${issue.message}` };
}
