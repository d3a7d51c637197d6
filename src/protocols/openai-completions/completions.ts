/** `/completions`: text or token ids in, text out; with `echo`, the log probabilities of the prompt's own tokens. */

import { z } from 'zod';
import { type Decoded, type ModelRef, type Request, type Usage, usageOf } from '../../core/call.ts';
import { bodyOf, sampling } from '../body.ts';
import { decoded } from '../decoded.ts';
import { textOf } from '../verdict.ts';
import { completionVerdict } from './verdict.ts';

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

/** Tokens with their log probabilities in nats; the arrays are as the server sent them, lengths unchecked. */
export interface EchoedTokens {
  readonly tokens: readonly string[];
  readonly tokenLogprobs: readonly (number | null)[];
  readonly tokenIds?: readonly number[];
  readonly textOffset?: readonly number[];
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
export function forcedText(model: ModelRef, text: string | readonly number[], draw: string): Request<CompletionReply> {
  return completion(model, { prompt: text, maxTokens: model.dialect.echoTokens, echo: true, logprobs: 1 }, draw);
}

const ids = z.array(z.number()).nullish();

const logprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  token_ids: ids,
  text_offset: z.array(z.number()).nullish(),
});

const schema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        text: z.unknown(),
        finish_reason: z.string().nullish(),
        logprobs: logprobs.nullish(),
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
  return decoded(schema, completionVerdict, raw, (reply) => {
    const choice = reply.choices[0]!;
    const echoed = separateEcho(reply.prompt) ?? choice.logprobs;
    const promptTokenIds = choice.prompt_token_ids ?? reply.prompt_token_ids;
    return {
      text: textOf(choice.text) ?? '',
      finishReason: choice.finish_reason ?? null,
      model: reply.model ?? null,
      usage: usageOf(raw),
      ...(echoed ? { echo: tokensOf(echoed) } : {}),
      ...(choice.token_ids ? { tokenIds: choice.token_ids } : {}),
      ...(promptTokenIds ? { promptTokenIds } : {}),
    };
  });
}

function separateEcho(prompt: unknown): z.infer<typeof logprobs> | undefined {
  if (!Array.isArray(prompt)) return undefined;
  const parsed = logprobs.safeParse((prompt[0] as { logprobs?: unknown } | undefined)?.logprobs);
  return parsed.success ? parsed.data : undefined;
}

function tokensOf(echoed: z.infer<typeof logprobs>): EchoedTokens {
  return {
    tokens: echoed.tokens,
    tokenLogprobs: echoed.token_logprobs,
    ...(echoed.token_ids ? { tokenIds: echoed.token_ids } : {}),
    ...(echoed.text_offset ? { textOffset: echoed.text_offset } : {}),
  };
}
