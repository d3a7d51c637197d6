/** `/completions`: text or token ids in, text out; with `echo`, the log probabilities of the prompt's own tokens. */

import { z } from 'zod';
import { type Decoded, type ModelRef, type Request, type Usage, usageOf } from '../../core/call.ts';
import { bodyOf, sampling } from '../body.ts';
import { decoded } from '../decoded.ts';
import { type EchoedTokens, separateEcho, tokenLogprobs, tokensOf } from './token-logprobs.ts';

export interface CompletionArguments {
  /** A rendered prompt, or the token ids of one. */
  readonly prompt: string | readonly number[];
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  /** Repeat the prompt at the head of the reply. */
  readonly echo?: boolean;
  /** How many alternatives to report at each token; any value asks for the log probabilities of the tokens themselves. */
  readonly logprobs?: number;
  readonly seed?: number;
  /** Ask for the ids of prompt and reply, where the server gives them. */
  readonly returnTokenIds?: boolean;
}

export interface CompletionReply {
  readonly text: string;
  /** `stop`, `length`, or a server's own word; null where it said none. */
  readonly finishReason: string | null;
  /** The model that answered, by its own account. */
  readonly model: string | null;
  readonly usage: Usage;
  /** Present when log probabilities came: with `echo` those of the prompt too, else of the reply alone. */
  readonly echo?: EchoedTokens;
  /** The prompt's tokens came in a part of their own, which holds no generated one. */
  readonly separateEcho?: true;
  readonly tokenIds?: readonly number[];
  readonly promptTokenIds?: readonly number[];
}

/** A request for a completion. Absent arguments are absent from the body. */
export function completion(model: ModelRef, args: CompletionArguments, draw: string): Request<CompletionReply> {
  const { dialect } = model;
  return {
    identity: model.identity,
    path: '/completions',
    body: bodyOf(dialect, {
      model: model.model,
      prompt: args.prompt,
      [dialect.tokenLimit]: args.maxTokens,
      ...sampling(dialect, args),
      stop: args.stop,
      echo: args.echo,
      logprobs: args.logprobs,
      seed: args.seed,
      return_token_ids: args.returnTokenIds,
    }),
    draw,
    decode: decodeCompletion,
  };
}

/**
 * A request for the log probabilities of a text that is already there: prompt and response joined, nothing to be
 * generated but what the server insists on (`dialect.echoTokens`). No temperature is sent: servers report T = 1.
 */
export function forcedText(
  model: ModelRef,
  text: string | readonly number[],
  draw: string,
  { returnTokenIds = false }: { readonly returnTokenIds?: boolean } = {},
): Request<CompletionReply> {
  return completion(
    model,
    {
      prompt: text,
      maxTokens: model.dialect.echoTokens,
      echo: true,
      logprobs: 1,
      ...(returnTokenIds ? { returnTokenIds } : {}),
    },
    draw,
  );
}

const ids = z.array(z.number()).nullish();

const schema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        text: z.string(),
        finish_reason: z.string().nullish(),
        logprobs: tokenLogprobs.nullish(),
        token_ids: ids,
        prompt_token_ids: ids,
      }),
    )
    .min(1),
  // Some servers answer an echo in a part of its own instead of in the choice.
  prompt: z.unknown().optional(),
  prompt_token_ids: ids,
});

/** Reads a raw reply of `/completions`. Fields that are not named here pass unseen. */
export function decodeCompletion(raw: unknown): Decoded<CompletionReply> {
  return decoded(schema, raw, (reply) => {
    const choice = reply.choices[0]!;
    const separate = separateEcho(reply.prompt);
    const echoed = separate ?? choice.logprobs;
    const promptTokenIds = choice.prompt_token_ids ?? reply.prompt_token_ids;
    return {
      text: choice.text,
      finishReason: choice.finish_reason ?? null,
      model: reply.model ?? null,
      usage: usageOf(raw),
      ...(echoed ? { echo: tokensOf(echoed) } : {}),
      ...(separate ? { separateEcho: true } : {}),
      ...(choice.token_ids ? { tokenIds: choice.token_ids } : {}),
      ...(promptTokenIds ? { promptTokenIds } : {}),
    };
  });
}

/** How many tokens a reply says that it read and generated; what it does not count is absent. */
export function countsOf({ promptTokenIds, separateEcho, usage }: Partial<CompletionReply>): {
  readonly prompt?: number;
  readonly byIds?: boolean;
  readonly generated?: number;
  readonly separate?: true;
} {
  const counted = usage !== undefined && usage.inputTokens > 0;
  return {
    ...(separateEcho ? { separate: true } : {}),
    ...(counted ? { generated: usage.outputTokens } : {}),
    ...(promptTokenIds !== undefined && promptTokenIds.length > 0
      ? { prompt: promptTokenIds.length, byIds: true }
      : counted
        ? { prompt: usage.inputTokens }
        : {}),
  };
}
