/**
 * The world behind Anthropic's `/messages`: a request becomes the chat that the world answers, and the answer becomes
 * blocks of content. Whatever differs between the two APIs is here, so the world and its quirks know one of them.
 */

import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Reply } from './world/index.ts';

export const MESSAGES = '/messages';
/** The path by which the world is asked instead. */
export const CHAT = '/chat/completions';

/** The chat that a request amounts to, or what is wrong with it. */
export function chatOf(body: JsonObject): JsonObject | Reply {
  const { system, messages, tools, tool_choice: choice, ...settings } = body;
  if (typeof body.max_tokens !== 'number') return refusal('max_tokens: Field required');
  if (!Array.isArray(messages)) return refusal('messages: Field required');
  const turns = (messages as readonly Json[]).map((turn) =>
    isJsonObject(turn) ? { ...turn, content: textOf(turn.content) } : turn,
  );
  const tool = isJsonObject(choice) && choice.type === 'tool' ? toolNamed(tools, choice.name) : null;
  if (tool === undefined) return refusal('tool_choice: there is no tool of this name');
  return {
    ...settings,
    messages: system === undefined ? turns : [{ role: 'system', content: textOf(system) }, ...turns],
    ...(tool === null
      ? {}
      : { response_format: { type: 'json_schema', json_schema: { name: tool.name!, schema: tool.input_schema! } } }),
  };
}

/** The world's reply to that chat, in this API's shape. */
export function messagesReply({ status, body }: Reply, asked: JsonObject): Reply {
  if (!isJsonObject(body)) return { status, body };
  if (status !== 200) {
    const { message } = isJsonObject(body.error) ? body.error : {};
    return { status, body: errorBody(status, typeof message === 'string' ? message : '') };
  }
  const choice = Array.isArray(body.choices) ? (body.choices[0] as JsonObject) : {};
  const said = isJsonObject(choice.message) ? String(choice.message.content ?? '') : '';
  const usage = isJsonObject(body.usage) ? body.usage : {};
  const choiceOfTool = isJsonObject(asked.tool_choice) ? asked.tool_choice.name : undefined;
  const input = typeof choiceOfTool === 'string' ? objectIn(said) : undefined;
  const cut = choice.finish_reason === 'length';
  return {
    status,
    body: {
      id: String(body.id ?? '').replace(/^chatcmpl-/, 'msg_'),
      type: 'message',
      role: 'assistant',
      model: body.model ?? null,
      content:
        input === undefined
          ? [{ type: 'text', text: said }]
          : [{ type: 'tool_use', id: 'toolu_0', name: choiceOfTool as string, input }],
      stop_reason: cut ? 'max_tokens' : input === undefined ? 'end_turn' : 'tool_use',
      stop_sequence: null,
      usage: {
        input_tokens: usage.prompt_tokens ?? 0,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: usage.completion_tokens ?? 0,
      },
    },
  };
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  529: 'overloaded_error',
};

function errorBody(status: number, message: string): JsonObject {
  return { type: 'error', error: { type: TYPES[status] ?? 'api_error', message } };
}

const refusal = (message: string): Reply => ({ status: 400, body: errorBody(400, message) });

function toolNamed(tools: Json | undefined, name: Json | undefined): JsonObject | undefined {
  const all = Array.isArray(tools) ? (tools as readonly Json[]).filter(isJsonObject) : [];
  return all.find((tool) => tool.name === name && isJsonObject(tool.input_schema));
}

/** A text, or the texts of a list of blocks. */
function textOf(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  const blocks = Array.isArray(content) ? (content as readonly Json[]).filter(isJsonObject) : [];
  return blocks.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
}

/** What is said as an object; undefined where it is none, as when a quirk has the model speak freely. */
function objectIn(said: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(said);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
