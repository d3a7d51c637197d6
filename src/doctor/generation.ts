/**
 * Are forced log probabilities those of generation? The model answers, its tokens are kept as a stage would keep them, and
 * forced again: by their ids, else by their text. What both sides share, `base.ts` looks for.
 */

import type { Forcing } from '../core/call.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { examineBase } from './base.ts';
import { gaveRow, type ProbeDialect } from './dialect.ts';
import { madeUpItem } from './made-up.ts';
import { type Check, check, type Probe, type RowResult, rowOf } from './probe.ts';
import { isOfMessages, type Use, withModel } from './probe-targets.ts';

/** Questions whose answers are uncertain from token to token, and in more than one script. */
export const OPEN_QUESTIONS: readonly string[] = [
  'Write two sentences about any animal.',
  'Greet me in Russian, Hindi and Japanese, with an emoji after each.',
  'Make up a short story of a lighthouse.',
];
/** Tokens of an answer that is forced again. */
export const OPEN_TOKENS = 64;
/** Nats a token that the same tokens may be apart, in the median. */
const SAME = 0.05;

interface GenerationFindings {
  readonly checks: readonly Check[];
  /** The setting that keeps tokens and compares them; absent where none does. */
  readonly forcing?: Forcing;
}

/** The uses' own requests, with answers that are short and uncertain. */
export function shortAnswers(answers: Use): JsonObject {
  const policy = isJsonObject(answers.params.policy) ? answers.params.policy : {};
  return {
    ...answers.params,
    policy: { ...policy, max_tokens: OPEN_TOKENS, temperature: 1, top_p: 1 },
    temperature: 'policy',
  };
}

/** Forcing under the very prompt that the answers are given to. */
function sameFraming(use: Use, answers: Use): JsonObject {
  const asked = isJsonObject(answers.params.policy) ? answers.params.policy : {};
  const { system: _, ...rest } = isJsonObject(use.params.policy) ? use.params.policy : {};
  const policy = {
    ...rest,
    ...(asked.prompt === undefined ? {} : { prompt: asked.prompt }),
    ...(asked.system === undefined ? {} : { system: asked.system }),
  };
  return { ...use.params, policy };
}

export function* examineGeneration(use: Use, answers: Use, probeDialect: ProbeDialect): Probe<GenerationFindings> {
  const { dialect } = probeDialect.ref;
  const generated = yield* generate(answers, probeDialect);
  const sampled = generated.filter((result) => gaveRow(result) && result.row?.sampled !== undefined);
  if (sampled.length === 0) {
    const detail = 'no tokens come with an answer, so forced values cannot be compared with those of generation';
    return { checks: [check('generation', dialect.forcing === undefined ? 'note' : 'failure', detail)] };
  }
  const base = yield* examineBase(generated, probeDialect);
  const checks = base === undefined ? [] : [base];
  const written = dialect.forcing;
  const told: string[] = [];
  for (const way of waysOf(written, isOfMessages(use))) {
    const found = yield* compare(use, answers, probeDialect, { way, sampled });
    if (found.verdict === 'other') return { checks: [...checks, found.check] };
    if (found.verdict === 'same') {
      if (written !== undefined && way !== written) {
        probeDialect.changes.push({ setting: 'forcing', value: way, because: told[0] ?? '' });
      }
      return { checks: [...checks, found.check], forcing: way };
    }
    told.push(`by ${way} ${found.check.detail}`);
  }
  const isUnchecked = told.every((detail) => detail.endsWith(UNTOLD));
  const status = written === undefined || isUnchecked ? 'warning' : 'failure';
  return { checks: [...checks, check('generation', status, `cannot be compared: ${told.join('; ')}`, HINTS.none)] };
}

/** As it is written first, then in the others: what does not work has a line only where another one does. */
function waysOf(written: Forcing | undefined, isOfMessages: boolean): readonly Forcing[] {
  const others: readonly Forcing[] = isOfMessages ? ['ids', 'chat'] : ['ids', 'text'];
  return written === undefined ? others : [written, ...others.filter((way) => way !== written)];
}

/** Answers with their tokens. Both ways of forcing ask for the same. */
function* generate(answers: Use, probeDialect: ProbeDialect): Probe<RowResult[]> {
  const params = withModel(shortAnswers(answers), probeDialect.written, withForcing(probeDialect, 'ids').ref);
  const results: RowResult[] = [];
  for (const prompt of OPEN_QUESTIONS) {
    const item = madeUpItem(answers.kind, answers.params, answers.inputs, { prompt, response: '' });
    const result = yield* rowOf(answers.kind, item, params);
    results.push(result);
    // A server that gives no tokens once gives none.
    if (result.row?.sampled === undefined) break;
  }
  return results;
}

const withForcing = (probeDialect: ProbeDialect, forcing: Forcing): ProbeDialect => ({
  ...probeDialect,
  ref: { ...probeDialect.ref, dialect: { ...probeDialect.ref.dialect, forcing } },
});

