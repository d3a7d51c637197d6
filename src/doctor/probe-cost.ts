/** The most that examining a model can ask: what is announced, and may cost, before anything is sent. */

import type { Lane } from '../core/batch.ts';
import type { Request } from '../core/call.ts';
import { inputTokensAtMost } from '../core/cost.ts';
import { canonicalJson } from '../core/json.ts';
import type { PriceBook } from '../core/provider-port.ts';
import { protocolAt } from '../protocols/index.ts';
import { textProtocolOf } from '../protocols/text-protocols.ts';
import { baseRequests } from './base.ts';
import { batchTrials } from './batches.ts';
import { type ProbeDialect, probeDialectOf, rowIn, type Try, triable } from './dialect.ts';
import { OPEN_QUESTIONS, OPEN_TOKENS, shortAnswers } from './generation.ts';
import type { ToyItem } from './made-up.ts';
import type { ProbeReply } from './probe.ts';
import { answersOf, isOfMessages, PLAIN, type ProbeTarget, QUESTION, type Use } from './probe-targets.ts';
import { BASE, OWN_UNITS, ROWS, type SampleRow } from './sample-call.ts';

export interface ProbeCost {
  readonly calls: number;
  /** Dollars that the calls cannot pass; null where a price is unknown. */
  readonly dollars: number | null;
}

/** A reply that satisfies nobody, in every API's shape: whoever reads it asks again as often as it ever would. */
const SILENCE: ProbeReply = {
  ok: true,
  raw: {
    choices: [{ text: '?', message: { content: '?' } }],
    content: [{ type: 'text', text: '?' }],
    prompt_token_ids: [0, 1],
    prompt_logprobs: [null, { '1': { logprob: -1 } }],
  },
};
/** Bytes that one UTF-16 unit can take in a body, written as an escape. */
const BYTES_PER_UNIT = 6;

/** Every request that probing a target may send, each as long as it can be. */
interface RequestsAtMost {
  readonly rows: readonly Request[];
  /** For each setting that may be tried once, the rows it may be tried on: one of them is then asked anew, from its start. */
  readonly tries: ReadonlyMap<Try, readonly (readonly Request[])[]>;
}

function requestsAtMost(target: ProbeTarget, overlong: SampleRow | undefined): RequestsAtMost {
  const { ref, uses } = target;
  // As if each change that makes a body longer had been made already.
  const probeDialect = probeDialectOf(ref);
  const longest = { bos: 'prompt', echoTokens: 1, tokenLimit: 'max_completion_tokens', json: 'object' } as const;
  probeDialect.ref = { ...ref, dialect: { ...ref.dialect, ...longest } };
  const rows: Request[] = [];
  const tries = new Map<Try, (readonly Request[])[]>();
  for (const use of uses) {
    const first = allAsked(use, use.role === 'forcing' ? BASE : use.role === 'chat' ? QUESTION : PLAIN, probeDialect);
    rows.push(...first);
    const [base] = first;
    if (base === undefined) continue;
    for (const setting of triable(use.role)) tries.set(setting, [...(tries.get(setting) ?? []), first]);
    if (use.role === 'forcing') {
      if (!isOfMessages(use)) rows.push(...forcingAtMost(use, probeDialect, uses, base, overlong));
      const answers = answersOf(uses);
      if (answers !== undefined) rows.push(...generationAtMost(use, answers, probeDialect));
    }
  }
  return { rows, tries };
}

function forcingAtMost(
  use: Use,
  probeDialect: ProbeDialect,
  uses: readonly Use[],
  base: Request,
  overlong: SampleRow | undefined,
): Request[] {
  const own = { prompt: PLAIN.prompt, response: 'x'.repeat(OWN_UNITS * BYTES_PER_UNIT) };
  const answers = uses.some(({ role }) => role === 'completion');
  const rows: ToyItem[] = [...(answers ? [own] : []), ...ROWS, answers ? own : BASE];
  if (overlong !== undefined) rows.push(overlong);
  const ids = new Array<number>(inputTokensAtMost(Buffer.byteLength(String(base.body.prompt)))).fill(999_999);
  const { ref } = probeDialect;
  const { force } = textProtocolOf(ref);
  const asked = [String(base.body.prompt), ids].map((prompt) => force(ref, prompt, 'ids', { returnTokenIds: true }));
  return [...rows.flatMap((row) => allAsked(use, row, probeDialect)), ...asked];
}

/** Answers, the same forced by ids behind the ids of their prompts, and by text; and one answer with alternatives. */
function generationAtMost(use: Use, answers: Use, probeDialect: ProbeDialect): Request[] {
  const short = { ...answers, params: shortAnswers(answers) };
  const text = 'x'.repeat(OPEN_TOKENS * BYTES_PER_TOKEN);
  return OPEN_QUESTIONS.flatMap((prompt) => {
    const asked = allAsked(short, { prompt, response: '' }, probeDialect);
    const forced = allAsked(use, { prompt, response: text }, probeDialect);
    const base = baseRequests(probeDialect.ref, asked[0]?.body ?? {});
    // By ids behind those of the prompt, which are asked for, then in disorder, then by text; each after the ids of its prompt.
    return [
      ...asked,
      ...forced,
      ...forced,
      ...forced,
      ...forced,
      ...forced,
      ...(base === undefined ? [] : [base.alternatives, base.draws]),
    ];
  });
}

/** Bytes of one token, at the most that one is taken to have. */
const BYTES_PER_TOKEN = 16;

function allAsked(use: Use, item: ToyItem, probeDialect: ProbeDialect): Request[] {
  const probe = rowIn(use, item, probeDialect);
  const requests: Request[] = [];
  for (let step = probe.next(); !step.done; step = probe.next(SILENCE)) requests.push(step.value);
  return requests;
}

/** @param batches whether a batch of one is made of each way of asking that can wait */
export function probeCostOf(
  targets: readonly ProbeTarget[],
  overlong: SampleRow | undefined,
  prices: PriceBook,
  batches = false,
): ProbeCost {
  const costs: ProbeCost[] = [];
  for (const target of targets) {
    const { rows, tries } = requestsAtMost(target, overlong);
    costs.push(costOf(rows, prices));
    if (batches) {
      const requests = batchTrials(target).map(({ request }) => request);
      costs.push(costOf(requests, prices, 'batch'));
    }
    for (const ways of tries.values()) {
      const each = ways.map((way) => costOf(way, prices));
      const dollars = each.map((cost) => cost.dollars);
      costs.push({
        calls: Math.max(...each.map(({ calls }) => calls)),
        dollars: dollars.includes(null) ? null : Math.max(...dollars.map(Number)),
      });
    }
  }
  return sumOf(costs);
}

function costOf(requests: readonly Request[], prices: PriceBook, lane: Lane = 'online'): ProbeCost {
  const costs: ProbeCost[] = [];
  for (const { identity, path, body: fields } of requests) {
    const model = protocolAt(path).modelOf(fields);
    const dollars = prices.worstCase(identity, model, { path, body: canonicalJson(fields), fields }, lane);
    // What has no price is not asked, unless the money is simulated.
    if (dollars !== undefined || prices.simulated(identity)) costs.push({ calls: 1, dollars: dollars ?? null });
  }
  return sumOf(costs);
}

const sumOf = (costs: readonly ProbeCost[]): ProbeCost => ({
  calls: costs.reduce((sum, { calls }) => sum + calls, 0),
  dollars: costs.reduce<number | null>(
    (sum, { dollars }) => (sum === null || dollars === null ? null : sum + dollars),
    0,
  ),
});
