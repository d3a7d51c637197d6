/**
 * Fireworks' batch inference: a data set is made, filled and read by a job, and answers are another data set. The ids of
 * both are ours, so a job is found again by its name. The model stands in the job, and is left out of the lines.
 */

import {
  type BatchApi,
  type BatchRow,
  type BatchState,
  type BatchStep,
  type NewBatch,
  ResultsCut,
} from '../../core/batch-port.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type BatchHttp, bodyText, countIn, later, multipart, objectIn, objectOf, textIn } from './http.ts';
import { nonsense } from './openai.ts';

type Shape = Omit<BatchApi, 'settings' | 'ephemeral' | 'judge'>;

/** Milliseconds between two looks at a data set that is being read, and how often it is looked at. */
const READY_WAIT = 1_000;
const READY_LOOKS = 120;

const FILE = 'input.jsonl';
/** Bytes that may be uploaded in one request, and tries of an upload through a signed address. */
const LARGEST_DIRECT = 150_000_000;
const UPLOADS = 3;

/** @param base the account's address, without a slash at its end */
export function fireworksBatches(http: BatchHttp, base: string): Shape {
  const account = base.slice(base.lastIndexOf('/accounts/') + 1);
  const nameOf = (id: string) => `cje-${id}`;
  const job = (id: string) => `${base}/batchInferenceJobs/${encodeURIComponent(id)}`;

  const look = async (id: string): Promise<BatchStep<BatchState>> => {
    const sent = await http.json({ method: 'get', path: job(id) });
    if (!sent.ok) return sent;
    return { ok: true, value: stateOf(id, sent.value.body) };
  };

  return {
    named: true,
    upload: ({ id, calls }: NewBatch) => uploadDataset(http, { base, account, name: nameOf(id) }, calls),
    async create({ id, model }, input) {
      const body = JSON.stringify({ model, inputDatasetId: input });
      const path = `${base}/batchInferenceJobs?batchInferenceJobId=${nameOf(id)}`;
      const sent = await http.json({ method: 'post', path, body }, true);
      if (sent.ok) return { ok: true, value: stateOf(nameOf(id), sent.value.body) };
      if (!isThere(sent)) return sent;
      // One that is there may not be shown yet.
      const there = await look(nameOf(id));
      return there.ok ? there : { ...sent, maybeDone: true };
    },
    async find({ id }) {
      const found = await look(nameOf(id));
      if (found.ok) return { ok: true, value: [found.value] };
      return found.gone ? { ok: true, value: [] } : found;
    },
    look,
    async cancel(id) {
      const sent = await http.json({ method: 'delete', path: job(id) });
      return sent.ok ? { ok: true, value: undefined } : sent;
    },
    async *rows({ results, id }) {
      for (const dataset of results) {
        // The addresses are signed for some minutes, so they are asked for at each reading.
        const name = dataset.slice(dataset.lastIndexOf('/') + 1);
        const told = await http.json({ method: 'get', path: `${base}/datasets/${name}:getDownloadEndpoint` });
        if (!told.ok) throw cut(told, id);
        for (const url of Object.values(objectOf(told.value.body.filenameToSignedUrls))) {
          if (typeof url !== 'string') continue;
          for await (const lines of http.lines(url, true)) yield lines.map(rowOf);
        }
      }
    },
  };
}

function cut({ failure, gone }: Extract<BatchStep<unknown>, { ok: false }>, id: string): ResultsCut {
  if (!gone) return new ResultsCut(later(failure));
  return new ResultsCut({ class: 'permanent', reason: 'rejected', message: `${id} has no results any more` });
}

/** Whether it was there before: made by an earlier try of ours. */
const isThere = ({ failure }: Extract<BatchStep<unknown>, { ok: false }>): boolean =>
  /already.?exists/i.test(failure.message) || /^409 /.test(failure.message);

/** Bytes of a piece, about. */
const PIECE = 1 << 20;

/** A large body, some lines at a time. */
function* piecesOf(lines: readonly string[]): Generator<Uint8Array> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}

/** A data set of requests: made, filled, and waited for until it is read. */
interface Dataset {
  readonly base: string;
  readonly account: string;
  readonly name: string;
}

