/**
 * Batch APIs of three providers, written from what they document and from recorded replies, and sharing no code with what
 * they check: OpenAI's files and batches, Anthropic's Message Batches, Fireworks' data sets and jobs. Each request could be
 * asked online as well, and is answered alike. It keeps its own bill. Started by `fork`, it tells its port; `bill` is
 * answered with the bill, any other object changes its manner.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

type Body = Record<string, unknown>;

interface Manner {
  /** Milliseconds until a batch is done, and for which a new one is in no list. */
  delay?: number;
  hidden?: number;
  /** Shares of batches: expire half done; are made without an answer. Of requests: turned away, fail, break off. */
  expire?: number;
  silent?: number;
  busy?: number;
  broken?: number;
  cut?: number;
  /** Shares of rows: come back in no file, unbilled; come twice; fail; come twice with another text. */
  lost?: number;
  doubled?: number;
  failed?: number;
  twisted?: number;
  /** Results are not there any more. */
  gone?: boolean;
  /** A batch with a row of this text is refused as a whole, with its line where `line` says so. */
  refuses?: string;
  line?: boolean;
  /** Rows that may wait at once. */
  most?: number;
  seed?: number;
}

interface Row {
  id: string;
  body: Body;
  /** As it came back; 'undone' where the batch was cut short. */
  result?: { status: number; body: Body } | 'undone' | 'lost';
}

interface Batch {
  id: string;
  shape: 'openai' | 'anthropic' | 'fireworks';
  rows: Row[];
  made: number;
  cancelled?: number;
  end?: 'completed' | 'expired' | 'cancelled' | 'failed';
  mistake?: { code: string; message: string; line: number | null };
  input?: string;
  metadata?: unknown;
}

let manner = JSON.parse(process.argv[2] ?? '{}') as Manner;
const files = new Map<string, string>();
const datasets = new Map<string, string | null>();
const batches: Batch[] = [];
const bill = {
  online: { answered: 0, input: 0, output: 0 },
  batch: { answered: 0, input: 0, output: 0 },
  /** How often each key was answered and billed in a batch, and online. */
  keys: {} as Record<string, number>,
  onlineKeys: {} as Record<string, number>,
  made: 0,
  cancelled: 0,
  wrong: [] as string[],
};

let state = 1;
/** Uniform numbers, one after the other. */
function chance(): number {
  state = (Math.imul(state ^ (manner.seed ?? 0), 0x9e3779b1) + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const strikes = (share: number | undefined) => share !== undefined && share > 0 && chance() < share;

/** What is said to the model, the same for both APIs. */
function saidIn(asked: Body): string {
  const turns = (asked.messages as { content: string }[] | undefined) ?? [];
  return turns.map(({ content }) => content).join('\n');
}

const hash = (text: string) => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7);

/** A reply as the API would give it online. */
function replyTo(asked: Body, anthropic = asked.anthropic === true): { status: number; body: Body } {
  const said = saidIn(asked);
  const score = { score: hash(said) % 11 };
  const tokens = { input: 10 + (said.length % 50), output: 3 + (hash(said) % 20) };
  if (said.includes('forbidden')) {
    const message = 'The prompt is not allowed.';
    return { status: 400, body: { error: { message, type: 'invalid_request_error', param: null, code: null } } };
  }
  if (anthropic) {
    const [tool] = (asked.tools as { name: string }[] | undefined) ?? [];
    const text = { type: 'text', text: `It depends: ${hash(said)}.` };
    const content = tool === undefined ? text : { type: 'tool_use', id: 'toolu_1', name: tool.name, input: score };
    return {
      status: 200,
      body: {
        id: `msg_${hash(said)}`,
        type: 'message',
        role: 'assistant',
        model: asked.model,
        content: [content],
        stop_reason: tool === undefined ? 'end_turn' : 'tool_use',
        stop_sequence: null,
        usage: { input_tokens: tokens.input, output_tokens: tokens.output },
      },
    };
  }
  const content = asked.response_format === undefined ? `It depends: ${hash(said)}.` : JSON.stringify(score);
  return {
    status: 200,
    body: {
      id: `chatcmpl-${hash(said)}`,
      object: 'chat.completion',
      created: 1,
      model: asked.model,
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: tokens.input,
        completion_tokens: tokens.output,
        total_tokens: tokens.input + tokens.output,
      },
    },
  };
}

