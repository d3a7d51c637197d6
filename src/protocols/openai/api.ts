/** What OpenAI's APIs have in common: credential, usage, errors, limits and the list of models. */

import type { Usage } from '../../core/call.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Protocol, SaidTexts } from '../../core/protocol.ts';
import { countedTokens } from '../../core/usage.ts';
import { count } from '../shared/count.ts';
import { readError } from '../shared/errors.ts';
import { readListing } from '../shared/listing.ts';
import { saidIn, writtenText } from '../shared/messages.ts';
import { servedModel } from '../shared/served-model.ts';
import { readRateReport } from './rate-headers.ts';

type Shared =
  | 'echoes'
  | 'auth'
  | 'endOf'
  | 'servedModel'
  | 'modelOf'
  | 'outputCap'
  | 'textsOf'
  | 'usageOf'
  | 'errorOf'
  | 'rateReport'
  | 'models';

export const OPENAI: Pick<Protocol, Shared> = {
  auth: (key): Readonly<Record<string, string>> => (key === undefined ? {} : { authorization: `Bearer ${key}` }),
  echoes: ({ echo, prompt_logprobs: prompt }) => echo === true || prompt !== undefined,
  modelOf: ({ model }) => (typeof model === 'string' ? model : ''),
  outputCap,
  textsOf,
  endOf(raw) {
    const { finish_reason: end } = choiceOf(raw);
    return typeof end === 'string' ? end : null;
  },
  servedModel,
  usageOf,
  errorOf: readError,
  rateReport: readRateReport,
  models: { path: '/models', read: readListing },
};

function outputCap(body: JsonObject): number | undefined {
  const cap = count(body.max_completion_tokens) ?? count(body.max_tokens);
  const answers = Math.max(count(body.n) ?? 1, count(body.best_of) ?? 1, 1) * promptsIn(body.prompt);
  return cap === undefined ? undefined : cap * answers;
}

/** A prompt is a text, a list of token ids, or a list of either. */
function promptsIn(prompt: unknown): number {
  if (!Array.isArray(prompt) || prompt.length === 0) return 1;
  return typeof prompt[0] === 'number' ? 1 : prompt.length;
}

function textsOf(body: JsonObject): SaidTexts {
  const { messages, prompt, ...settings } = body;
  const texts = saidIn(messages);
  if (prompt !== undefined) texts.push({ name: 'prompt', text: writtenText(prompt) });
  return { texts, settings };
}

/**
 * Both counts, or nothing: some servers name one, and a bill cannot be made of that. Where the total is more than the two,
 * as of servers that count thoughts apart, all of it was billed.
 */
export function usageOf({ usage }: JsonObject): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const inputTokens = countedTokens(usage.prompt_tokens);
  const completion = countedTokens(usage.completion_tokens);
  if (inputTokens === undefined || completion === undefined) return undefined;
  const outputTokens = Math.max(completion, (countedTokens(usage.total_tokens) ?? 0) - inputTokens);
  const details = usage.prompt_tokens_details;
  const cached = isJsonObject(details) ? countedTokens(details.cached_tokens) : undefined;
  return { inputTokens, cachedInputTokens: cached ?? 0, outputTokens };
}

/** The first choice of a reply. */
export function choiceOf({ choices }: JsonObject): JsonObject {
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  return isJsonObject(choice) ? choice : {};
}
