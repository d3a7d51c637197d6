/** `/chat/completions`: messages in, one message out, as JSON of a given schema where one is asked for. */

import { z } from 'zod';
import { type Decoded, type Dialect, type ModelRef, NO_USAGE, type Request } from '../../core/call.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ChatProtocol, ChatReply, ChatSettings, Message } from '../../core/protocol.ts';
import { choiceOf, OPENAI, usageOf } from '../openai/api.ts';
import { textOf } from '../openai/choice.ts';
import { tokenLogprobs, tokensOf } from '../openai/token-logprobs.ts';
import { bodyForm, sampling } from '../shared/body.ts';
import { decoded } from '../shared/decoded.ts';
import { listOf } from '../shared/messages.ts';
import { withSchemaInWords } from '../shared/worded-schema.ts';
import { verdictOf } from './verdict.ts';

const PATH = '/chat/completions';

export const openaiChat: ChatProtocol = {
  ...OPENAI,
  name: 'openai-chat',
  path: PATH,
  batches: ['openai', 'fireworks'],
  form,
  decode,
  verdictOf,
  answerOf(raw) {
    const { message } = choiceOf(raw);
    return isJsonObject(message) && typeof message.content === 'string' ? message.content : undefined;
  },
};

function form(
  model: ModelRef,
  settings: ChatSettings,
): (messages: readonly Message[], draw: string) => Request<ChatReply> {
  const { dialect, identity } = model;
  const { jsonSchema } = settings;
  const written = bodyForm(
    dialect,
    {
      model: model.model,
      [dialect.tokenLimit]: settings.maxTokens,
      ...sampling(dialect, settings),
      response_format: jsonSchema === undefined ? undefined : formatOf(jsonSchema, dialect),
      seed: settings.seed,
      reasoning_effort: settings.reasoningEffort,
      ...tokensAsked(settings),
    },
    'messages',
  );
  return (messages, draw) => {
    const worded = dialect.json !== undefined && jsonSchema !== undefined;
    const { list, pieces } = listOf(worded ? withSchemaInWords(messages, jsonSchema.schema) : messages);
    const made = written(list, pieces);
    return { identity, path: PATH, body: made.body, written: made, draw, decode };
  };
}

/** Tokens and their ids; `top_logprobs` is refused by some servers where it asks for none. */
function tokensAsked({ logprobs, returnTokenIds }: ChatSettings): Readonly<Record<string, Json | undefined>> {
  return {
    logprobs: logprobs === undefined ? undefined : true,
    top_logprobs: logprobs === undefined || logprobs === 0 ? undefined : logprobs,
    return_token_ids: returnTokenIds,
  };
}

/** As strictly as the server can. */
function formatOf(
  { name, schema }: NonNullable<ChatSettings['jsonSchema']>,
  { json }: Dialect,
): JsonObject | undefined {
  switch (json) {
    case undefined:
      return { json_schema: { name, schema, strict: true }, type: 'json_schema' };
    case 'object':
      return { type: 'json_object' };
    case 'none':
      return undefined;
  }
}

const ids = z.array(z.number()).nullish().catch(null);

const schema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.unknown(),
          // What else stands under these names is no text, and no reason to refuse the reply.
          reasoning_content: z.string().nullish().catch(null),
          reasoning: z.string().nullish().catch(null),
        }),
        finish_reason: z.string().nullish(),
        // What a server tells of tokens unasked is no reason to refuse its answer.
        logprobs: tokenLogprobs.nullish().catch(null),
        token_ids: ids,
      }),
    )
    .min(1),
  prompt_token_ids: ids,
});

/** Reads a raw reply of `/chat/completions`. Fields that are not named here pass unseen. */
function decode(raw: unknown): Decoded<ChatReply> {
  return decoded(schema, verdictOf, raw, (reply) => {
    const choice = reply.choices[0]!;
    return {
      content: textOf(choice.message.content) ?? null,
      reasoning: choice.message.reasoning_content ?? choice.message.reasoning ?? null,
      finishReason: choice.finish_reason ?? null,
      model: reply.model ?? null,
      usage: usageOf(raw as JsonObject) ?? NO_USAGE,
      ...(choice.logprobs ? { echo: tokensOf(choice.logprobs) } : {}),
      ...(choice.token_ids ? { tokenIds: choice.token_ids } : {}),
      ...(reply.prompt_token_ids ? { promptTokenIds: reply.prompt_token_ids } : {}),
    };
  });
}
