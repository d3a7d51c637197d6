/** `/chat/completions` of the world: the judge and the oracle, and policies that are asked by messages. */

import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { renderChat, type TemplateMessage } from '../../teacher-forcing/templates.ts';
import { completionReply } from './completion-reply.ts';
import { judge, label } from './judge.ts';
import { ORACLE_MODEL } from './policy.ts';
import { readJudged } from './reading.ts';
import { type Call, errorReply, type Reply } from './reply.ts';
import { chanceOfCall, type World } from './world.ts';

/** Bytes that count as one token of a chat. */
const BYTES_PER_TOKEN = 4;
/** The highest score where the schema names none. */
const SCALE = 10;
const TEMPLATE = 'llama4';
const DEFAULT_TOKENS = 1024;

export function chatReply(world: World, call: Call): Reply {
  const messages = messagesOf(call.body.messages);
  if (messages === undefined) return errorReply(400, null, 'messages must be a list of {role, content}');
  const maxTokens = call.body.max_tokens ?? call.body.max_completion_tokens ?? DEFAULT_TOKENS;
  if (typeof maxTokens !== 'number' || maxTokens < 1) return errorReply(400, null, 'max_tokens must be 1 or more');
  const temperature = call.body.temperature ?? 1;
  if (typeof temperature !== 'number' || temperature < 0 || temperature > 2) {
    return errorReply(400, null, 'temperature must be from 0 to 2');
  }
  const message = messages.map(({ content }) => content).join('\n\n');
  const promptTokens = tokensOf(message);
  if (promptTokens + maxTokens > world.config.contextTokens) {
    return errorReply(
      400,
      'context_length_exceeded',
      `This model's maximum context length is ${world.config.contextTokens} tokens, your messages have ${promptTokens}.`,
    );
  }
  const schema = schemaOf(call.body.response_format);
  const isJudging = schema !== undefined || call.model === ORACLE_MODEL || readJudged(message).prompt !== null;
  if (!isJudging) return speak(world, call, messages);

  const verdict =
    call.model === ORACLE_MODEL
      ? certain(label(message, world.config))
      : judge(message, temperature, chanceOfCall(call.text, call.key), world.config);
  const whole = schema === undefined ? inWords(message, verdict.score) : JSON.stringify(filled(schema, verdict));
  const content = whole.slice(0, maxTokens * BYTES_PER_TOKEN);
  return replyOf(call, content, whole === content ? 'stop' : 'length', promptTokens, tokensOf(content));
}

const tokensOf = (text: string) => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
const certain = (score: number) => ({ score, lower: score, upper: score });

function messagesOf(messages: Json | undefined): TemplateMessage[] | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return undefined;
  const read = (messages as Json[]).flatMap((message): TemplateMessage[] => {
    if (!isJsonObject(message)) return [];
    const { role, content } = message;
    if (role !== 'system' && role !== 'user' && role !== 'assistant') return [];
    return typeof content === 'string' ? [{ role, content }] : [];
  });
  return read.length === messages.length ? read : undefined;
}

function schemaOf(format: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(format) || format.type !== 'json_schema' || !isJsonObject(format.json_schema)) return undefined;
  const { schema } = format.json_schema;
  return isJsonObject(schema) && isJsonObject(schema.properties) ? schema : undefined;
}

/** The form of an answer that is asked for in words, where one is: an object with the places of its values. */
const FORM = /^Answer with one JSON object and nothing else: (\{.*\})$/m;

/** An answer in the form that the message asks for; a plain number where it asks for none. */
function inWords(message: string, share: number): string {
  const form = FORM.exec(message)?.[1];
  if (form === undefined) return written(share, SCALE);
  return form
    .replace(/NUMBER FROM (-?[\d.]+) TO (-?[\d.]+)/g, (_, low: string, high: string) =>
      written(Number(low) + share * (Number(high) - Number(low)), 1),
    )
    .replace('"YOUR REASONS"', `"Quality ${written(share, SCALE)} of ${SCALE}."`)
    .replace('"A", "B" OR "tie"', share >= 0.5 ? '"A"' : '"B"');
}

/** The schema's properties by what their names promise; a property of another name gets something of its type. */
function filled(schema: JsonObject, { score, lower, upper }: ReturnType<typeof certain>): JsonObject {
  const values: Record<string, Json> = {};
  for (const [name, property] of Object.entries(schema.properties as JsonObject)) {
    const { type, maximum, minimum, properties, enum: words } = isJsonObject(property) ? property : {};
    if (isJsonObject(properties)) {
      values[name] = filled(property as JsonObject, { score, lower, upper });
      continue;
    }
    if (Array.isArray(words) && words.length > 0) {
      values[name] = words[Math.min(words.length - 1, Math.floor((1 - score) * words.length))] as Json;
      continue;
    }
    const high = typeof maximum === 'number' ? maximum : SCALE;
    const low = typeof minimum === 'number' ? minimum : 0;
    const share = /lower|low\b|min/i.test(name) ? lower : /upper|high\b|max/i.test(name) ? upper : score;
    const number = low === 0 ? Number(written(share, high)) : Number(written(low + share * (high - low), 1));
    values[name] =
      type === 'integer'
        ? Math.round(number)
        : type === 'string'
          ? `Quality ${written(score, SCALE)} of ${SCALE}.`
          : type === 'boolean'
            ? true
            : type === 'array'
              ? []
              : number;
  }
  return values;
}

/** Two decimals, no more than are there. */
const written = (share: number, scale: number) => String(Math.round(share * scale * 100) / 100);

/** A policy that is asked by messages answers as it would through `/completions`. */
function speak(world: World, call: Call, messages: readonly TemplateMessage[]): Reply {
  const { messages: _, response_format: __, ...settings } = call.body;
  const body = { ...settings, prompt: renderChat(TEMPLATE, messages, { bos: false }) };
  const reply = completionReply(world, { ...call, body: { max_tokens: DEFAULT_TOKENS, ...body, logprobs: null } });
  if (reply.status !== 200) return reply;
  const { choices, usage } = reply.body as {
    choices: [{ text: string; finish_reason: string }];
    usage: { prompt_tokens: number; completion_tokens: number };
  };
  const [{ text, finish_reason }] = choices;
  return replyOf(call, text, finish_reason, usage.prompt_tokens, usage.completion_tokens);
}

function replyOf(
  { digest, model }: Call,
  content: string,
  finishReason: string,
  promptTokens: number,
  completionTokens: number,
): Reply {
  return {
    status: 200,
    body: {
      id: `chatcmpl-${digest}`,
      object: 'chat.completion',
      created: 0,
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content, refusal: null },
          finish_reason: finishReason,
          logprobs: null,
        },
      ],
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
      },
    },
  };
}
