/** Drives an item's generator against the store: asks, looks up, answers, until it returns or a reply is missing. */

import type { Answer, KeyedCall, PermanentFailure, Request, Usage } from '../core/call.ts';
import type { JsonObject } from '../core/json.ts';
import type { RowGenerator } from '../core/kind.ts';
import type { Known } from '../core/storage.ts';
import { keyCall } from './keys.ts';

/** Turns what is known into the generator's answer; a reply that its schema does not admit is a permanent failure. */
export function answerOf(request: Request, known: Known, reply = replyOf(known)): Answer<unknown> {
  if (known.type === 'failure') return { ok: false, failure: known.failure };
  if (reply === undefined) return unusable('the reply is not JSON');
  return decodedAnswer(request, reply.raw, known.stored.usage);
}

/** A stored reply's body, parsed; undefined for a failure and for what is no JSON. */
export function replyOf(known: Known): { readonly raw: unknown } | undefined {
  if (known.type === 'failure') return undefined;
  if (known.reply !== undefined) return { raw: known.reply };
  try {
    return { raw: JSON.parse(known.stored.raw) };
  } catch {
    return undefined;
  }
}

/** The answer that a reply's body is. */
export function decodedAnswer(request: Request, raw: unknown, usage: Usage): Answer<unknown> {
  const decoded = request.decode(raw);
  return decoded.ok ? { ok: true, reply: decoded.value, usage } : unusable(decoded.problem, decoded.reason);
}

function unusable(
  message: string,
  reason: PermanentFailure['reason'] = 'malformed_reply',
): { readonly ok: false; readonly failure: PermanentFailure } {
  return { ok: false, failure: { class: 'permanent', reason, message } };
}

/** Told of a call that was answered, with the reply's body where one came. */
export type Seen = (call: KeyedCall, known: Known, raw: unknown) => void;

type Drive = { readonly done: true; readonly row: JsonObject } | { readonly done: false; readonly missing: KeyedCall };

/**
 * Runs a generator from the answer it waits for (undefined to start it) until it returns or asks what is not known.
 *
 * @param seen called for every call that was answered from the store.
 */
export function drive(
  generator: RowGenerator,
  answer: Answer<unknown> | undefined,
  known: (call: KeyedCall) => Known | undefined,
  seen: Seen,
): Drive {
  let step = answer === undefined ? generator.next() : generator.next(answer);
  while (!step.done) {
    const call = keyCall(step.value);
    const found = known(call);
    if (found === undefined) return { done: false, missing: call };
    const reply = replyOf(found);
    seen(call, found, reply?.raw);
    step = generator.next(answerOf(call.request, found, reply));
  }
  return { done: true, row: step.value };
}
