/** Requests that passed the first checks, and the shape of what goes back. */

import type { Json, JsonObject } from '../../core/json.ts';

export interface Reply {
  readonly status: number;
  readonly body: Json;
}

/** A call that passed the first checks. */
export interface Call {
  readonly model: string;
  readonly body: JsonObject;
  /** Canonical text of the body. */
  readonly text: string;
  readonly key: string;
  /** For the reply's `id`. */
  readonly digest: string;
}

/** The error that OpenAI-compatible servers send. */
export function errorReply(status: number, code: string | null, message: string): Reply {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'requests' : 'invalid_request_error';
  return { status, body: { error: { message, type, param: null, code } } };
}
