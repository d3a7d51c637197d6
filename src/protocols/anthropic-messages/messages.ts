/**
 * Anthropic's `/messages`: system text and messages in, blocks of content out. A schema is asked for as the input of the
 * one tool that the model must use, which every model of the API understands.
 */

import { z } from 'zod';
import { type Decoded, type ModelRef, NO_USAGE, type Request, type Usage } from '../../core/call.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type {
  ChatProtocol,
  ChatReply,
  ChatSettings,
  Message,
  SaidTexts,
  ServerError,
  Verdict,
} from '../../core/protocol.ts';
import { countedTokens } from '../../core/usage.ts';
import { bodyForm, bodyOf, sampling } from '../shared/body.ts';
import { count } from '../shared/count.ts';
import { decoded } from '../shared/decoded.ts';
import { readError } from '../shared/errors.ts';
import { readListing } from '../shared/listing.ts';
import { listOf, saidIn, writtenText } from '../shared/messages.ts';
import { servedModel } from '../shared/served-model.ts';
import { ANSWER, MESSAGE_LENGTH, noAnswer } from '../shared/verdict.ts';
import { withSchemaInWords } from '../shared/worded-schema.ts';
import { rateReport } from './rate-headers.ts';

const PATH = '/messages';
/** The version whose shapes are read here; not part of a key, as the shapes are what it pins. */
const VERSION = '2023-06-01';

export const anthropicMessages: ChatProtocol = {
  name: 'anthropic-messages',
  path: PATH,
  batches: ['anthropic'],
  echoes: () => false,
  auth: (key) => ({ 'anthropic-version': VERSION, ...(key === undefined ? {} : { 'x-api-key': key }) }),
  modelOf: ({ model }) => (typeof model === 'string' ? model : ''),
  outputCap: ({ max_tokens: cap }) => count(cap),
  textsOf,
  answerOf: (raw) => textIn(blocksOf(raw)) ?? undefined,
  verdictOf,
  servedModel,
  endOf,
  usageOf,
  errorOf,
  rateReport,
  models: { path: '/models?limit=1000', read: readListing },
  form,
  decode,
};

function form(
  model: ModelRef,
  settings: ChatSettings,
): (messages: readonly Message[], draw: string) => Request<ChatReply> {
  const { dialect, identity } = model;
  const { jsonSchema } = settings;
  const fields: Readonly<Record<string, Json | undefined>> = {
    model: model.model,
    max_tokens: settings.maxTokens,
    ...sampling(dialect, settings),
    ...(jsonSchema === undefined || dialect.json !== undefined
      ? {}
      : {
          tools: [{ name: jsonSchema.name, input_schema: jsonSchema.schema }],
          tool_choice: { type: 'tool', name: jsonSchema.name, disable_parallel_tool_use: true },
        }),
  };
  const written = bodyForm(dialect, fields, 'messages');
  return (given, draw) => {
    const worded = jsonSchema !== undefined && dialect.json !== undefined;
    const messages = worded ? withSchemaInWords(given, jsonSchema.schema) : given;
    const turns = messages.filter(({ role }) => role !== 'system');
    const { list, pieces } = listOf(turns);
    const common = { identity, path: PATH, draw, decode };
    if (turns.length < messages.length) {
      const system = messages.flatMap(({ role, content }) => (role === 'system' ? [plain(content)] : []));
      return { ...common, body: bodyOf(dialect, { ...fields, system: system.join('\n\n'), messages: list }) };
    }
    const made = written(list, pieces);
    return { ...common, body: made.body, written: made };
  };
}

const plain = (content: Message['content']): string => (typeof content === 'string' ? content : content.text);

const reply = z.object({
  model: z.string().nullish(),
  content: z.array(
    z.object({
      type: z.string(),
      text: z.string().optional(),
      thinking: z.string().optional(),
      input: z.record(z.string(), z.json()).optional(),
    }),
  ),
  stop_reason: z.string().nullish(),
});

/** The API's reasons to stop, in the words that kinds read. A tool that was used is an answer that was finished. */
const REASONS: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
};

