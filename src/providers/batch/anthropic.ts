/**
 * Anthropic's Message Batches: requests travel with the batch itself, and nothing of it names us, so one whose id was
 * never learnt is found by its time and its number of requests, and known by its ids once it has ended.
 */

import type { BatchApi, BatchRow, BatchState } from '../../core/batch-port.ts';
import type { JsonObject } from '../../core/json.ts';
import { type BatchHttp, bodyText, countIn, cutBody, objectIn, objectOf, textIn } from './http.ts';
import { batchesSince } from './list.ts';
import { nonsense } from './openai.ts';

type Shape = Omit<BatchApi, 'settings' | 'ephemeral' | 'judge'>;

const PATH = '/messages/batches';
const LIST = {
  path: PATH,
  cursor: 'after_id',
  createdAt: (batch: JsonObject) => Date.parse(String(batch.created_at)) || 0,
};

export function anthropicBatches(http: BatchHttp): Shape {
  const at = (id: string) => `${PATH}/${encodeURIComponent(id)}`;
  return {
    named: false,
    upload: async () => ({ ok: true, value: undefined }),
    async create({ calls }) {
      const requests = calls.map(({ key, body }) => `{"custom_id":"${key}","params":${body}}`);
      const sent = await http.json({ method: 'post', path: PATH, body: `{"requests":[${requests.join(',')}]}` }, true);
      if (!sent.ok) return sent;
      const state = stateOf(sent.value.body, undefined);
      return state === undefined
        ? { ...nonsense('a batch without an id'), maybeDone: true }
        : { ok: true, value: state };
    },
    async find({ at: since, count }) {
      const listed = await batchesSince(http, LIST, since);
      if (!listed.ok) return listed;
      const states = listed.value.map((batch) => stateOf(batch, undefined));
      return {
        ok: true,
        value: states.filter((state) => state !== undefined && state.total === count) as BatchState[],
      };
    },
    async look(id) {
      const sent = await http.json({ method: 'get', path: at(id) });
      if (!sent.ok) return sent;
      const { body, header } = sent.value;
      const state = stateOf(body, header('retry-after'));
      return state === undefined ? nonsense('a batch without an id') : { ok: true, value: state };
    },
    async cancel(id) {
      const sent = await http.json({ method: 'post', path: `${at(id)}/cancel` });
      return sent.ok ? { ok: true, value: undefined } : sent;
    },
    async *rows({ id }) {
      // The address that it tells may be another host's; the path is known.
      for await (const lines of http.lines(`${at(id)}/results`)) yield lines.map(rowOf);
    },
  };
}

function stateOf(batch: JsonObject, retryAfter: string | null | undefined): BatchState | undefined {
  const id = textIn(batch.id);
  if (id === undefined) return undefined;
  const counts = objectOf(batch.request_counts);
  const { processing, succeeded, errored, canceled, expired } = counts;
  const numbers = [processing, succeeded, errored, canceled, expired].map(countIn);
  const status = textIn(batch.processing_status) ?? 'unknown';
  const ended = status === 'ended';
  const cut = countIn(canceled) > 0 ? ('cancelled' as const) : countIn(expired) > 0 ? ('expired' as const) : undefined;
  const seconds = Number(retryAfter);
  return {
    id,
    end: ended ? (cut ?? 'completed') : undefined,
    status,
    total: numbers.reduce((sum, number) => sum + number, 0),
    answered: ended ? countIn(succeeded) : 0,
    mistakes: [],
    ...(retryAfter != null && seconds > 0 ? { lookAgain: seconds * 1000 } : {}),
    results: [],
  };
}

/** What an online request is answered with where it fails for such a reason. */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  timeout_error: 504,
  api_error: 500,
  overloaded_error: 529,
};

function rowOf(line: string): BatchRow {
  const cut = cutBody(line, 'message', '}}');
  const { custom_id: known, result: succeeded } = cut?.rest ?? {};
  if (cut !== undefined && typeof known === 'string' && objectOf(succeeded).type === 'succeeded') {
    return { type: 'response', id: known, status: 200, body: cut.body, parsed: cut.parsed };
  }
  const row = objectIn(line);
  const id = textIn(row?.custom_id);
  const result = objectOf(row?.result);
  if (id === undefined) return { type: 'unreadable', text: line };
  switch (result.type) {
    case 'succeeded':
      return { type: 'response', id, status: 200, body: bodyText(result.message) };
    case 'expired':
      return { type: 'expired', id };
    case 'canceled':
      return { type: 'cancelled', id };
    case 'errored': {
      const error = objectOf(result.error);
      const kind = textIn(objectOf(error.error).type) ?? textIn(error.type) ?? '';
      return { type: 'response', id, status: STATUSES[kind] ?? 500, body: bodyText(error) };
    }
    default:
      return { type: 'unreadable', text: line };
  }
}