async function uploadDataset(
  http: BatchHttp,
  { base, account, name }: Dataset,
  calls: NewBatch['calls'],
): Promise<BatchStep<string>> {
  const body = JSON.stringify({ datasetId: name, dataset: { userUploaded: {}, exampleCount: String(calls.length) } });
  const made = await http.json({ method: 'post', path: `${base}/datasets`, body });
  if (!made.ok && !isThere(made)) return made;
  const path = `${base}/datasets/${name}`;
  const filled = await fill(
    http,
    path,
    calls.map(({ key, body: asked }) => `${lineOf(key, asked)}\n`),
  );
  if (!filled.ok) return filled;
  for (let looks = 0; looks < READY_LOOKS; looks++) {
    const read = await http.json({ method: 'get', path });
    if (!read.ok) return read;
    if (read.value.body.state === 'READY') return { ok: true, value: `${account}/datasets/${name}` };
    await http.clock.sleep(READY_WAIT, http.signal);
  }
  return nonsense('a data set that is never ready');
}

/** In one request, or through an address that is signed for it where that is too large. */
async function fill(http: BatchHttp, path: string, lines: readonly string[]): Promise<BatchStep<unknown>> {
  const size = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
  if (size > LARGEST_DIRECT) return fillSigned(http, path, { lines, size });
  const form = multipart({}, { name: FILE, content: lines.join('') });
  const filled = await http.json({ method: 'post', path: `${path}:upload`, ...form });
  return !filled.ok && filled.tooLarge ? fillSigned(http, path, { lines, size }) : filled;
}

async function fillSigned(
  http: BatchHttp,
  path: string,
  { lines, size }: { readonly lines: readonly string[]; readonly size: number },
): Promise<BatchStep<unknown>> {
  const body = JSON.stringify({ filenameToSize: { [FILE]: size } });
  for (let tries = 1; ; tries++) {
    // The address is good for some minutes, so it is asked for at each try.
    const told = await http.json({ method: 'post', path: `${path}:getUploadEndpoint`, body });
    if (!told.ok) return told;
    const [url] = Object.values(objectOf(told.value.body.filenameToSignedUrls));
    if (typeof url !== 'string' || !URL.canParse(url)) return nonsense('no address for an upload');
    const sent = await http.put(url, { pieces: piecesOf(lines), size });
    if (sent.ok) break;
    if (sent.failure.class !== 'transient' || tries >= UPLOADS) return sent;
    await http.clock.sleep(READY_WAIT * tries, http.signal);
  }
  return http.json({ method: 'post', path: `${path}:validateUpload`, body: '{}' });
}

/** The body without its model, which the job has. */
function lineOf(key: string, body: string): string {
  const { model: _, ...rest } = JSON.parse(body) as JsonObject;
  return `{"custom_id":"${key}","body":${JSON.stringify(rest)}}`;
}

const ENDS: Readonly<Record<string, BatchState['end']>> = {
  COMPLETED: 'completed',
  FAILED: 'refused',
  EXPIRED: 'expired',
  CANCELLED: 'cancelled',
  EARLY_STOPPED: 'cancelled',
  DELETING: 'cancelled',
  DELETING_CLEANING_UP: 'cancelled',
};

/** A state that is not known is one of running. */
function stateOf(id: string, job: JsonObject): BatchState {
  const status = (textIn(job.state) ?? 'unknown').replace(/^JOB_STATE_/, '');
  const progress = objectOf(job.jobProgress);
  const output = textIn(job.outputDatasetId);
  const told = objectOf(job.status);
  const end = ENDS[status];
  const message = textIn(told.message);
  return {
    id,
    end,
    status,
    total: countIn(progress.totalInputRequests),
    answered: countIn(progress.successfullyProcessedRequests),
    mistakes:
      end === 'refused'
        ? // The line that a message names has been seen to be another.
          [{ line: undefined, code: textIn(told.code) ?? '', message: message || 'no reason is told' }]
        : [],
    results: end === undefined || end === 'refused' || output === undefined ? [] : [output],
  };
}

function rowOf(line: string): BatchRow {
  const row = objectIn(line);
  const id = textIn(row?.custom_id);
  if (row === undefined || id === undefined) return { type: 'unreadable', text: line };
  if (isJsonObject(row.response)) {
    const { status_code: status, body } = row.response;
    // As the others write it, should it ever be so here.
    if (typeof status === 'number' && body !== undefined) return { type: 'response', id, status, body: bodyText(body) };
    return { type: 'response', id, status: 200, body: bodyText(row.response) };
  }
  if (row.error === undefined || row.error === null) return { type: 'unreadable', text: line };
  const code = Number(objectOf(row.error).code);
  const status = code >= 400 && code < 600 ? code : 500;
  return { type: 'response', id, status, body: bodyText({ error: row.error }) };
}
