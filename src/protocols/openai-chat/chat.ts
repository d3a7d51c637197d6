/** `/chat/completions`: messages in, one message out, as JSON of a given schema where one is asked for. */

import { z } from 'zod';
import { type Decoded, type ModelRef, type Request, type Usage, usageOf } from '../../core/call.ts';
import type { JsonObject } from '../../core/json.ts';
import { type QuotedText, quote, run, type SharedPiece } from '../../core/pieces.ts';
import { bodyForm, sampling } from '../body.ts';
import { decoded } from '../decoded.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  /** With its JSON form, where that was joined from pieces. */
  readonly content: string | QuotedText;
}

export interface ChatSettings {
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  /** Asks for a reply of this schema, strictly; see {@link jsonSchemaOf}. */
  readonly jsonSchema?: { readonly name: string; readonly schema: JsonObject };
  readonly seed?: number;
  /** How long a reasoning model may think, in the words of its server. */
  readonly reasoningEffort?: string;
}

export interface ChatArguments extends ChatSettings {
  readonly messages: readonly Message[];
}

export interface ChatReply {
  /** Null where the model refused, or said nothing. */
  readonly content: string | null;
  /** What a reasoning model thought before it answered, where the server tells it apart. */
  readonly reasoning: string | null;
  readonly refusal: string | null;
  readonly finishReason: string | null;
  /** The model that answered, by its own account. */
  readonly model: string | null;
  readonly usage: Usage;
}

/** A request for one chat message. Absent arguments are absent from the body. */
export function chat(model: ModelRef, { messages, ...settings }: ChatArguments, draw: string): Request<ChatReply> {
  return chatForm(model, settings)(messages, draw);
}

/** Requests that differ in their messages and draws: what is the same in all of them is written once. */
export function chatForm(
  model: ModelRef,
  settings: ChatSettings,
): (messages: readonly Message[], draw: string) => Request<ChatReply> {
  const { dialect, identity } = model;
  const { jsonSchema } = settings;
  const form = bodyForm(
    dialect,
    {
      model: model.model,
      [dialect.tokenLimit]: settings.maxTokens,
      ...sampling(dialect, settings),
      response_format:
        jsonSchema === undefined
          ? undefined
          : {
              json_schema: { name: jsonSchema.name, schema: jsonSchema.schema, strict: true },
              type: 'json_schema',
            },
      seed: settings.seed,
      reasoning_effort: settings.reasoningEffort,
    },
    'messages',
  );
  return (messages, draw) => {
    const parts: JsonObject[] = [];
    const pieces: (string | SharedPiece)[] = [];
    for (const { role, content } of messages) {
      const { text, json } = typeof content === 'string' ? quote(content) : content;
      pieces.push(parts.length === 0 ? FIRST : NEXT, ...json, ROLES[role]);
      parts.push({ content: text, role });
    }
    const written = form(parts, parts.length === 0 ? ['[]'] : [...pieces, LAST]);
    return { identity, path: '/chat/completions', body: written.body, written, draw, decode: decodeChat };
  };
}

/** What stands around the contents in the list of messages. */
const FIRST = run('[{"content":');
const NEXT = run(',{"content":');
const LAST = run(']');
const ROLES = {
  system: run(',"role":"system"}'),
  user: run(',"role":"user"}'),
  assistant: run(',"role":"assistant"}'),
};

const schema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          // What else stands under these names is no text, and no reason to refuse the reply.
          reasoning_content: z.string().nullish().catch(null),
          reasoning: z.string().nullish().catch(null),
        }),
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
      reasoning: choice.message.reasoning_content ?? choice.message.reasoning ?? null,
      refusal: choice.message.refusal ?? null,
      finishReason: choice.finish_reason ?? null,
      model: reply.model ?? null,
      usage: usageOf(raw),
    };
  });
}