function charge(
  to: { answered: number; input: number; output: number },
  keys: Record<string, number>,
  key: string,
  body: Body,
) {
  const usage = body.usage as Record<string, number>;
  to.answered += 1;
  to.input += usage.prompt_tokens ?? usage.input_tokens ?? 0;
  to.output += usage.completion_tokens ?? usage.output_tokens ?? 0;
  keys[key] = (keys[key] ?? 0) + 1;
}

/** Brings a batch up to date: what is due is done and billed. */
function settle(batch: Batch): Batch {
  if (batch.end !== undefined) return batch;
  const due = batch.made + (manner.delay ?? 0);
  const cancelled = batch.cancelled !== undefined && batch.cancelled < due;
  if (!cancelled && Date.now() < due) return batch;
  if (batch.mistake !== undefined) {
    batch.end = 'failed';
    return batch;
  }
  batch.end = cancelled ? 'cancelled' : strikes(manner.expire) ? 'expired' : 'completed';
  for (const row of batch.rows) {
    if (batch.end !== 'completed' && chance() < 0.5) row.result = 'undone';
    else if (strikes(manner.lost)) row.result = 'lost';
    else if (strikes(manner.failed))
      row.result = { status: 500, body: { error: { message: 'It broke.', type: 'server_error', code: null } } };
    else {
      row.result = replyTo(row.body);
      if (row.result.status === 200) charge(bill.batch, bill.keys, row.id, row.result.body);
    }
  }
  return batch;
}

function make(batch: Omit<Batch, 'made'>): Batch {
  const made: Batch = { ...batch, made: Date.now() };
  const bad = batch.rows.findIndex(({ body }) => manner.refuses !== undefined && saidIn(body).includes(manner.refuses));
  const waiting = batches.filter(({ end }) => end === undefined).reduce((sum, { rows }) => sum + rows.length, 0);
  if (manner.most !== undefined && waiting > 0 && waiting + batch.rows.length > manner.most) {
    made.mistake = { code: 'token_limit_exceeded', message: 'Enqueued token limit reached.', line: null };
  } else if (bad !== -1 && batch.shape !== 'anthropic') {
    made.mistake = { code: 'invalid_value', message: 'Invalid value in messages.', line: manner.line ? bad + 1 : null };
  }
  batches.push(made);
  bill.made += 1;
  return made;
}

const find = (id: string) => {
  const batch = batches.find((each) => each.id === id);
  return batch === undefined ? undefined : settle(batch);
};
const listed = (shape: Batch['shape']) =>
  batches
    .filter((batch) => batch.shape === shape && batch.made <= Date.now() - (manner.hidden ?? 0))
    .map(settle)
    .reverse();
const isDone = ({ result }: Row) => typeof result === 'object';

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = url.pathname;
  let text = '';
  for await (const chunk of request) text += String(chunk);
  if (path.endsWith('/chat/completions')) return online(request, response, text, false);
  if (path === '/v1/messages') return online(request, response, text, true);
  if (strikes(manner.busy))
    return send(
      response,
      429,
      { error: { message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' } },
      { 'retry-after': '0' },
    );
  if (request.method === 'GET' && strikes(manner.broken))
    return send(response, 500, { error: { message: 'Oops.', type: 'server_error' } });
  if (path.startsWith('/v1/files')) return openaiFiles(request, response, path, text);
  if (path.startsWith('/v1/batches')) return openaiBatches(request, response, path, url.searchParams, text);
  if (path.startsWith('/v1/messages/batches')) return anthropicBatches(request, response, path, url.searchParams, text);
  if (path.startsWith('/v1/accounts/lab/'))
    return fireworks(request, response, path.slice('/v1/accounts/lab'.length), url.searchParams, text);
  if (path.startsWith('/store/')) return download(request, response, path);
  send(response, 404, { error: { message: `no ${path}` } });
});

function online({ headers }: IncomingMessage, response: ServerResponse, text: string, anthropic: boolean) {
  const reply = replyTo(JSON.parse(text) as Body, anthropic);
  if (reply.status === 200) charge(bill.online, bill.onlineKeys, String(headers['idempotency-key']), reply.body);
  send(response, reply.status, reply.body);
}

