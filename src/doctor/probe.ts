/**
 * Probes: generators that ask and are answered, as kinds are. A probe sees every failure, the transient and the fatal
 * ones too, because what a kind is spared is what it is looking for.
 */

import type { Answer, CallFailure, Request } from '../core/call.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { CallsKind } from '../core/kind.ts';

/** What a probe is answered: a parsed reply body, or why there is none. */
export type ProbeReply =
  | { readonly ok: true; readonly raw: JsonObject }
  | { readonly ok: false; readonly failure: CallFailure };

export type Probe<R> = Generator<Request, R, ProbeReply>;

export type CheckStatus =
  /** As the pipeline needs it. */
  | 'ok'
  /** Worth knowing. */
  | 'note'
  /** The pipeline runs, and something will be lost or is not what it seems. */
  | 'warning'
  /** The pipeline fails on it. */
  | 'failure';

/** One line of the doctor's findings. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found, in words. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
}

export function check(name: string, status: CheckStatus, detail: string, hint?: string): Check {
  return { name, status, detail, ...(hint === undefined ? {} : { hint }) };
}

/** One request of a row, and what came back. */
export interface ProbeExchange {
  readonly request: Request;
  readonly reply: ProbeReply;
}

/** A row of a kind, made from a real server's replies; `row` is undefined where the kind was given no answer. */
export interface RowResult {
  readonly row: JsonObject | undefined;
  readonly exchanges: readonly ProbeExchange[];
  /** The last call's failure, if it failed. */
  readonly failure: CallFailure | undefined;
}

/** Drives a kind's own generator, so that what is probed is what a stage sends and how it reads the answer. */
export function* rowOf(kind: CallsKind<unknown, unknown>, item: unknown, params: unknown): Probe<RowResult> {
  const generator = kind.row(item, params);
  const exchanges: ProbeExchange[] = [];
  let failure: CallFailure | undefined;
  let step = generator.next();
  while (!step.done) {
    const request = step.value;
    const reply = yield request;
    exchanges.push({ request, reply });
    const answer = answerOf(request, reply);
    failure = answer.ok ? undefined : answer.failure;
    if (!answer.ok && answer.failure.class !== 'permanent') return { row: undefined, exchanges, failure };
    step = generator.next(answer as Answer<unknown>);
  }
  return { row: step.value, exchanges, failure };
}

type ProbeAnswer = Answer<unknown> | { readonly ok: false; readonly failure: CallFailure };

function answerOf(request: Request, reply: ProbeReply): ProbeAnswer {
  if (!reply.ok) return reply;
  const decoded = request.decode(reply.raw);
  if (!decoded.ok) {
    const { problem: message, reason = 'malformed_reply' } = decoded;
    return { ok: false, failure: { class: 'permanent', reason, message } };
  }
  // Tokens are counted where they are billed; no kind reads them but to pass them on.
  return { ok: true, reply: decoded.value, usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 } };
}

/** The last reply body of a row; undefined where the last call brought none. */
export function lastReply({ exchanges }: RowResult): JsonObject | undefined {
  const last = exchanges.at(-1)?.reply;
  return last?.ok ? last.raw : undefined;
}

/** The first choice of a reply body. */
export function choiceOf(raw: JsonObject | undefined): JsonObject {
  const choices = raw?.choices;
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  return isJsonObject(choice) ? choice : {};
}

/** The model that a reply says it is from. */
export const modelOf = (raw: JsonObject | undefined): string | undefined =>
  typeof raw?.model === 'string' ? raw.model : undefined;

export const failureText = (failure: CallFailure): string =>
  `${failure.reason.replaceAll('_', ' ')}: ${failure.message}`;
