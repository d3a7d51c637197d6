/**
 * vLLM's `prompt_logprobs` of messages: the last of them is an answer that is there already, and the server's own template
 * writes the text. It tells a token's log probability by its id, so that no text decides which token is meant.
 */

import { z } from 'zod';
import { type Decoded, type ModelRef, NO_USAGE, type Request } from '../../core/call.ts';
import type { JsonObject } from '../../core/json.ts';
import type { EchoedTokens, Message } from '../../core/protocol.ts';
import { usageOf } from '../openai/api.ts';
import { bodyForm } from '../shared/body.ts';
import { decoded } from '../shared/decoded.ts';
import { listOf } from '../shared/messages.ts';
import { openaiChat } from './chat.ts';
import { verdictOf } from './verdict.ts';

/** What a server tells of a prompt; absent parts are those that it does not tell. */
export interface PromptReply {
  readonly model: string | null;
  readonly promptTokenIds?: readonly number[];
  readonly echo?: EchoedTokens;
}

/**
 * The log probabilities of messages whose last one is an answer, left open.
 *
 * @param top how many of the likeliest tokens to tell at each place; 0 for none
 */
export function measureMessages(
  model: ModelRef,
  messages: readonly Message[],
  draw: string,
  { top }: { readonly top: number },
): Request<PromptReply> {
  return asking(model, messages, draw, {
    add_generation_prompt: false,
    continue_final_message: true,
    prompt_logprobs: top,
  });
}

/** The ids of the prompt that messages become, up to where an answer begins. */
export const askMessageIds = (model: ModelRef, messages: readonly Message[], draw: string): Request<PromptReply> =>
  asking(model, messages, draw, {});

function asking(
  model: ModelRef,
  messages: readonly Message[],
  draw: string,
  asked: Readonly<Record<string, boolean | number>>,
): Request<PromptReply> {
  const { dialect, identity } = model;
  const { list, pieces } = listOf(messages);
  const fields = { model: model.model, [dialect.tokenLimit]: 1, return_token_ids: true, ...asked };
  const written = bodyForm(dialect, fields, 'messages')(list, pieces);
  return { identity, path: openaiChat.path, body: written.body, written, draw, decode };
}

const place = z.record(z.string(), z.object({ logprob: z.number().nullable(), decoded_token: z.string().nullish() }));

const schema = z.object({
  model: z.string().nullish(),
  prompt_token_ids: z.array(z.number()).nullish(),
  prompt_logprobs: z.array(place.nullable()).nullish(),
});

function decode(raw: unknown): Decoded<PromptReply> {
  return decoded(schema, verdictOf, raw, ({ model, prompt_token_ids: ids, prompt_logprobs: places }) => ({
    model: model ?? null,
    usage: usageOf(raw as JsonObject) ?? NO_USAGE,
    ...(ids ? { promptTokenIds: ids } : {}),
    ...(ids && places ? { echo: echoOf(ids, places) } : {}),
  }));
}

/** A place that does not tell of its own token has no value, and so is a mistake of shape. */
function echoOf(ids: readonly number[], places: readonly (z.infer<typeof place> | null)[]): EchoedTokens {
  const own = places.map((told, index) => told?.[String(ids[index])]);
  return {
    tokens: own.map((told, index) => told?.decoded_token ?? `token_id:${ids[index]}`),
    tokenLogprobs: own.map((told) => told?.logprob ?? null),
    tokenIds: ids,
    likeliest: places.map((told) => told && Object.values(told).flatMap(({ logprob }) => logprob ?? [])),
  };
}