function openaiFiles(request: IncomingMessage, response: ServerResponse, path: string, text: string) {
  const [, , , id, content] = path.split('/');
  if (request.method === 'POST') {
    if (!/name="purpose"\r\n\r\nbatch\r\n/.test(text)) bill.wrong.push('a file without its purpose');
    const made = `file-${files.size + 1}`;
    files.set(made, fileOf(text));
    return send(response, 200, {
      object: 'file',
      id: made,
      purpose: 'batch',
      filename: 'upload',
      bytes: text.length,
      created_at: seconds(Date.now()),
      status: 'processed',
    });
  }
  if (content !== 'content') return send(response, 200, { object: 'file', id });
  const [, batchId, kind] = /^out-(.+)-(good|bad)$/.exec(id ?? '') ?? [];
  const batch = find(batchId ?? '');
  if (batch === undefined || manner.gone)
    return send(response, 404, { error: { message: `No such File object: ${id}`, type: 'invalid_request_error' } });
  const good = (row: Row) => isDone(row) && (row.result as { status: number }).status === 200;
  const rows = batch.rows.filter((row) => row.result !== 'lost' && good(row) === (kind === 'good'));
  lines(
    response,
    twice(rows, (row, twisted) => {
      const common = { id: `batch_req_${row.id}`, custom_id: row.id };
      if (row.result === 'undone') {
        const code = batch.end === 'expired' ? 'batch_expired' : 'batch_cancelled';
        return { ...common, response: null, error: { code, message: 'This request could not be executed.' } };
      }
      const { status, body } = row.result as { status: number; body: Body };
      return {
        ...common,
        response: { status_code: status, request_id: 'r', body: twisted ? { ...body, id: 'other' } : body },
        error: null,
      };
    }),
  );
}

function openaiBatches(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
  text: string,
) {
  const [, , , id, action] = path.split('/');
  if (request.method === 'POST' && id === undefined) {
    const asked = JSON.parse(text) as Body;
    const content = files.get(String(asked.input_file_id));
    if (asked.completion_window !== '24h') bill.wrong.push('a window that is none');
    const parsed = (content ?? '')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Body);
    if (parsed.some(({ url, method }) => url !== asked.endpoint || method !== 'POST'))
      bill.wrong.push('a line for elsewhere');
    const rows = parsed.map((line) => ({ id: String(line.custom_id), body: line.body as Body }));
    if (new Set(rows.map((row) => row.id)).size !== rows.length) bill.wrong.push('an id twice');
    const batch = make({
      id: `batch_${batches.length + 1}`,
      shape: 'openai',
      rows,
      input: String(asked.input_file_id),
      metadata: asked.metadata,
    });
    if (strikes(manner.silent)) return void response.destroy();
    return send(response, 200, shownOpenai(batch));
  }
  if (id === undefined) {
    const all = listed('openai');
    const from = all.findIndex((batch) => batch.id === query.get('after')) + 1;
    const data = all.slice(from, from + Number(query.get('limit'))).map(shownOpenai);
    return send(response, 200, { object: 'list', data, has_more: from + data.length < all.length });
  }
  const batch = find(id);
  if (batch === undefined)
    return send(response, 404, { error: { message: 'No batch found', type: 'invalid_request_error' } });
  if (action === 'cancel') cancel(batch);
  send(response, 200, shownOpenai(settle(batch)));
}

function cancel(batch: Batch) {
  bill.cancelled += 1;
  batch.cancelled ??= Date.now();
}

function shownOpenai(batch: Batch): Body {
  const { id, end, rows, mistake, made } = batch;
  const done = rows.filter(isDone);
  const good = done.filter(({ result }) => (result as { status: number }).status === 200);
  const bad = rows.some((row) => row.result === 'undone' || (isDone(row) && !good.includes(row)));
  return {
    id,
    object: 'batch',
    endpoint: '/v1/chat/completions',
    errors: end === 'failed' ? { object: 'list', data: [{ ...mistake, param: null }] } : null,
    input_file_id: batch.input,
    completion_window: '24h',
    status: end ?? (batch.cancelled === undefined ? 'in_progress' : 'cancelling'),
    output_file_id: end !== undefined && good.length > 0 ? `out-${id}-good` : null,
    error_file_id: end !== undefined && bad ? `out-${id}-bad` : null,
    created_at: seconds(made),
    request_counts: {
      total: mistake === undefined ? rows.length : 0,
      completed: good.length,
      failed: done.length - good.length,
    },
    metadata: batch.metadata ?? null,
  };
}

