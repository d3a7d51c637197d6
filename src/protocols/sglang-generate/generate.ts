/**
 * `/generate` of SGLang, which lies beside `/v1`: token ids in, and the log probabilities of those from a place on. Nothing
 * before it is computed again, so the cache of prompts stays of use.
 */

import { z } from 'zod';
import { type Decoded, type ModelRef, NO_USAGE, type Request, type Usage } from '../../core/call.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { CompletionReply, Protocol, Verdict } from '../../core/protocol.ts';
import { countedTokens } from '../../core/usage.ts';
import { OPENAI } from '../openai/api.ts';
import { bodyOf } from '../shared/body.ts';
import { count } from '../shared/count.ts';
import { decoded } from '../shared/decoded.ts';
import { writtenText } from '../shared/messages.ts';
import { ANSWER, noAnswer } from '../shared/verdict.ts';

/** Below the base URL, which ends in `/v1`. */
const PATH = '/../generate';

interface MeasuringProtocol extends Protocol {
  /**
   * The log probabilities of `ids` from `start` on; `start` is at least 1. The echo begins with the token before it, which
   * has none.
   *
   * @param top how many of the likeliest tokens to tell at each place; 0 for none
   */
  measure(
    model: ModelRef,
    ids: readonly number[],
    draw: string,
    options: { readonly start: number; readonly top: number },
  ): Request<CompletionReply>;
}

export const sglangGenerate: MeasuringProtocol = {
  ...OPENAI,
  name: 'sglang-generate',
  batches: [],
  echoes: () => true,
  path: PATH,
  measure,
  outputCap({ sampling_params: sampling }) {
    return isJsonObject(sampling) ? count(sampling.max_new_tokens) : undefined;
  },
  textsOf({ input_ids: ids, ...settings }) {
    return { texts: [{ name: 'prompt', text: writtenText(ids) }], settings };
  },
  answerOf: () => undefined,
  verdictOf,
  usageOf,
  servedModel: () => undefined,
  endOf({ meta_info: info }) {
    const end = isJsonObject(info) ? info.finish_reason : undefined;
    return isJsonObject(end) && typeof end.type === 'string' ? end.type : null;
  },
};

function measure(
  model: ModelRef,
  ids: readonly number[],
  draw: string,
  { start, top }: { readonly start: number; readonly top: number },
): Request<CompletionReply> {
  const body = bodyOf(model.dialect, {
    // It names the model in keys and bills; a server of one model passes it over.
    model: model.model,
    input_ids: ids,
    sampling_params: { max_new_tokens: 0, temperature: 1 },
    return_logprob: true,
    logprob_start_len: start - 1,
    return_text_in_logprobs: true,
    top_logprobs_num: top === 0 ? undefined : top,
  });
  return { identity: model.identity, path: PATH, body, draw, decode };
}

function verdictOf({ meta_info: info }: JsonObject): Verdict {
  if (!isJsonObject(info)) return noAnswer('malformed_reply', 'meta_info: not there');
  const { finish_reason: end, input_token_logprobs: values } = info;
  if (isJsonObject(end) && end.type === 'abort') {
    return { type: 'error', message: `the reply was aborted: ${writtenText(end.message)}`, error: end };
  }
  return Array.isArray(values) ? ANSWER : noAnswer('malformed_reply', 'meta_info.input_token_logprobs: not there');
}

function usageOf({ meta_info: info }: JsonObject): Usage | undefined {
  if (!isJsonObject(info)) return undefined;
  const [inputTokens, outputTokens] = [countedTokens(info.prompt_tokens), countedTokens(info.completion_tokens)];
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return { inputTokens, cachedInputTokens: countedTokens(info.cached_tokens) ?? 0, outputTokens };
}

const entry = z.tuple([z.number().nullable(), z.number(), z.string().nullish()]);

const schema = z.object({
  meta_info: z.object({
    input_token_logprobs: z.array(entry).min(1),
    input_top_logprobs: z.array(z.array(entry).nullable()).nullish().catch(null),
  }),
});

function decode(raw: unknown): Decoded<CompletionReply> {
  return decoded(
    schema,
    verdictOf,
    raw,
    ({ meta_info: { input_token_logprobs: entries, input_top_logprobs: top } }) => ({
      text: '',
      finishReason: null,
      model: null,
      usage: usageOf(raw as JsonObject) ?? NO_USAGE,
      echo: {
        tokens: entries.map(([, id, text]) => text ?? `token_id:${id}`),
        tokenLogprobs: entries.map(([value]) => value),
        tokenIds: entries.map(([, id]) => id),
        ...(top ? { likeliest: top.map((place) => place?.flatMap(([value]) => value ?? []) ?? null) } : {}),
      },
    }),
  );
}
