/**
 * Ways in which real servers differ from the one that everything was written for. The world behind is the same: a quirk
 * refuses what the world would answer, or changes the answer on its way out, and moves no key.
 */

import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { chanceOf, errorReply, type Reply } from './world/index.ts';

export interface QuirkyRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, such as `/completions`. */
  readonly path: string;
  readonly body: JsonObject;
  /** The `Idempotency-Key`; '' without one. */
  readonly key: string;
  /** How many requests with this key came before. */
  readonly attempt: number;
  /** The `Authorization` header; '' without one. */
  readonly authorization: string;
}

interface Quirk {
  readonly about: string;
  /** An answer in place of the world's. */
  refuse?(request: QuirkyRequest): Reply | undefined;
  /** Another body for an answer of status 200. */
  alter?(body: JsonObject, request: QuirkyRequest): JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Tokens that the context of the quirk `cut-left` holds. */
const SHORT_CONTEXT = 512;

const LIMIT_HEADERS = {
  'x-ratelimit-limit-requests': '3000',
  'x-ratelimit-remaining-requests': '2999',
  'x-ratelimit-limit-tokens': '900000',
  'x-ratelimit-remaining-tokens': '899000',
} as const;

const QUIRKS = {
  'no-listing': {
    about: 'lists no models',
    refuse: ({ method }) => (method === 'GET' ? errorReply(404, null, 'Not Found') : undefined),
  },
  unauthorised: {
    about: 'accepts no credential, and repeats the one it was sent',
    refuse: ({ authorization }) =>
      errorReply(401, 'invalid_api_key', `Incorrect API key provided: authorization: ${authorization}`),
  },
  'unknown-models': {
    about: 'serves no model',
    refuse: ({ method, body }) =>
      method === 'POST'
        ? errorReply(404, 'model_not_found', `The model \`${String(body.model)}\` does not exist`)
        : undefined,
  },
  'no-completions': {
    about: 'has chat alone',
    refuse: ({ path }) =>
      path === '/completions'
        ? errorReply(404, null, 'This is a chat model and not supported in the v1/completions endpoint.')
        : undefined,
  },
  alias: {
    about: 'answers under a dated name',
    alter: (body) => ({ ...body, model: `${String(body.model)}-2026-01-01` }),
  },
  'no-echo': {
    about: 'gives one log probability where all of the prompt’s were asked for, as llama.cpp does',
    alter: (body, { body: { echo } }) =>
      echo === true ? withLogprobs(body, (logprobs) => everyList(logprobs, (list) => list.slice(-1))) : body,
  },
  'echo-needs-token': {
    about: 'refuses max_tokens 0',
    refuse: ({ body: { max_tokens: most } }) =>
      most === 0 ? errorReply(400, null, 'max_tokens must be at least 1, got 0.') : undefined,
  },
  'no-bos': {
    about: 'puts no beginning-of-text token in front of a prompt',
    // The world begins texts alone: ids it takes as they are.
    alter: (body, { body: { echo, prompt } }) =>
      typeof prompt !== 'string'
        ? body
        : withoutFirstToken(echo === true ? withLogprobs(body, (logprobs) => withoutHead(logprobs, 1)) : body),
  },
  'cut-left': {
    about: `keeps the last ${SHORT_CONTEXT} tokens of a prompt and drops the others in silence`,
    alter: (body, { body: { echo } }) =>
      echo === true
        ? withLogprobs(body, (logprobs) =>
            withoutHead(logprobs, Math.max(0, (logprobs.tokens as readonly Json[]).length - SHORT_CONTEXT)),
          )
        : body,
  },
  'offsets-only': {
    about: 'echoes offsets and log probabilities without the tokens',
    alter: (body) => withLogprobs(body, ({ tokens: _, token_ids: __, ...rest }) => rest),
  },
  'content-logprobs': {
    about: 'answers log probabilities in the shape of chat: content[] of objects',
    alter: (body) =>
      withLogprobs(body, ({ tokens, token_logprobs: values, token_ids: ids }) => ({
        content: (tokens as readonly string[]).map((token, index) => ({
          token,
          bytes: [...Buffer.from(token)],
          logprob: (values as readonly (number | null)[])[index] ?? 0,
          token_id: (ids as readonly number[])[index] ?? 0,
          top_logprobs: [],
        })),
      })),
  },
  'flat-logprobs': {
    about: 'calls every token certain',
    alter: (body) => withValues(body, () => 0),
  },
  unstable: {
    about: 'moves each log probability by up to 0.2 nats from call to call',
    alter: (body, { key }) => {
      const chance = chanceOf(`unstable\n${key}`);
      return withValues(body, (value) => Math.min(0, value + 0.4 * (chance() - 0.5)));
    },
  },
  'no-ids': {
    about: 'returns no token ids',
    alter: (body) =>
      withChoice(
        withLogprobs(body, ({ token_ids: _, ...rest }) => rest),
        ({ token_ids: _, prompt_token_ids: __, ...rest }) => rest,
      ),
  },
  'new-token-limit': {
    about: 'takes max_completion_tokens in place of max_tokens',
    refuse: ({ body }) =>
      body.max_tokens === undefined
        ? undefined
        : errorReply(
            400,
            'unsupported_parameter',
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
          ),
  },
  'own-temperature': {
    about: 'takes no temperature but its own',
    refuse: ({ body }) =>
      body.temperature === undefined
        ? undefined
        : errorReply(
            400,
            'unsupported_value',
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
          ),
  },
  'no-schema': {
    about: 'takes no notice of response_format',
    alter: (body, { path }) =>
      path === '/chat/completions'
        ? withChoice(body, (choice) => ({
            ...choice,
            message: { role: 'assistant', content: 'I would give this answer a solid 7 out of 10.' },
          }))
        : body,
  },
  'rate-limits': { about: 'tells its limits in headers', headers: LIMIT_HEADERS },
  busy: {
    about: 'turns every request away once',
    refuse: ({ method, attempt }) =>
      method === 'POST' && attempt === 0
        ? errorReply(429, 'rate_limit_exceeded', 'Rate limit reached for requests.')
        : undefined,
    headers: { 'retry-after-ms': '1' },
  },
} as const satisfies Readonly<Record<string, Quirk>>;

export type QuirkName = keyof typeof QUIRKS;
export const QUIRK_NAMES = Object.keys(QUIRKS) as readonly QuirkName[];

/** One line on each quirk, by name. */
export const quirkAbout = (name: QuirkName): string => QUIRKS[name].about;

export interface Quirks {
  /** What goes out in place of the world's answer, or of nothing where the world was not asked. */
  apply(request: QuirkyRequest, answer: () => Reply): Reply;
  readonly headers: Readonly<Record<string, string>>;
}

export function quirksOf(names: readonly QuirkName[]): Quirks {
  const chosen: readonly Quirk[] = names.map((name) => QUIRKS[name]);
  return {
    headers: Object.assign({}, ...chosen.map(({ headers }) => headers ?? {})) as Record<string, string>,
    apply(request, answer) {
      for (const quirk of chosen) {
        const refusal = quirk.refuse?.(request);
        if (refusal !== undefined) return refusal;
      }
      const reply = answer();
      if (reply.status !== 200 || request.method === 'GET' || !isJsonObject(reply.body)) return reply;
      const body = chosen.reduce<JsonObject>(
        (altered, quirk) => quirk.alter?.(altered, request) ?? altered,
        reply.body,
      );
      return { status: 200, body };
    },
  };
}

function withChoice(body: JsonObject, change: (choice: JsonObject) => JsonObject): JsonObject {
  const choices = body.choices as readonly JsonObject[];
  return { ...body, choices: choices.map(change) };
}

function withLogprobs(body: JsonObject, change: (logprobs: JsonObject) => JsonObject): JsonObject {
  return withChoice(body, (choice) =>
    isJsonObject(choice.logprobs) ? { ...choice, logprobs: change(choice.logprobs) } : choice,
  );
}

function withValues(body: JsonObject, change: (value: number) => number): JsonObject {
  return withLogprobs(body, (logprobs) => ({
    ...logprobs,
    token_logprobs: (logprobs.token_logprobs as readonly (number | null)[]).map((value) =>
      value === null ? null : change(value),
    ),
  }));
}

function everyList(logprobs: JsonObject, change: (list: readonly Json[]) => readonly Json[]): JsonObject {
  return Object.fromEntries(
    Object.entries(logprobs).map(([name, value]) => [
      name,
      Array.isArray(value) ? (change(value as readonly Json[]) as Json) : (value as Json),
    ]),
  );
}

/** The prompt was one token shorter: so say its ids, and so says the count. */
function withoutFirstToken(body: JsonObject): JsonObject {
  const counted = body.usage;
  const shorter = withChoice(body, (choice) =>
    Array.isArray(choice.prompt_token_ids) ? { ...choice, prompt_token_ids: choice.prompt_token_ids.slice(1) } : choice,
  );
  if (!isJsonObject(counted)) return shorter;
  const less = (count: Json | undefined) => (typeof count === 'number' ? count - 1 : 0);
  const { prompt_tokens: prompt, total_tokens: total } = counted;
  return { ...shorter, usage: { ...counted, prompt_tokens: less(prompt), total_tokens: less(total) } };
}

/** What is left when the first tokens were never read; nothing precedes the new first one. */
function withoutHead(logprobs: JsonObject, count: number): JsonObject {
  if (count === 0) return logprobs;
  const rest = everyList(logprobs, (list) => list.slice(count));
  return { ...rest, token_logprobs: [null, ...(rest.token_logprobs as readonly Json[]).slice(1)] };
}