function anthropicBatches(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
  text: string,
) {
  if (request.headers['anthropic-version'] !== '2023-06-01') bill.wrong.push('no version');
  const [, , , , id, action] = path.split('/');
  if (request.method === 'POST' && id === undefined) {
    const { requests } = JSON.parse(text) as { requests: { custom_id: string; params: Body }[] };
    if (requests.some((each) => !/^[a-zA-Z0-9_-]{1,64}$/.test(each.custom_id) || each.params.max_tokens === undefined))
      bill.wrong.push('a request that is none');
    const rows = requests.map((each) => ({ id: each.custom_id, body: { ...each.params, anthropic: true } }));
    const batch = make({ id: `msgbatch_${batches.length + 1}`, shape: 'anthropic', rows });
    if (strikes(manner.silent)) return void response.destroy();
    return send(response, 200, shownAnthropic(batch));
  }
  if (id === undefined) {
    const all = listed('anthropic');
    const from = all.findIndex((batch) => batch.id === query.get('after_id')) + 1;
    const data = all.slice(from, from + Number(query.get('limit'))).map(shownAnthropic);
    return send(response, 200, {
      data,
      has_more: from + data.length < all.length,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    });
  }
  const batch = find(id);
  if (batch === undefined)
    return send(response, 404, { type: 'error', error: { type: 'not_found_error', message: 'not found' } });
  if (action === 'cancel') cancel(batch);
  if (action !== 'results') return send(response, 200, shownAnthropic(settle(batch)));
  if (manner.gone) return send(response, 404, { type: 'error', error: { type: 'not_found_error', message: 'gone' } });
  lines(
    response,
    twice(
      batch.rows.filter(({ result }) => result !== 'lost'),
      ({ id: custom_id, result }, twisted) => {
        if (result === 'undone')
          return { custom_id, result: { type: batch.end === 'expired' ? 'expired' : 'canceled' } };
        const { status, body } = result as { status: number; body: Body };
        if (status === 200)
          return { custom_id, result: { type: 'succeeded', message: twisted ? { ...body, id: 'other' } : body } };
        const type = status === 400 ? 'invalid_request_error' : 'api_error';
        return {
          custom_id,
          result: {
            type: 'errored',
            error: { type: 'error', error: { type, message: 'It failed.' }, request_id: null },
          },
        };
      },
    ),
  );
}

function shownAnthropic(batch: Batch): Body {
  const { id, end, rows, made } = batch;
  const count = (wanted: (row: Row) => boolean) => (end === undefined ? 0 : rows.filter(wanted).length);
  const undone = count(({ result }) => result === 'undone');
  const errored = count((row) => isDone(row) && (row.result as { status: number }).status !== 200);
  const over = end !== undefined;
  return {
    id,
    type: 'message_batch',
    processing_status: over ? 'ended' : batch.cancelled === undefined ? 'in_progress' : 'canceling',
    request_counts: {
      processing: over ? 0 : rows.length,
      succeeded: over ? rows.length - undone - errored : 0,
      errored,
      canceled: end === 'cancelled' ? undone : 0,
      expired: end === 'expired' ? undone : 0,
    },
    ended_at: over ? new Date().toISOString() : null,
    created_at: new Date(made).toISOString(),
    results_url: over ? `https://api.anthropic.com/v1/messages/batches/${id}/results` : null,
  };
}

function fireworks(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
  text: string,
) {
  const [, kind, name = ''] = path.split('/');
  const [id = '', action] = name.split(':');
  if (kind === 'datasets' && id === '') {
    const asked = JSON.parse(text) as { datasetId: string; dataset: { exampleCount?: string } };
    if (asked.dataset.exampleCount === undefined)
      return refuse(response, 400, 3, 'example_count is required for uploaded datasets');
    if (datasets.has(asked.datasetId)) return refuse(response, 409, 6, 'already exists');
    datasets.set(asked.datasetId, null);
    return send(response, 200, { name: `accounts/lab/datasets/${asked.datasetId}`, state: 'UPLOADING' });
  }
  if (kind === 'datasets' && action === 'upload') {
    datasets.set(id, fileOf(text));
    return send(response, 200, { bytes: text.length, id: `accounts/lab/datasets/${id}`, object: 'file' });
  }
  if (kind === 'datasets' && action === 'getDownloadEndpoint') {
    const job = find(id.replace(/^bij-/, ''));
    if (job === undefined || manner.gone) return refuse(response, 404, 5, 'resource not found');
    const at = (file: string) => `http://${request.headers.host}/store/${job.id}/${file}?X-Goog-Expires=599`;
    return send(response, 200, {
      filenameToSignedUrls: {
        [`dataset/${id}/BIJOutputSet.jsonl`]: at('good'),
        [`dataset/${id}/error-data`]: at('bad'),
      },
    });
  }
  if (kind === 'datasets') {
    if (!datasets.has(id)) return refuse(response, 404, 5, 'resource not found');
    return send(response, 200, { name: id, state: datasets.get(id) === null ? 'UPLOADING' : 'READY' });
  }
  if (request.method === 'POST') {
    const asked = JSON.parse(text) as { model: string; inputDatasetId: string };
    const job = query.get('batchInferenceJobId') ?? '';
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(job)) bill.wrong.push(`a job called ${job}`);
    if (find(job) !== undefined) return refuse(response, 409, 6, 'already exists');
    const content = datasets.get(asked.inputDatasetId.replace('accounts/lab/datasets/', ''));
    if (content == null) return refuse(response, 404, 5, 'resource not found');
    const parsed = content
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { custom_id: string; body: Body });
    if (parsed.some(({ body }) => body.model !== undefined)) bill.wrong.push('a model in a line');
    const rows = parsed.map(({ custom_id, body }) => ({ id: custom_id, body: { ...body, model: asked.model } }));
    const batch = make({ id: job, shape: 'fireworks', rows });
    if (strikes(manner.silent)) return void response.destroy();
    return send(response, 200, shownFireworks(batch));
  }
  const batch = find(id);
  if (batch === undefined) return refuse(response, 404, 5, 'resource not found');
  if (request.method === 'DELETE') {
    cancel(batch);
    return send(response, 200, {});
  }
  send(response, 200, shownFireworks(batch));
}

