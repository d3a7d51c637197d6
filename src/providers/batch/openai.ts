/**
 * OpenAI's batches, which Groq, Together, DeepInfra and gateways copy: a file of requests is uploaded, a batch is made of
 * it, and its answers and errors are two files. It is found again by its metadata, or by its input file.
 */

import type { BatchApi, BatchRow, BatchState, NewBatch } from '../../core/batch-port.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type BatchHttp, bodyText, countIn, cutBody, listOf, multipart, objectIn, objectOf, textIn } from './http.ts';
import { batchesSince } from './list.ts';

type Shape = Omit<BatchApi, 'settings' | 'ephemeral' | 'judge'>;

const LIST = {
  path: '/batches',
  cursor: 'after',
  createdAt: ({ created_at: seconds }: JsonObject) => countIn(seconds) * 1000,
};

export function openaiBatches(http: BatchHttp): Shape {
  return {
    named: true,
    async upload({ id, path, calls }: NewBatch) {
      const lines = calls.map(({ key, body }) => lineOf(key, path, body));
      const form = multipart({ purpose: 'batch' }, { name: `${id}.jsonl`, content: `${lines.join('\n')}\n` });
      const sent = await http.json({ method: 'post', path: '/files', ...form });
      if (!sent.ok) return sent;
      const input = textIn(sent.value.body.id);
      return input === undefined ? nonsense('an uploaded file without an id') : { ok: true, value: input };
    },
    async create({ id, path }, input) {
      const body = JSON.stringify({
        input_file_id: input,
        endpoint: `/v1${path}`,
        completion_window: '24h',
        metadata: { cje: id },
      });
      const sent = await http.json({ method: 'post', path: '/batches', body }, true);
      if (!sent.ok) return sent;
      const state = stateOf(sent.value.body);
      return state === undefined
        ? { ...nonsense('a batch without an id'), maybeDone: true }
        : { ok: true, value: state };
    },
    async find({ id, at, input }) {
      const listed = await batchesSince(http, LIST, at);
      if (!listed.ok) return listed;
      const ours = listed.value.filter(
        (batch) => objectOf(batch.metadata).cje === id || (input !== undefined && batch.input_file_id === input),
      );
      return { ok: true, value: ours.map(stateOf).filter((state) => state !== undefined) };
    },
    async look(id) {
      const sent = await http.json({ method: 'get', path: `/batches/${encodeURIComponent(id)}` });
      if (!sent.ok) return sent;
      const state = stateOf(sent.value.body);
      return state === undefined ? nonsense('a batch without an id') : { ok: true, value: state };
    },
    async cancel(id) {
      const sent = await http.json({ method: 'post', path: `/batches/${encodeURIComponent(id)}/cancel` });
      return sent.ok ? { ok: true, value: undefined } : sent;
    },
    async *rows({ results }) {
      for (const file of results) {
        for await (const lines of http.lines(`/files/${encodeURIComponent(file)}/content`)) yield lines.map(rowOf);
      }
    },
  };
}

const lineOf = (key: string, path: string, body: string): string =>
  `{"custom_id":"${key}","method":"POST","url":"/v1${path}","body":${body}}`;

export const nonsense = (what: string) => ({
  ok: false as const,
  failure: { class: 'transient' as const, reason: 'bad_reply' as const, message: `the provider answered with ${what}` },
});

const ENDS: Readonly<Record<string, BatchState['end']>> = {
  completed: 'completed',
  failed: 'refused',
  expired: 'expired',
  cancelled: 'cancelled',
  canceled: 'cancelled',
};

/** Some write the words of a status in upper case. A status that is not known is one of running. */
function stateOf(batch: JsonObject): BatchState | undefined {
  const id = textIn(batch.id);
  if (id === undefined) return undefined;
  const status = (textIn(batch.status) ?? 'unknown').toLowerCase();
  const counts = objectOf(batch.request_counts);
  const results = [batch.output_file_id, batch.error_file_id].filter((file) => typeof file === 'string' && file !== '');
  const end = ENDS[status];
  const usage = objectOf(batch.usage);
  const counted =
    typeof usage.input_tokens === 'number' && typeof usage.output_tokens === 'number' && end !== undefined;
  const mistakes = listOf(objectOf(batch.errors).data)
    .map(objectOf)
    .map(({ line, code, message }) => ({
      line: typeof line === 'number' && line >= 1 ? line - 1 : undefined,
      code: textIn(code) ?? '',
      message: textIn(message) ?? textIn(code) ?? 'no reason is told',
    }));
  return {
    id,
    // Something came back all the same.
    end: end === 'refused' && results.length > 0 ? 'expired' : end,
    status,
    total: countIn(counts.total),
    answered: countIn(counts.completed),
    mistakes,
    ...(counted
      ? {
          usage: {
            inputTokens: countIn(usage.input_tokens),
            cachedInputTokens: countIn(objectOf(usage.input_tokens_details).cached_tokens),
            outputTokens: countIn(usage.output_tokens),
          },
        }
      : {}),
    results: results as string[],
  };
}

/** Where the body of an answer ends. */
const TAIL = '},"error":null}';

function rowOf(line: string): BatchRow {
  const cut = cutBody(line, 'body', TAIL);
  const { custom_id: known, response: answer } = cut?.rest ?? {};
  if (cut !== undefined && typeof known === 'string' && isJsonObject(answer)) {
    const { body, parsed } = cut;
    return { type: 'response', id: known, status: countIn(answer.status_code), body, parsed };
  }
  const row = objectIn(line);
  const id = textIn(row?.custom_id);
  if (row === undefined || id === undefined) return { type: 'unreadable', text: line };
  const response = objectOf(row.response);
  if (row.response !== null && row.response !== undefined) {
    return { type: 'response', id, status: countIn(response.status_code), body: bodyText(response.body) };
  }
  const { code } = objectOf(row.error);
  if (/expired/.test(String(code))) return { type: 'expired', id };
  if (/cancel/.test(String(code))) return { type: 'cancelled', id };
  return { type: 'response', id, status: 500, body: bodyText({ error: row.error ?? null }) };
}
