/** Rows as the stages make them, against a server with an exactly known model; shared by the tests of forcing. */

import type { Answer, Dialect, ModelRef, Request } from '../../src/core/call.ts';
import { NO_USAGE } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { RowGenerator } from '../../src/core/kind.ts';
import { LOGPROBS, RESPONSES } from '../../src/datasets/row-types.ts';
import type { LogprobRow, ResponseRow } from '../../src/datasets/rows.ts';
import { logprobs } from '../../src/kinds/logprobs.ts';
import { responses } from '../../src/kinds/responses.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { renderChat } from '../../src/teacher-forcing/templates.ts';
import { dialect } from '../helpers/dialect.ts';
import { oddly } from '../servers/odd-ways.ts';
import { answerAt, exactLogprob, isEnd, type Ways } from '../servers/tokenizer-server.ts';

/** Made once: making and compiling schemas anew for each row took a third of these tests. */
const RESPONSE_ROW = RESPONSES.schema();
export const LOGPROB_ROW = LOGPROBS.schema();

export const ref = (changes: Partial<Dialect> = {}, model = 'base'): ModelRef => ({
  identity: 'http://lab/v1',
  model,
  dialect: dialect(changes),
});

export const policyOf = (model: ModelRef, system?: string) => ({
  model,
  draw: 'p0',
  temperature: 1,
  top_p: 1,
  max_tokens: 60,
  prompt: '{{prompt}}',
  ...(system === undefined ? {} : { system }),
});

interface Driven {
  readonly row: JsonObject;
  readonly requests: readonly Request[];
}

/** Answers a kind's own requests as the server would, through its own decoder. */
export function drive(generator: RowGenerator, ways: Ways, sample: string, odd = ''): Driven {
  const requests: Request[] = [];
  let step = generator.next();
  while (!step.done) {
    const request = step.value;
    requests.push(request);
    const answered = answerAt(request.path, request.body, `${sample} ${request.draw}`, ways);
    const { status, body } = odd === '' ? answered : oddly(answered, request.body, odd);
    const raw = JSON.parse(JSON.stringify(body)) as JsonObject;
    const decoded = status === 200 ? request.decode(raw) : undefined;
    const usage = protocolAt(request.path).usageOf(raw) ?? NO_USAGE;
    const answer: Answer<unknown> = decoded?.ok
      ? { ok: true, reply: decoded.value, usage }
      : { ok: false, failure: { class: 'permanent', reason: decoded ? 'malformed_reply' : 'rejected', message: '' } };
    step = generator.next(answer);
  }
  return { row: step.value, requests };
}

export const SAMPLES = 30;
export const prompts = Array.from({ length: SAMPLES }, (_, index) => ({
  prompt_id: `p${index}`,
  prompt: ['Say hello in Russian.', 'What is 2 + 2?', '東京について', 'Why?'][index % 4]!,
}));

export interface Sampled {
  readonly row: ResponseRow;
  /** The ids of the response, as the server sampled them. */
  readonly ids: readonly number[];
}

export function sampledUnder(model: ModelRef, ways: Ways, odd = '', most = SAMPLES): Sampled[] {
  return prompts.slice(0, most).map((prompt) => {
    const params = { policy: policyOf(model), temperature: 'policy' as const, draws: 1, replicate: 0 };
    const { row, requests } = drive(responses.row(prompt, params), ways, prompt.prompt_id, odd);
    // The server samples the same whatever it shows, so its plainest showing tells the ids.
    const told = answerAt(
      requests[0]!.path,
      { ...requests[0]!.body, logprobs: 1, return_token_ids: true },
      `${prompt.prompt_id} ${requests[0]!.draw}`,
    );
    const [{ token_ids: all }] = told.body.choices as [{ token_ids: number[] }];
    RESPONSE_ROW.parse(row);
    return { row: row as ResponseRow, ids: isEnd(all.at(-1)) ? all.slice(0, -1) : all };
  });
}

export interface Outcome {
  readonly rows: readonly LogprobRow[];
  /** Rows that are `ok` and not the exact value. */
  readonly wrong: readonly string[];
  readonly statuses: Readonly<Record<string, number>>;
  readonly requests: readonly Request[];
}

export function forcedUnder(
  model: ModelRef,
  ways: Ways,
  of: readonly Sampled[],
  { system, odd = '' }: { readonly system?: string; readonly odd?: string } = {},
): Outcome {
  const rows: LogprobRow[] = [];
  const wrong: string[] = [];
  const statuses: Record<string, number> = {};
  const sent: Request[] = [];
  for (const { row, ids } of of) {
    const params = { policy: policyOf(model, system), passes: 1, replicate: 0 };
    const { row: made, requests } = drive(logprobs.row(row, params), ways, row.prompt_id, odd);
    LOGPROB_ROW.parse(made);
    const forced = made as LogprobRow;
    rows.push(forced);
    sent.push(...requests);
    statuses[forced.status] = (statuses[forced.status] ?? 0) + 1;
    if (forced.status !== 'ok') continue;
    const messages = [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user' as const, content: row.prompt },
    ];
    const exact = exactLogprob(model.model, renderChat('llama4', messages, { bos: false }), ids);
    if (Math.abs((forced.logprob ?? Number.NaN) - exact) > 1e-6)
      wrong.push(`${row.prompt_id}: ${forced.logprob}, ${exact}`);
  }
  return { rows, wrong, statuses, requests: sent };
}
