/** What a failed exchange means: asking again is pointless, may help, or is pointless for the whole provider. */

import type { FatalFailure, PermanentFailure, TransientFailure } from '../core/call.ts';
import { isJsonObject } from '../core/json.ts';
import type { HeaderReader, Protocol, ServerError } from '../core/protocol.ts';
import { headline, readError } from '../protocols/shared/errors.ts';

/** How one try to send an order ended. */
export type Exchange =
  /** A reply with a status of success; `raw` is its body as received. */
  | {
      readonly type: 'reply';
      readonly status: number;
      readonly raw: string;
      /** The body parsed, where that was done before. */
      readonly parsed?: unknown;
      readonly header: HeaderReader;
    }
  /** Any other status; `body` is parsed where it is JSON, and a text where it is not. */
  | { readonly type: 'status'; readonly status: number; readonly body: unknown; readonly header: HeaderReader }
  | { readonly type: 'timeout'; readonly seconds: number }
  /** `sent` is false where no connection was made, so that the server cannot have worked. */
  | { readonly type: 'connection'; readonly sent: boolean; readonly untrusted?: boolean; readonly detail: string }
  | { readonly type: 'aborted' };

export interface Classified {
  readonly failure: PermanentFailure | TransientFailure | FatalFailure;
  /** Set where a fatal failure may be an accident, so that only several equal ones stop the provider. */
  readonly ambiguous: boolean;
  /** Set where the server may have done, and billed, the work. */
  readonly maybeBilled: boolean;
}

const permanent = (reason: PermanentFailure['reason'], message: string): Classified => ({
  failure: { class: 'permanent', reason, message },
  ambiguous: false,
  maybeBilled: false,
});
const transient = (reason: TransientFailure['reason'], message: string, maybeBilled = false): Classified => ({
  failure: { class: 'transient', reason, message },
  ambiguous: false,
  maybeBilled,
});
const fatal = (reason: FatalFailure['reason'], message: string, ambiguous = false): Classified => ({
  failure: { class: 'fatal', reason, message },
  ambiguous,
  maybeBilled: false,
});

/** Judges every exchange that brought no usable reply. A reply comes here only when it is not a JSON object. */
export function classify(
  exchange: Exclude<Exchange, { type: 'aborted' }>,
  protocol: Pick<Protocol, 'errorOf'>,
): Classified {
  switch (exchange.type) {
    case 'reply':
      return classifyReply(exchange.status, exchange.raw, protocol);
    case 'status':
      if (exchange.status >= 300 && exchange.status < 400) return classifyRedirect(exchange.status, exchange.header);
      return classifyStatus(exchange.status, protocol.errorOf(exchange.body));
    case 'timeout':
      return transient('timeout', `no answer within ${exchange.seconds} s`, true);
    case 'connection':
      if (exchange.untrusted) return fatal('untrusted', exchange.detail);
      return transient('connection', exchange.detail, exchange.sent);
  }
}

