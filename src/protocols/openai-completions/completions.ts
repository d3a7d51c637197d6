/** `/completions`: text or token ids in, text out; with `echo`, the log probabilities of the prompt's own tokens. */

import { z } from 'zod';
import { type Decoded, type ModelRef, NO_USAGE, type Request } from '../../core/call.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { CompletionArguments, CompletionReply, EchoedTokens, TextProtocol } from '../../core/protocol.ts';
import { choiceOf, OPENAI, usageOf } from '../openai/api.ts';
import { textOf } from '../openai/choice.ts';
import { bodyOf, sampling } from '../shared/body.ts';
import { decoded } from '../shared/decoded.ts';
import { verdictOf } from './verdict.ts';

const PATH = '/completions';

export const openaiCompletions: TextProtocol = {
  ...OPENAI,
  name: 'openai-completions',
  path: PATH,
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
function force(model: ModelRef, text: string | readonly number[], draw: string): Request<CompletionReply> {
  return complete(model, { prompt: text, maxTokens: model.dialect.echoTokens, echo: true, logprobs: 1 }, draw);
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
function decode(raw: unknown): Decoded<CompletionReply> {
  return decoded(schema, verdictOf, raw, (reply) => {
    const choice = reply.choices[0]!;
    const echoed = separateEcho(reply.prompt) ?? choice.logprobs;
    const promptTokenIds = choice.prompt_token_ids ?? reply.prompt_token_ids;
    return {
      text: textOf(choice.text) ?? '',
      finishReason: choice.finish_reason ?? null,
      model: reply.model ?? null,
      usage: usageOf(raw as JsonObject) ?? NO_USAGE,
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
