/** The most that examining a model can ask: what is announced, and may cost, before anything is sent. */

import type { Request } from '../core/call.ts';
import { inputTokensAtMost } from '../core/cost.ts';
import { canonicalJson } from '../core/json.ts';
import type { PriceBook } from '../core/market.ts';
import { completion } from '../protocols/openai-completions/completions.ts';
import { BASE, type CanaryRow, OWN_UNITS, ROWS } from './canary.ts';
import { rowIn, type Setting, type Speech, speechOf, triable } from './dialect.ts';
import type { ToyItem } from './made-up.ts';
import type { ProbeReply } from './probe.ts';
import { PLAIN, QUESTION, type Subject, type Use } from './subjects.ts';

export interface Prospect {
  readonly calls: number;
  /** Dollars that the calls cannot pass; null where a price is unknown. */
  readonly dollars: number | null;
}

/** A reply that satisfies nobody: whoever reads it asks again as often as it ever would. */
const SILENCE: ProbeReply = { ok: true, raw: { choices: [{ text: '', message: { content: '' } }] } };
/** Bytes that one UTF-16 unit can take in a body, written as an escape. */
const BYTES_PER_UNIT = 6;

/** Every request that examining the subject may send, each as long as it can be. */
export function requestsAtMost(subject: Subject, overlong: CanaryRow | undefined): Request[] {
  const { ref, uses } = subject;
  // As if each change that makes a body longer had been made already.
  const speech = speechOf(ref);
  speech.ref = { ...ref, dialect: { ...ref.dialect, bos: 'prompt', echoTokens: 1 } };
  const requests: Request[] = [];
  const tries = new Map<Setting, Request>();
  for (const use of uses) {
    const first = allAsked(use, use.role === 'forcing' ? BASE : use.role === 'chat' ? QUESTION : PLAIN, speech);
    requests.push(...first);
    const [base] = first;
    if (base === undefined) continue;
    for (const setting of triable(use.role)) {
      const before = tries.get(setting);
      if (before === undefined || sizeOf(base) > sizeOf(before)) tries.set(setting, base);
    }
    if (use.role === 'forcing') requests.push(...forcingAtMost(use, speech, uses, base, overlong));
  }
  return [...requests, ...tries.values()];
}

function forcingAtMost(
  use: Use,
  speech: Speech,
  uses: readonly Use[],
  base: Request,
  overlong: CanaryRow | undefined,
): Request[] {
  const own = { prompt: PLAIN.prompt, response: 'x'.repeat(OWN_UNITS * BYTES_PER_UNIT) };
  const answers = uses.some(({ role }) => role === 'completion');
  const rows: ToyItem[] = [...(answers ? [own] : []), ...ROWS, answers ? own : BASE];
  if (overlong !== undefined) rows.push(overlong);
  const ids = new Array<number>(inputTokensAtMost(Buffer.byteLength(String(base.body.prompt)))).fill(999_999);
  const byIds = completion(speech.ref, { prompt: ids, maxTokens: 1, echo: true, logprobs: 1 }, 'ids');
  return [...rows.flatMap((row) => allAsked(use, row, speech)), byIds];
}

function allAsked(use: Use, item: ToyItem, speech: Speech): Request[] {
  const probe = rowIn(use, item, speech);
  const requests: Request[] = [];
  for (let step = probe.next(); !step.done; step = probe.next(SILENCE)) requests.push(step.value);
  return requests;
}

const sizeOf = ({ body }: Request): number => Buffer.byteLength(canonicalJson(body));

export function prospectOf(subjects: readonly Subject[], overlong: CanaryRow | undefined, prices: PriceBook): Prospect {
  let calls = 0;
  let dollars: number | null = 0;
  for (const subject of subjects) {
    const { identity, model } = subject.ref;
    for (const { body } of requestsAtMost(subject, overlong)) {
      const worst = prices.worstCase(identity, model, canonicalJson(body));
      // What has no price is not asked, unless the money is simulated.
      if (worst === undefined && !prices.simulated(identity)) continue;
      calls++;
      dollars = worst === undefined || dollars === null ? null : dollars + worst;
    }
  }
  return { calls, dollars };
}
