/** OpenAI's `/files` and `/batches`. */

import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { errorReply } from '../world/index.ts';
import { type BatchReply, type BatchRequest, fileIn, json, pageOf, unix } from './http.ts';
import { countRows, type EndedRow, type Job, type JobRow, type Jobs, readLines } from './jobs.ts';
import { strikes } from './trouble.ts';

const DAY = 86_400_000;
const PATHS = ['/v1/chat/completions', '/v1/completions'];

interface StoredFile {
  readonly name: string;
  readonly content: string;
  readonly createdAt: number;
}

const error = (status: number, message: string): BatchReply => ({ type: 'json', ...errorReply(status, null, message) });

export class OpenAiBatches {
  readonly #jobs: Jobs;
  readonly #files = new Map<string, StoredFile>();

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** Undefined for a path that is none of this API's. */
  async serve({ method, path, query, text }: BatchRequest): Promise<BatchReply | undefined> {
    const [, kind, id, more] = path.split('/');
    if (kind === 'files') {
      if (method === 'POST' && id === undefined) return this.#upload(text);
      if (id === undefined) return undefined;
      return more === 'content' ? this.#content(id) : this.#file(id);
    }
    if (kind !== 'batches') return undefined;
    if (method === 'POST') {
      if (id === undefined) return this.#create(text);
      const job = await this.#jobs.get(id);
      if (job === undefined) return error(404, `No batch found with id '${id}'.`);
      this.#jobs.cancel(job);
      return json(200, this.#shown((await this.#jobs.get(id))!));
    }
    if (id === undefined) {
      const own = (await this.#jobs.list()).filter(({ fields }) => fields.api === 'openai');
      const { page, more: hasMore } = pageOf(own, Number(query.get('limit') ?? 20), query.get('after'));
      const data = page.map((job) => this.#shown(job));
      return json(200, { object: 'list', data, has_more: hasMore });
    }
    const job = await this.#jobs.get(id);
    return job === undefined ? error(404, `No batch found with id '${id}'.`) : json(200, this.#shown(job));
  }

  #upload(text: string): BatchReply {
    const content = fileIn(text);
    if (content === undefined) return error(400, "Missing required parameter: 'file'.");
    const id = this.#jobs.newName('file-');
    this.#files.set(id, { name: 'upload.jsonl', content, createdAt: this.#jobs.now });
    return this.#file(id);
  }

  #file(id: string): BatchReply {
    const file = this.#files.get(id);
    if (file === undefined) return error(404, `No such File object: ${id}`);
    const { name, content, createdAt } = file;
    return json(200, {
      object: 'file',
      id,
      purpose: 'batch',
      filename: name,
      bytes: Buffer.byteLength(content),
      created_at: unix(createdAt),
      expires_at: null,
      status: 'processed',
      status_details: null,
    });
  }

  #create(text: string): BatchReply {
    const asked: unknown = JSON.parse(text);
    if (!isJsonObject(asked) || typeof asked.input_file_id !== 'string') {
      return error(400, "Missing required parameter: 'input_file_id'.");
    }
    const endpoint = String(asked.endpoint);
    if (!PATHS.includes(endpoint)) return error(400, `Invalid endpoint: ${endpoint}`);
    const { trouble } = this.#jobs;
    const id = this.#jobs.newName('batch_');
    if (strikes(trouble, trouble.too_many, 'too many', id)) {
      return {
        type: 'json',
        ...errorReply(429, 'rate_limit_exceeded', 'Too many batches.'),
        headers: { 'retry-after': '0' },
      };
    }
    const content = this.#files.get(asked.input_file_id)?.content;
    const { rows, mistake } = rowsOf(content, endpoint, asked.input_file_id);
    const fields: JsonObject = {
      api: 'openai',
      endpoint,
      input: asked.input_file_id,
      metadata: isJsonObject(asked.metadata) ? asked.metadata : null,
    };
    const job = this.#jobs.make(id, rows, fields, mistake);
    return strikes(trouble, trouble.unanswered, 'unanswered', id) ? { type: 'silence' } : json(200, this.#shown(job));
  }

  #shown(job: Job): JsonObject {
    const { id, fields, createdAt, ended, mistake, rows, cancelledAt } = job;
    const { answered, failed, undone } = countRows(job);
    const status =
      ended === undefined ? (cancelledAt === undefined ? 'in_progress' : 'cancelling') : STATUSES[ended.end];
    const at = (end: string): Json => (status === end ? unix(ended!.at) : null);
    const has = (wanted: (row: EndedRow) => boolean) => ended?.rows.some(wanted) === true;
    return {
      id,
      object: 'batch',
      endpoint: fields.endpoint!,
      errors:
        status === 'failed'
          ? {
              object: 'list',
              data: [{ code: mistake!.code, line: mistake!.line, message: mistake!.message, param: null }],
            }
          : null,
      input_file_id: fields.input!,
      completion_window: '24h',
      status,
      output_file_id: has(isAnswer) ? `file-${id}-output` : null,
      error_file_id: has((row) => !isAnswer(row)) ? `file-${id}-error` : null,
      created_at: unix(createdAt),
      in_progress_at: unix(createdAt),
      expires_at: unix(createdAt + DAY),
      finalizing_at: null,
      completed_at: at('completed'),
      failed_at: at('failed'),
      expired_at: at('expired'),
      cancelling_at: cancelledAt === undefined ? null : unix(cancelledAt),
      cancelled_at: at('cancelled'),
      request_counts: { total: mistake === undefined ? rows.length : 0, completed: answered, failed: failed + undone },
      metadata: fields.metadata!,
    };
  }

  async #content(file: string): Promise<BatchReply> {
    const found = /^file-(.+)-(output|error)$/.exec(file);
    const job = found === null ? undefined : await this.#jobs.get(found[1]!);
    if (job?.ended === undefined || !this.#jobs.hasResults(job)) return error(404, `No such File object: ${file}`);
    const wanted = job.ended.rows.filter((row) => isAnswer(row) === (found![2] === 'output'));
    return { type: 'lines', lines: wanted.map((row) => JSON.stringify(lineOf(row, job.ended!.end))) };
  }
}

const STATUSES = { completed: 'completed', expired: 'expired', cancelled: 'cancelled', refused: 'failed' } as const;

const isAnswer = ({ reply }: EndedRow): boolean => reply !== 'undone' && reply.status === 200;

function lineOf({ id, reply }: EndedRow, end: string): JsonObject {
  const common = { id: `batch_req_${id}`, custom_id: id };
  if (reply !== 'undone') {
    return { ...common, response: { status_code: reply.status, request_id: id, body: reply.body }, error: null };
  }
  const expired = end === 'expired';
  return {
    ...common,
    response: null,
    error: {
      code: expired ? 'batch_expired' : 'batch_cancelled',
      message: expired
        ? 'This request could not be executed before the completion window expired.'
        : 'This request was not executed before the batch was cancelled.',
    },
  };
}

function rowsOf(
  content: string | undefined,
  endpoint: string,
  file: string,
): { readonly rows: readonly JobRow[]; readonly mistake: Job['mistake'] } {
  const wrong = (code: string, message: string, line: number | null) => ({
    rows: [],
    mistake: { code, message, line },
  });
  if (content === undefined) return wrong('invalid_request', `Cannot find file ${file}`, null);
  const lines = readLines(content);
  if (lines === undefined) return wrong('invalid_json_line', 'This line is not parseable as valid JSON.', null);
  const rows: JobRow[] = [];
  const ids = new Set<string>();
  for (const [index, { custom_id: id, url, body }] of lines.entries()) {
    if (typeof id !== 'string')
      return wrong('missing_required_parameter', "Missing required parameter: 'custom_id'.", index + 1);
    if (ids.has(id)) return wrong('duplicate_custom_id', `The custom_id '${id}' is there twice.`, index + 1);
    if (url !== endpoint) return wrong('mismatched_endpoint', "The URL is not the batch's endpoint.", index + 1);
    if (!isJsonObject(body))
      return wrong('missing_required_parameter', "Missing required parameter: 'body'.", index + 1);
    if (endpoint === PATHS[0] && !Array.isArray(body.messages)) {
      return wrong('missing_required_parameter', "Missing required parameter: 'messages'.", index + 1);
    }
    ids.add(id);
    rows.push({ id, path: endpoint.replace(/^\/v1/, ''), body });
  }
  return { rows, mistake: undefined };
}