/** Redirects are not followed: another host would be handed the credential. Queries may hold secrets. */
function classifyRedirect(status: number, header: HeaderReader): Classified {
  const location = header('location')?.replace(/[?#].*$/s, '') ?? '';
  const to = location === '' ? 'somewhere it does not name' : headline(location);
  return fatal('moved', `${status} to ${to}: is base_url right?`);
}

/** A status of success over a body that is no answer: cut short, a proxy's page, or an error in disguise. */
function classifyReply(status: number, raw: string, protocol: Pick<Protocol, 'errorOf'>): Classified {
  const body = parse(raw);
  if (isJsonObject(body) && body.error !== undefined && body.error !== null) {
    const told = protocol.errorOf(body);
    const named = namedStatus(body.error, told) ?? 500;
    const classified = classifyStatus(named, told);
    // A server that answered 200 had begun to work, unless it says itself that it never took the request.
    return named < 500 ? classified : { ...classified, maybeBilled: true };
  }
  const excerpt = raw.trim() === '' ? 'an empty body' : `"${raw.trim().slice(0, 80)}"`;
  return transient('bad_reply', `status ${status} came with ${excerpt} in place of a JSON object`, true);
}

/** An error inside of what a server made: it was asked too often, or it broke down while it answered. */
export function classifyInside({ message, error }: { readonly message: string; readonly error?: unknown }): Classified {
  const told = readError({ error });
  return namedStatus(error, told) === 429 ? classifyStatus(429, told) : transient('server_error', message, true);
}

/** The status that an error names where HTTP's says success, by number or by what others send with it. */
function namedStatus(error: unknown, told: ServerError): number | undefined {
  const code = isJsonObject(error) ? Number(error.code ?? error.status_code) : Number.NaN;
  if (code >= 400 && code < 600) return code;
  return isOverRate(asking(told)) ? 429 : undefined;
}

/** Judges an error status by the status, then by what the body says, in the forms that servers are known to use. */
export function classifyStatus(status: number, told: ServerError): Classified {
  const error = asking(told);
  const message = `${status} ${error.message}`;
  switch (status) {
    case 400:
    case 422:
      if (error.is(QUOTA_CODES)) return fatal('no_credit', message);
      if (isOverRate(error)) return transient('rate_limited', message);
      if (error.is(KEY_CODES) || error.says(KEY_WORDS)) return fatal('bad_key', message);
      return aboutRequest(error, message);
    case 401:
      return fatal('bad_key', message);
    case 402:
      return fatal('no_credit', message);
    case 403:
      if (error.is(QUOTA_CODES) || error.says(QUOTA_WORDS)) return fatal('no_credit', message);
      if (isOverRate(error)) return transient('rate_limited', message);
      if (error.is(MODEL_CODES)) return fatal('unknown_model', message);
      if (error.is(FILTER_CODES) || error.says(FILTER_WORDS)) return permanent('filtered', message);
      return fatal('not_allowed', message, !error.is(REGION_CODES));
    case 404:
    case 410:
      return fatal('unknown_model', message, !(error.is(MODEL_CODES) || error.says(/\bmodel\b/i)));
    case 408:
      return transient('timeout', message);
    case 409:
      return transient('server_error', message);
    case 412:
      if (error.says(QUOTA_WORDS)) return fatal('no_credit', message);
      return fatal('unknown_model', message, true);
    case 413:
      return permanent('context_overflow', message);
    case 425:
      return transient('overloaded', message);
    case 429:
      if (error.is(QUOTA_CODES) || error.says(QUOTA_WORDS)) return fatal('no_credit', message);
      // The request alone is more than a minute's allowance, so no waiting makes it fit.
      if (error.says(/^request too large\b/i)) return permanent('rejected', message);
      return transient('rate_limited', message);
    case 451:
      return permanent('filtered', message);
    case 500:
      return transient('server_error', message);
    case 501:
      return permanent('rejected', message);
    case 502:
      return transient('server_error', message, true);
    case 503:
    case 529:
      if (error.is(ENGINE_CODES)) return fatal('engine_lost', error.message);
      return transient('overloaded', message);
    case 504:
    case 524:
      return transient('timeout', message, true);
    default:
      if (status >= 500) return transient('server_error', message);
      if (status >= 400 && status !== 405) return aboutRequest(error, message);
      // A redirect, or a path that takes no POST: the base URL is most likely wrong.
      return fatal('not_allowed', `${message}; is the base URL right?`, true);
  }
}

/** An error with the questions that are put to it. */
interface Asked extends ServerError {
  /** Whether one of its codes is one of these. */
  is(codes: readonly string[]): boolean;
  says(words: RegExp): boolean;
}

const asking = (told: ServerError): Asked => ({
  ...told,
  is: (codes) => told.codes.some((code) => codes.includes(code)),
  says: (words) => words.test(told.message),
});

/** Whether a server that answers 400, 422 or 403 says that it is asked too often, for which others have 429. */
const isOverRate = (error: Asked): boolean => error.is(RATE_CODES) || error.says(RATE_WORDS);

function aboutRequest(error: Asked, message: string): Classified {
  if (error.is(FILTER_CODES) || error.says(FILTER_WORDS)) return permanent('filtered', message);
  if (error.is(OVERFLOW_CODES) || error.says(OVERFLOW_WORDS)) return permanent('context_overflow', message);
  if (error.is(MODEL_CODES) || error.says(MODEL_WORDS)) return fatal('unknown_model', message);
  return permanent('rejected', message);
}

const QUOTA_CODES = ['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active', 'insufficient_funds'];
const RATE_CODES = [
  'rate_limit_exceeded',
  'rate_limit_error',
  'ratelimitexceeded',
  'too_many_requests',
  'throttlingexception',
];
const KEY_CODES = ['invalid_api_key'];
const REGION_CODES = ['unsupported_country_region_territory'];
/** Ours, of an engine in this machine. */
const ENGINE_CODES = ['local_engine_lost'];
const MODEL_CODES = ['model_not_found', 'model_not_available', 'notfounderror', 'not_found'];
const FILTER_CODES = ['content_filter', 'content_policy_violation', 'invalid_prompt', 'moderation_blocked'];
const OVERFLOW_CODES = ['context_length_exceeded', 'string_above_max_length', 'request_too_large'];

const QUOTA_WORDS =
  /insufficient (quota|credit|balance|funds)|exceeded your current quota|spending limit|check your billing|past invoices/i;
/** At the start of the message, since a server may quote the prompt further on. */
const RATE_WORDS = /^(rate limit|too many requests)/i;
const KEY_WORDS = /^(incorrect api key|api key not valid|invalid api key)/i;
const MODEL_WORDS = /^(invalid model\b|the model `[^`]*` does not exist|model not found)/i;
const FILTER_WORDS =
  /content management policy|flagged (as|for|by)|content polic|usage polic|violat\w+ (of )?our (usage )?polic|requires moderation/i;
const OVERFLOW_WORDS =
  /maximum context length|context length exceeded|context window|prompt is too long|maximum model length|max_model_len|max_tokens must be at least 1, got -/i;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