interface Compared {
  /** `other`: the values are wrong. `unusable`: nothing could be compared in this way. */
  readonly verdict: 'same' | 'other' | 'unusable';
  readonly check: Check;
}

function* compare(
  use: Use,
  answers: Use,
  probeDialect: ProbeDialect,
  { way, sampled }: { readonly way: Forcing; readonly sampled: readonly RowResult[] },
): Probe<Compared> {
  const params = withModel(sameFraming(use, answers), probeDialect.written, withForcing(probeDialect, way).ref);
  const statuses: string[] = [];
  const found: { readonly agreement: string; readonly median: number; readonly largest: number }[] = [];
  for (const { row } of sampled) {
    const { row: forced, failure } = yield* rowOf(use.kind, row, params);
    statuses.push(String(forced?.status ?? failure?.reason ?? 'no row'));
    const comparison = forced?.check;
    if (isJsonObject(comparison)) {
      const { agreement, median, largest } = comparison;
      found.push({ agreement: String(agreement), median: Number(median), largest: Number(largest) });
    }
  }
  const wrong = found.find(({ agreement, median }) => agreement !== 'agrees' || median > SAME);
  if (wrong !== undefined) {
    const name = wrong.agreement === 'agrees' ? 'differs' : wrong.agreement;
    return {
      verdict: 'other',
      check: check('generation', 'failure', MODES[name] ?? name, HINTS[name] ?? HINTS.differs),
    };
  }
  const ok = statuses.filter((status) => status === 'ok').length;
  const isByText = way === 'text' || way === 'chat';
  if (!isByText) statuses.push(...(yield* forceDisordered(use, params, sampled)));
  const isTaken = isByText || !statuses.some((status) => NOT_TAKEN.has(status));
  if (found.length === 0 || ok === 0 || !isTaken) {
    const detail = ok > 0 && isTaken ? UNTOLD : [...new Set(statuses)].join(', ');
    return { verdict: 'unusable', check: check('generation', 'note', detail) };
  }
  const largest = Math.max(...found.map((each) => each.largest));
  const lost = statuses.slice(0, sampled.length).filter((status) => status !== 'ok');
  const but = lost.length === 0 ? '' : `; ${lost.length} of ${sampled.length} are ${[...new Set(lost)].join(', ')}`;
  const detail = `forced by ${way}, ${ok} answers have the values of generation, ${largest.toPrecision(2)} nats apart at most${but}`;
  return { verdict: 'same', check: check('generation', 'ok', detail) };
}

const UNTOLD = 'no log probabilities come with what is generated';

/** What becomes of ids that a server does not read as they are. */
const NOT_TAKEN = new Set(['retokenized', 'echo_cut', 'shape', 'rejected', 'no_token_ids', 'bos', 'malformed_reply']);

/** An order of tokens that no tokenizer makes of a text: a server that reads ids as text makes others of it. */
function* forceDisordered(use: Use, params: JsonObject, sampled: readonly RowResult[]): Probe<string[]> {
  const row = sampled[0]?.row;
  if (row === undefined || !isJsonObject(row.sampled)) return [];
  const all = sampled.flatMap(({ row: each }) => {
    const kept = isJsonObject(each?.sampled) ? each.sampled : {};
    const most = typeof kept.count === 'number' ? kept.count : undefined;
    return Array.isArray(kept.ids) ? (kept.ids as readonly number[]).slice(0, most) : [];
  });
  if (all.length === 0) return [];
  // Short tokens have small ids, so that in order they stand beside others with which they would be one.
  const ordered = [...all].sort((a, b) => a - b);
  const ids = [...ordered, ...[...ordered].reverse()];
  const item = { ...row, sampled: { ...row.sampled, ids, count: ids.length } };
  const { row: forced, failure } = yield* rowOf(use.kind, item, params);
  return [String(forced?.status ?? failure?.reason ?? 'no row')];
}

const MODES: Readonly<Record<string, string>> = {
  zeroed: 'zeroed: tokens are certain when forced that were uncertain when they were generated',
  shifted: 'shifted: each forced token has the value of its neighbour',
  scaled: 'scaled: forced values are a multiple of those of generation, another base or another scale',
  rounded:
    'rounded: forced values are told to a tenth, a hundredth or a thousandth alone, so that a long answer is off by nats',
  probability: 'probability: forced values are probabilities, not their logarithms',
  differs: 'differs: forced values are not those of generation',
};
const HINTS: Readonly<Record<string, string>> = {
  none: 'another server is needed to be sure of them: vLLM, SGLang, Fireworks',
  shifted:
    'llama-cpp-python pairs prompt log probabilities one place off for models without a beginning-of-text token; force on vLLM or SGLang',
  differs: 'such log probabilities are of no use: another server is needed, vLLM, SGLang, Fireworks',
};
