/** The most that examining a model can ask: what is announced, and may cost, before anything is sent. */

import type { Request } from '../core/call.ts';
import { inputTokensAtMost } from '../core/cost.ts';
import { canonicalJson } from '../core/json.ts';
import type { PriceBook } from '../core/provider-port.ts';
import { openaiCompletions } from '../protocols/openai-completions/completions.ts';
import { type ProbeDialect, probeDialectOf, rowIn, type Setting, triable } from './dialect.ts';
import type { ToyItem } from './made-up.ts';
import type { ProbeReply } from './probe.ts';
import { PLAIN, type ProbeTarget, QUESTION, type Use } from './probe-targets.ts';
import { BASE, OWN_UNITS, ROWS, type SampleRow } from './sample-call.ts';

export interface ProbeCost {
  readonly calls: number;
  /** Dollars that the calls cannot pass; null where a price is unknown. */
  readonly dollars: number | null;
}

/** A reply that satisfies nobody, in every API's shape: whoever reads it asks again as often as it ever would. */
const SILENCE: ProbeReply = { ok: true, raw: { choices: [{ text: '', message: { content: '' } }], content: [] } };
/** Bytes that one UTF-16 unit can take in a body, written as an escape. */
const BYTES_PER_UNIT = 6;

/** Every request that probing the target may send, each as long as it can be. */
export function requestsAtMost(target: ProbeTarget, overlong: SampleRow | undefined): Request[] {
  const { ref, uses } = target;
  // As if each change that makes a body longer had been made already.
  const probeDialect = probeDialectOf(ref);
  probeDialect.ref = { ...ref, dialect: { ...ref.dialect, bos: 'prompt', echoTokens: 1 } };
  const requests: Request[] = [];
  const tries = new Map<Setting, Request>();
  for (const use of uses) {
    const first = allAsked(use, use.role === 'forcing' ? BASE : use.role === 'chat' ? QUESTION : PLAIN, probeDialect);
    requests.push(...first);
    const [base] = first;
    if (base === undefined) continue;
    for (const setting of triable(use.role)) {
      const before = tries.get(setting);
      if (before === undefined || sizeOf(base) > sizeOf(before)) tries.set(setting, base);
    }
    if (use.role === 'forcing') requests.push(...forcingAtMost(use, probeDialect, uses, base, overlong));
  }
  return [...requests, ...tries.values()];
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
  const byIds = openaiCompletions.complete(
    probeDialect.ref,
    { prompt: ids, maxTokens: 1, echo: true, logprobs: 1 },
    'ids',
  );
  return [...rows.flatMap((row) => allAsked(use, row, probeDialect)), byIds];
}

function allAsked(use: Use, item: ToyItem, probeDialect: ProbeDialect): Request[] {
  const probe = rowIn(use, item, probeDialect);
  const requests: Request[] = [];
  for (let step = probe.next(); !step.done; step = probe.next(SILENCE)) requests.push(step.value);
  return requests;
}

const sizeOf = ({ body }: Request): number => Buffer.byteLength(canonicalJson(body));

export function probeCostOf(
  targets: readonly ProbeTarget[],
  overlong: SampleRow | undefined,
  prices: PriceBook,
): ProbeCost {
  let calls = 0;
  let dollars: number | null = 0;
  for (const target of targets) {
    const { identity, model } = target.ref;
    for (const { path, body } of requestsAtMost(target, overlong)) {
      const worst = prices.worstCase(identity, model, { path, body: canonicalJson(body) });
      // What has no price is not asked, unless the money is simulated.
      if (worst === undefined && !prices.simulated(identity)) continue;
      calls++;
      dollars = worst === undefined || dollars === null ? null : dollars + worst;
    }
  }
  return { calls, dollars };
}