function shownFireworks({ id, end, rows, mistake }: Batch): Body {
  const done = rows.filter(isDone);
  const good = done.filter(({ result }) => (result as { status: number }).status === 200);
  const word =
    end === undefined
      ? 'RUNNING'
      : { completed: 'COMPLETED', expired: 'EXPIRED', cancelled: 'CANCELLED', failed: 'FAILED' }[end];
  return {
    name: `accounts/lab/batchInferenceJobs/${id}`,
    state: `JOB_STATE_${word}`,
    status: end === 'failed' ? { code: 'INVALID_ARGUMENT', message: mistake?.message } : { code: 'OK', message: '' },
    outputDatasetId: `accounts/lab/datasets/bij-${id}`,
    jobProgress: {
      percent: 0,
      totalInputRequests: rows.length,
      successfullyProcessedRequests: good.length,
      failedRequests: done.length - good.length,
    },
  };
}

function download({ headers }: IncomingMessage, response: ServerResponse, path: string) {
  if (headers.authorization !== undefined) bill.wrong.push('a credential sent to a signed address');
  const [, , id = '', kind] = path.split('/');
  const batch = find(id)!;
  const rows = batch.rows.filter(
    (row) => isDone(row) && ((row.result as { status: number }).status === 200) === (kind === 'good'),
  );
  lines(
    response,
    twice(rows, ({ id: custom_id, result }, twisted) => {
      const { status, body } = result as { status: number; body: Body };
      if (status !== 200) return { custom_id, error: { message: String((body.error as Body).message), code: status } };
      return { custom_id, response: twisted ? { ...body, id: 'other' } : body };
    }),
  );
}

/** Rows in another order, and some of them twice. */
function twice(rows: Row[], shown: (row: Row, twisted: boolean) => Body): Body[] {
  return rows.reverse().flatMap((row) => {
    if (strikes(manner.twisted)) return [shown(row, false), shown(row, true)];
    return strikes(manner.doubled) ? [shown(row, false), shown(row, false)] : [shown(row, false)];
  });
}

const refuse = (response: ServerResponse, status: number, code: number, message: string) =>
  send(response, status, { code, message, details: [] });
const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

/** The part `file` of a form. */
function fileOf(form: string): string {
  const [boundary = ''] = form.split('\r\n');
  const part = form.split(boundary).find((each) => each.includes('name="file"')) ?? '';
  return part.slice(part.indexOf('\r\n\r\n') + 4, part.lastIndexOf('\r\n'));
}

function lines(response: ServerResponse, rows: Body[]) {
  const texts = rows.map((row) => `${JSON.stringify(row)}\n`);
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  if (texts.length > 1 && strikes(manner.cut)) {
    response.write(texts.slice(0, texts.length / 2).join('') + texts[0]!.slice(0, 9), () => response.destroy());
    return;
  }
  response.end(texts.join(''));
}

function send(response: ServerResponse, status: number, body: unknown, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

process.on('message', (message) => {
  if (message === 'bill') process.send?.(bill);
  else {
    manner = message as Manner;
    process.send?.('changed');
  }
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
