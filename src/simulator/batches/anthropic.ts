/** Anthropic's `/messages/batches`. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type BatchReply, type BatchRequest, iso, json, pageOf } from './http.ts';
import { countRows, type EndedRow, type Job, type JobRow, type Jobs } from './jobs.ts';
import { strikes } from './trouble.ts';

const DAY = 86_400_000;
const MESSAGES = '/messages';
const BATCHES = `${MESSAGES}/batches`;
const ID = /^[a-zA-Z0-9_-]{1,64}$/;

const error = (status: number, type: string, message: string): BatchReply =>
  json(status, { type: 'error', error: { type, message }, request_id: 'req_0' });

export class AnthropicBatches {
  readonly #jobs: Jobs;

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** Undefined for a path that is none of this API's. */
  async serve({ method, path, query, text, origin }: BatchRequest): Promise<BatchReply | undefined> {
    if (path !== BATCHES && !path.startsWith(`${BATCHES}/`)) return undefined;
    const [id, more] = path.slice(BATCHES.length + 1).split('/') as [string, string | undefined];
    if (id === '') return method === 'POST' ? this.#create(text, origin) : this.#list(query, origin);
    const job = await this.#jobs.get(id);
    if (job === undefined) return error(404, 'not_found_error', `${id} was not found`);
    if (more === 'cancel') {
      this.#jobs.cancel(job);
      return json(200, this.#shown((await this.#jobs.get(id))!, origin));
    }
    if (more !== 'results') {
      const headers = job.ended === undefined ? { 'retry-after': String(this.#jobs.trouble.seconds / 4) } : undefined;
      return json(200, this.#shown(job, origin), headers);
    }
    if (!this.#jobs.hasResults(job)) return error(404, 'not_found_error', `${id} has no results`);
    return { type: 'lines', lines: job.ended!.rows.map((row) => JSON.stringify(lineOf(row, job))) };
  }

  #create(text: string, origin: string): BatchReply {
    const asked: unknown = JSON.parse(text);
    const requests = isJsonObject(asked) && Array.isArray(asked.requests) ? asked.requests : [];
    if (requests.length === 0) return error(400, 'invalid_request_error', 'requests: Field required');
    const rows: JobRow[] = [];
    const ids = new Set<string>();
    for (const [index, request] of requests.entries()) {
      const { custom_id: id, params } = isJsonObject(request) ? request : {};
      const wrong = (message: string) => error(400, 'invalid_request_error', `requests.${index}.${message}`);
      if (typeof id !== 'string' || !ID.test(id)) return wrong('custom_id: String should have at most 64 characters');
      if (ids.has(id)) return wrong('custom_id: must be unique');
      if (!isJsonObject(params)) return wrong('params: Field required');
      ids.add(id);
      rows.push({ id, path: MESSAGES, body: params });
    }
    const { trouble } = this.#jobs;
    const id = this.#jobs.newName('msgbatch_');
    if (strikes(trouble, trouble.too_many, 'too many', id)) {
      const body = { type: 'error', error: { type: 'rate_limit_error', message: 'Too many batches.' } };
      return json(429, body, { 'retry-after': '0' });
    }
    const job = this.#jobs.make(id, rows, { api: 'anthropic' }, undefined);
    return strikes(trouble, trouble.unanswered, 'unanswered', id)
      ? { type: 'silence' }
      : json(200, this.#shown(job, origin));
  }

  async #list(query: URLSearchParams, origin: string): Promise<BatchReply> {
    const own = (await this.#jobs.list()).filter(({ fields }) => fields.api === 'anthropic');
    const { page, more } = pageOf(own, Number(query.get('limit') ?? 20), query.get('after_id'));
    const data = page.map((job) => this.#shown(job, origin));
    return json(200, { data, has_more: more, first_id: page[0]?.id ?? null, last_id: page.at(-1)?.id ?? null });
  }

  #shown(job: Job, origin: string): JsonObject {
    const { id, rows, createdAt, cancelledAt, ended } = job;
    const { answered, failed, undone } = countRows(job);
    const cancelled = ended?.end === 'cancelled';
    const missing = ended === undefined ? 0 : rows.length - answered - failed - undone;
    return {
      id,
      type: 'message_batch',
      processing_status: ended !== undefined ? 'ended' : cancelledAt === undefined ? 'in_progress' : 'canceling',
      request_counts: {
        processing: ended === undefined ? rows.length : 0,
        succeeded: answered + missing,
        errored: failed,
        canceled: cancelled ? undone : 0,
        expired: cancelled ? 0 : undone,
      },
      ended_at: ended === undefined ? null : iso(ended.at),
      created_at: iso(createdAt),
      expires_at: iso(createdAt + DAY),
      archived_at: null,
      cancel_initiated_at: cancelledAt === undefined ? null : iso(cancelledAt),
      results_url: ended === undefined ? null : `${origin}/v1${BATCHES}/${id}/results`,
    };
  }
}

function lineOf({ id, reply }: EndedRow, { ended }: Job): JsonObject {
  const type = ended?.end === 'expired' ? 'expired' : 'canceled';
  if (reply === 'undone') return { custom_id: id, result: { type } };
  if (reply.status === 200) return { custom_id: id, result: { type: 'succeeded', message: reply.body } };
  const told = isJsonObject(reply.body) && reply.body.type === 'error' ? reply.body : undefined;
  const failure = told ?? { type: 'error', error: { type: 'api_error', message: 'The server had an error.' } };
  return { custom_id: id, result: { type: 'errored', error: failure } };
}
