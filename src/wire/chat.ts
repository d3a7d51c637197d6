/** `/chat/completions`: messages in, one message out, as JSON of a given schema where one is asked for. */

import { z } from 'zod';
import { type Decoded, type ModelRef, type Request, type Usage, usageOf } from '../core/call.ts';
import type { JsonObject } from '../core/json.ts';
import { bodyOf, sampling } from './body.ts';
import { decoded } from './decoded.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatArguments {
  readonly messages: readonly Message[];
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  /** Asks for a reply of this schema, strictly; see {@link jsonSchemaOf}. */
  readonly jsonSchema?: { readonly name: string; readonly schema: JsonObject };
  readonly seed?: number;
}

export interface ChatReply {
  /** Null where the model refused, or said nothing. */
  readonly content: string | null;
  readonly refusal: string | null;
  readonly finishReason: string | null;
  /** The model that answered, by its own account. */
  readonly model: string | null;
  readonly usage: Usage;
}

/** A request for one chat message. Absent arguments are absent from the body. */
export function chat(model: ModelRef, args: ChatArguments, draw: string): Request<ChatReply> {
  const { dialect } = model;
  return {
    identity: model.identity,
    path: '/chat/completions',
    body: bodyOf(dialect, {
      model: model.model,
      messages: args.messages.map(({ role, content }) => ({ content, role })),
      [dialect.tokenLimit]: args.maxTokens,
      ...sampling(dialect, args),
      response_format:
        args.jsonSchema === undefined
          ? undefined
          : {
              json_schema: { name: args.jsonSchema.name, schema: args.jsonSchema.schema, strict: true },
              type: 'json_schema',
            },
      seed: args.seed,
    }),
    draw,
    decode: decodeChat,
  };
}

const schema = z.looseObject({
  model: z.string().nullish(),
  choices: z
    .array(
      z.looseObject({
        message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
});

/** Reads a raw reply of `/chat/completions`. Fields that are not named here pass unseen. */
export function decodeChat(raw: unknown): Decoded<ChatReply> {
  return decoded(schema, raw, (reply) => {
    const choice = reply.choices[0]!;
    return {
      content: choice.message.content ?? null,
      refusal: choice.message.refusal ?? null,
      finishReason: choice.finish_reason ?? null,
      model: reply.model ?? null,
      usage: usageOf(raw),
    };
  });
}