function decode(raw: unknown): Decoded<ChatReply> {
  return decoded(reply, verdictOf, raw, ({ content, stop_reason: stopped, model }) => ({
    content: textIn(content),
    reasoning: thoughtsIn(content),
    finishReason: endOf({ stop_reason: stopped ?? null }),
    model: model ?? null,
    usage: usageOf(raw as JsonObject) ?? NO_USAGE,
  }));
}

function endOf({ stop_reason: stopped }: JsonObject): string | null {
  return typeof stopped === 'string' ? (REASONS[stopped] ?? stopped) : null;
}

function verdictOf(raw: JsonObject): Verdict {
  if (raw.type === 'error') return { type: 'error', message: `an error inside the reply: ${errorOf(raw).message}` };
  if (!Array.isArray(raw.content)) return noAnswer('malformed_reply', 'content: not there');
  const { stop_reason: stopped } = raw;
  const said = textIn(blocksOf(raw));
  if (stopped === 'refusal') {
    return noAnswer('refused', (said ?? 'the reply ended by "refusal"').slice(0, MESSAGE_LENGTH));
  }
  if (typeof stopped === 'string' && REASONS[stopped] === undefined) {
    return noAnswer('malformed_reply', `the reply ended by ${JSON.stringify(stopped)}`);
  }
  if (said !== null && said.trim() !== '') return ANSWER;
  const thought = blocksOf(raw).some(({ type }) => type === 'thinking' || type === 'redacted_thinking');
  const spent = endOf(raw) === 'length' && thought;
  return noAnswer('empty_response', spent ? 'reasoning used all of max_tokens' : 'the reply has no text');
}

interface Block {
  readonly type?: Json | undefined;
  readonly text?: Json | undefined;
  readonly thinking?: Json | undefined;
  readonly input?: Json | undefined;
}

function blocksOf({ content }: JsonObject): readonly Block[] {
  return Array.isArray(content) ? (content as readonly Json[]).filter(isJsonObject) : [];
}

/** The tool's input as JSON where a tool was used, else the text; null where there is neither. Thoughts are neither. */
function textIn(blocks: readonly Block[]): string | null {
  const used = blocks.find(({ type, input }) => type === 'tool_use' && input !== undefined);
  if (used !== undefined) return JSON.stringify(used.input);
  const texts = blocks.flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : []));
  return texts.length === 0 ? null : texts.join('');
}

function thoughtsIn(blocks: readonly Block[]): string | null {
  const thoughts = blocks.flatMap(({ type, thinking }) =>
    type === 'thinking' && typeof thinking === 'string' ? [thinking] : [],
  );
  return thoughts.length === 0 ? null : thoughts.join('\n\n');
}

/**
 * The API counts what it read from its cache and wrote to it apart from the rest of the input. Written input is priced
 * as fresh: nothing here asks for a cache to be written.
 */
function usageOf({ usage }: JsonObject): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const fresh = countedTokens(usage.input_tokens);
  const outputTokens = countedTokens(usage.output_tokens);
  if (fresh === undefined || outputTokens === undefined) return undefined;
  const cached = countedTokens(usage.cache_read_input_tokens) ?? 0;
  const written = countedTokens(usage.cache_creation_input_tokens) ?? 0;
  return { inputTokens: fresh + cached + written, cachedInputTokens: cached, outputTokens };
}

/** `{"type": "error", "error": {type, message}}`; what the API says in words alone gets the code that others have for it. */
function errorOf(body: unknown): ServerError {
  const { message, codes } = readError(body);
  const added: string[] = [];
  if (/credit balance is too low/i.test(message) || codes.includes('billing_error')) added.push('insufficient_quota');
  if (codes.includes('not_found_error') && /\bmodel\b/i.test(message)) added.push('model_not_found');
  if (codes.includes('authentication_error')) added.push('invalid_api_key');
  return { message, codes: [...codes, ...added] };
}

function textsOf(body: JsonObject): SaidTexts {
  const { system, messages, ...settings } = body;
  const texts = saidIn(messages);
  if (system !== undefined) texts.unshift({ name: 'system', text: writtenText(system) });
  return { texts, settings };
}
