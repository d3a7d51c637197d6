/** Fireworks' data sets and batch inference jobs, below `/accounts/ACCOUNT`. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type BatchReply, type BatchRequest, fileIn, iso, json } from './http.ts';
import { countRows, type EndedRow, type Job, type JobRow, type Jobs, readLines } from './jobs.ts';
import { strikes } from './trouble.ts';

const DAY = 86_400_000;
const CHAT = '/chat/completions';
const SIGNED = '/signed/';

const error = (status: number, code: number, message: string): BatchReply =>
  json(status, { code, message, details: [] });

export class FireworksBatches {
  readonly #jobs: Jobs;
  /** What data sets hold; undefined until they are filled. */
  readonly #datasets = new Map<string, string | undefined>();

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** Undefined for a path that is none of this API's. */
  async serve(request: BatchRequest): Promise<BatchReply | undefined> {
    const { method, path, query, text, origin } = request;
    if (path.startsWith(SIGNED)) return this.#download(path.slice(SIGNED.length));
    const [, accounts, account, kind, name] = path.split('/');
    if (accounts !== 'accounts' || account === undefined) return undefined;
    const base = `accounts/${account}`;
    if (kind === 'datasets') {
      if (name === undefined) return this.#makeDataset(base, text);
      const [id, action] = name.split(':') as [string, string | undefined];
      if (action === 'getDownloadEndpoint') return this.#endpoint(id, origin);
      return action === 'upload' ? this.#fill(base, id, text) : this.#dataset(base, id);
    }
    if (kind !== 'batchInferenceJobs') return undefined;
    if (name === undefined) return this.#create(base, query.get('batchInferenceJobId') ?? '', text);
    const job = await this.#jobs.get(name);
    if (job === undefined) return error(404, 5, 'resource not found');
    if (method === 'DELETE') {
      this.#jobs.cancel(job);
      return json(200, {});
    }
    return json(200, this.#shown(job));
  }

  #makeDataset(base: string, text: string): BatchReply {
    const asked = objectIn(text);
    const id = String(asked.datasetId);
    const dataset = isJsonObject(asked.dataset) ? asked.dataset : {};
    if (dataset.exampleCount === undefined) return error(400, 3, 'example_count is required for uploaded datasets');
    if (this.#datasets.has(id)) return error(409, 6, `dataset ${id} already exists`);
    this.#datasets.set(id, undefined);
    return this.#dataset(base, id);
  }

  #fill(base: string, id: string, text: string): BatchReply {
    const content = fileIn(text);
    if (!this.#datasets.has(id)) return error(404, 5, 'resource not found');
    if (content === undefined) return error(400, 3, 'no file');
    this.#datasets.set(id, content);
    return json(200, { bytes: content.length, filename: 'input.jsonl', id: `${base}/datasets/${id}`, object: 'file' });
  }

  #dataset(base: string, id: string): BatchReply {
    if (!this.#datasets.has(id)) return error(404, 5, 'resource not found');
    const state = this.#datasets.get(id) === undefined ? 'UPLOADING' : 'READY';
    return json(200, { name: `${base}/datasets/${id}`, state, status: { code: 'OK', message: '' } });
  }

  async #create(base: string, id: string, text: string): Promise<BatchReply> {
    const { model, inputDatasetId: input } = objectIn(text);
    const { trouble } = this.#jobs;
    if (await this.#jobs.get(id)) return error(409, 6, `job ${id} already exists`);
    if (strikes(trouble, trouble.too_many, 'too many', this.#jobs.newName('job')))
      return error(429, 8, 'Too many jobs.');
    const content = this.#datasets.get(String(input).slice(String(input).lastIndexOf('/') + 1));
    if (content === undefined) return error(404, 5, 'resource not found');
    const { rows, mistake } = rowsOf(content, String(model));
    const fields = { api: 'fireworks', base, model: model ?? null, input: input ?? null };
    const job = this.#jobs.make(id, rows, fields, mistake);
    return strikes(trouble, trouble.unanswered, 'unanswered', id) ? { type: 'silence' } : json(200, this.#shown(job));
  }

  #shown(job: Job): JsonObject {
    const { id, fields, ended, mistake, rows, createdAt, cancelledAt } = job;
    const { answered, failed } = countRows(job);
    const state =
      ended !== undefined ? STATES[ended.end] : cancelledAt === undefined ? 'RUNNING' : 'DELETING_CLEANING_UP';
    return {
      name: `${String(fields.base)}/batchInferenceJobs/${id}`,
      state: `JOB_STATE_${ended === undefined && cancelledAt !== undefined ? 'RUNNING' : state}`,
      status:
        state === 'FAILED'
          ? { code: 'INVALID_ARGUMENT', message: mistake?.message ?? '' }
          : { code: 'OK', message: '' },
      model: fields.model!,
      inputDatasetId: fields.input!,
      outputDatasetId: `${String(fields.base)}/datasets/bij-${id}`,
      inferenceParameters: { extraBody: '{}', maxTokens: 64 },
      createTime: iso(createdAt),
      expireTime: iso(createdAt + DAY),
      jobProgress: {
        percent: ended === undefined ? 0 : 100,
        totalInputRequests: rows.length,
        totalProcessedRequests: answered + failed,
        successfullyProcessedRequests: answered,
        failedRequests: failed,
      },
    };
  }

  async #endpoint(dataset: string, origin: string): Promise<BatchReply> {
    const job = await this.#jobs.get(dataset.replace(/^bij-/, ''));
    if (job === undefined || !this.#jobs.hasResults(job)) return error(404, 5, 'resource not found');
    const url = (file: string) => `${origin}${SIGNED}${job.id}/${file}?X-Goog-Expires=599`;
    return json(200, {
      filenameToSignedUrls: {
        [`dataset/${dataset}/BIJOutputSet.jsonl`]: url('output'),
        [`dataset/${dataset}/error-data`]: url('errors'),
      },
    });
  }

  async #download(name: string): Promise<BatchReply> {
    const [id, file] = name.split('/') as [string, string];
    const job = await this.#jobs.get(id);
    if (job?.ended === undefined) return error(404, 5, 'resource not found');
    const wanted = job.ended.rows.filter(
      ({ reply }) => reply !== 'undone' && (reply.status === 200) === (file === 'output'),
    );
    return { type: 'lines', lines: wanted.map((row) => JSON.stringify(lineOf(row))) };
  }
}

const STATES = { completed: 'COMPLETED', expired: 'EXPIRED', cancelled: 'CANCELLED', refused: 'FAILED' } as const;

function lineOf({ id, reply }: EndedRow): JsonObject {
  if (reply === 'undone') return {};
  if (reply.status === 200) return { custom_id: id, response: reply.body };
  return { custom_id: id, error: { message: 'The server had an error.', code: reply.status } };
}

function rowsOf(
  content: string,
  model: string,
): { readonly rows: readonly JobRow[]; readonly mistake: Job['mistake'] } {
  const wrong = (message: string) => ({ rows: [], mistake: { code: 'INVALID_ARGUMENT', message, line: null } });
  const lines = readLines(content);
  if (lines === undefined) return wrong('Dataset has a syntax error');
  const rows: JobRow[] = [];
  for (const { custom_id: id, body } of lines) {
    if (typeof id !== 'string' || !isJsonObject(body))
      return wrong('Dataset has a syntax error: no custom_id, or no body');
    if (!Array.isArray(body.messages))
      return wrong('Dataset has a syntax error: chat dataset validation failed on input2.jsonl:1');
    rows.push({ id, path: CHAT, body: { ...body, model } });
  }
  return { rows, mistake: undefined };
}

function objectIn(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}
