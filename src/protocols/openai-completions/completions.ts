/** `/completions`: text or token ids in, text out; with `echo`, the log probabilities of the prompt's own tokens. */

import { z } from 'zod';
import { type Decoded, type ModelRef, NO_USAGE, type Request } from '../../core/call.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { CompletionArguments, CompletionReply, TextProtocol } from '../../core/protocol.ts';
import { choiceOf, OPENAI, usageOf } from '../openai/api.ts';
import { textOf } from '../openai/choice.ts';
import { separateEcho, tokenLogprobs, tokensOf } from '../openai/token-logprobs.ts';
import { bodyOf, sampling } from '../shared/body.ts';
import { decoded } from '../shared/decoded.ts';
import { verdictOf } from './verdict.ts';

const PATH = '/completions';

export const openaiCompletions: TextProtocol = {
  ...OPENAI,
  name: 'openai-completions',
  path: PATH,
  batches: ['openai'],
  complete,
  force,
  decode,
  verdictOf,
  answerOf(raw) {
    const { text, logprobs } = choiceOf(raw);
    return typeof text === 'string' && !isJsonObject(logprobs) ? text : undefined;
  },
};

function complete(model: ModelRef, args: CompletionArguments, draw: string): Request<CompletionReply> {
  const { dialect } = model;
  return {
    identity: model.identity,
    path: PATH,
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
    decode,
  };
}

/**
 * A request for the log probabilities of a text that is already there: prompt and response joined, nothing to be
 * generated but what the server insists on (`dialect.echoTokens`). No temperature is sent: servers report T = 1.
 */
function force(
  model: ModelRef,
  text: string | readonly number[],
  draw: string,
  { returnTokenIds = false, logprobs = 1 }: { readonly returnTokenIds?: boolean; readonly logprobs?: number } = {},
): Request<CompletionReply> {
  return complete(
    model,
    {
      prompt: text,
      maxTokens: model.dialect.echoTokens,
      echo: true,
      logprobs,
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
        text: z.unknown(),
        reasoning_content: z.string().nullish().catch(null),
        reasoning: z.string().nullish().catch(null),
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
function decode(raw: unknown): Decoded<CompletionReply> {
  return decoded(schema, verdictOf, raw, (reply) => {
    const choice = reply.choices[0]!;
    const separate = separateEcho(reply.prompt);
    const echoed = separate ?? choice.logprobs;
    const reasoning = choice.reasoning_content ?? choice.reasoning;
    const promptTokenIds = choice.prompt_token_ids ?? reply.prompt_token_ids;
    return {
      text: textOf(choice.text) ?? '',
      finishReason: choice.finish_reason ?? null,
      model: reply.model ?? null,
      usage: usageOf(raw as JsonObject) ?? NO_USAGE,
      ...(reasoning ? { reasoning } : {}),
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

/** The echo with an id for each of its tokens, wherever the server puts them. */
export function withIds({
  echo,
  promptTokenIds,
}: Pick<CompletionReply, 'echo' | 'promptTokenIds'>): CompletionReply['echo'] {
  if (echo === undefined || echo.tokenIds !== undefined || promptTokenIds === undefined) return echo;
  const { tokens, tokenLogprobs, likeliest } = echo;
  // Nothing precedes a text's first token, so that a list which begins with a value leaves that token out.
  const isShort = typeof tokenLogprobs[0] === 'number' && tokenLogprobs[0] !== 0;
  const generated = tokens.length + (isShort ? 1 : 0) - promptTokenIds.length;
  if (generated < 0) return echo;
  const tokenIds = [...promptTokenIds, ...new Array<number>(generated).fill(-1)];
  return isShort
    ? {
        tokens: ['', ...tokens],
        tokenLogprobs: [null, ...tokenLogprobs],
        tokenIds,
        ...(likeliest === undefined ? {} : { likeliest: [null, ...likeliest] }),
      }
    : { ...echo, tokenIds };
}
