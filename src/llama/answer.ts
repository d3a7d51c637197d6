/** Answers requests of OpenAI's protocols with a model in memory, in the shapes that vLLM answers in. */

import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { ModelFile } from '../core/local-engine.ts';
import { renderJinja } from '../teacher-forcing/jinja-template.ts';
import type { TemplateMessage } from '../teacher-forcing/templates.ts';
import type { Bindings, Llama, LlamaModel } from './bindings.ts';
import { type Generation, generate, generateBy, type LoadedModel, measure, type ScoredToken } from './engine.ts';
import { jsonGrammar } from './json-grammar.ts';

export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

interface AnswerOptions {
  readonly llama: Llama;
  readonly bindings: Bindings;
  readonly file: ModelFile;
  readonly loaded: LoadedModel;
  readonly seedOf: (step: number) => number;
  readonly signal: AbortSignal;
}

export const refusal = (status: number, message: string, code?: string): Answer => ({
  status,
  body: { error: { message, ...(code === undefined ? {} : { code }) } },
});

const COMPLETION_FIELDS = [
  'model',
  'prompt',
  'max_tokens',
  'temperature',
  'top_p',
  'echo',
  'logprobs',
  'seed',
  'return_token_ids',
];
const GENERATE_FIELDS = [
  'model',
  'input_ids',
  'sampling_params',
  'return_logprob',
  'logprob_start_len',
  'return_text_in_logprobs',
  'top_logprobs_num',
];
const CHAT_FIELDS = [
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'response_format',
  'seed',
  'chat_template_kwargs',
];

/** What is asked for and not done must not pass in silence. */
function unknownField(body: JsonObject, known: readonly string[]): Answer | undefined {
  const field = Object.keys(body).find((name) => !known.includes(name));
  return field === undefined ? undefined : refusal(400, `the local engine has no setting "${field}"`);
}

const numberIn = (value: Json | undefined, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

const usual = ({ temperature, top_p: topP }: JsonObject) => ({
  temperature: numberIn(temperature, 1),
  topP: numberIn(topP, 1),
});

function tooLong(tokens: number, { contextSize }: LoadedModel): Answer | undefined {
  // A text beyond the context would be cut in silence.
  if (tokens <= contextSize) return undefined;
  const message = `the local engine's context holds ${contextSize} tokens, and ${tokens} are needed`;
  return refusal(400, message, 'context_length_exceeded');
}

export async function answerCompletion(body: JsonObject, options: AnswerOptions): Promise<Answer> {
  const { file, loaded, seedOf, signal } = options;
  const { model } = loaded;
  const unknown = unknownField(body, COMPLETION_FIELDS);
  if (unknown !== undefined) return unknown;
  const prompt = promptIds(body.prompt, model, file);
  if (prompt === undefined) return refusal(400, 'prompt is a text, or a list of token ids');
  if (prompt.length === 0) return refusal(400, 'prompt has no tokens');
  const most = numberIn(body.max_tokens, 16);
  const long = tooLong(prompt.length + most, loaded);
  if (long !== undefined) return long;
  const top = numberIn(body.logprobs, 0);
  const echoed =
    body.echo === true ? await loaded.withSequence((sequence) => measure(sequence, prompt, { start: 0, top })) : [];
  const { tokens, ended }: Generation =
    most === 0
      ? { tokens: [], ended: false }
      : await loaded.withSequence((sequence) =>
          generate(sequence, model, prompt, { ...usual(body), most, top, seedOf, signal }),
        );
  const ids = tokens.map(({ id }) => id);
  const text = (body.echo === true ? model.detokenize(prompt, false) : '') + textAfter(prompt, ids, model);
  const shown = body.logprobs === undefined ? {} : { logprobs: listsOf([...echoed, ...tokens], model, top) };
  const returned = body.return_token_ids === true ? { token_ids: ids, prompt_token_ids: prompt } : {};
  return {
    status: 200,
    body: {
      object: 'text_completion',
      model: body.model ?? null,
      choices: [{ index: 0, text, finish_reason: ended ? 'stop' : 'length', ...shown, ...returned }],
      usage: usageOf(prompt.length, ids.length),
    },
  };
}

/** SGLang's own route: from a place on, so that no value of the prompt is computed. */
export async function answerGenerate(body: JsonObject, { file, loaded }: AnswerOptions): Promise<Answer> {
  const { model } = loaded;
  const ids = promptIds(body.input_ids, model, file);
  const start = numberIn(body.logprob_start_len, 0);
  const unknown = unknownField(body, GENERATE_FIELDS);
  if (unknown !== undefined) return unknown;
  if (ids === undefined || start < 0 || start >= ids.length) return refusal(400, 'input_ids has no token to measure');
  if (isJsonObject(body.sampling_params) && body.sampling_params.max_new_tokens !== 0) {
    return refusal(400, 'the local engine measures here, and generates nothing: max_new_tokens is 0');
  }
  const long = tooLong(ids.length, loaded);
  if (long !== undefined) return long;
  const top = numberIn(body.top_logprobs_num, 0);
  const measured = await loaded.withSequence((sequence) => measure(sequence, ids, { start: start + 1, top }));
  const { tokens } = listsOf(measured, model, 0);
  const entries = measured.map(({ id, logprob }, at) => [logprob, id, (tokens as readonly string[])[at] ?? '']);
  return {
    status: 200,
    body: {
      meta_info: {
        input_token_logprobs: [[null, ids[start] ?? 0, ''], ...entries],
        ...(top === 0
          ? {}
          : {
              input_top_logprobs: [
                null,
                ...measured.map(({ likeliest }) => likeliest.map(([id, value]) => [value, id, null])),
              ],
            }),
        prompt_tokens: ids.length,
        completion_tokens: 0,
        finish_reason: { type: 'length', length: 0 },
      },
    },
  };
}

export async function answerChat(body: JsonObject, options: AnswerOptions): Promise<Answer> {
  const { file, loaded, seedOf, signal } = options;
  const { model } = loaded;
  const unknown = unknownField(body, CHAT_FIELDS);
  if (unknown !== undefined) return unknown;
  if (file.template === null) return refusal(400, 'the model file has no chat template, so it takes no messages');
  const messages = messagesIn(body.messages);
  if (messages === undefined) return refusal(400, 'messages are of a role and a text');
  const variables = isJsonObject(body.chat_template_kwargs) ? body.chat_template_kwargs : {};
  const template = {
    source: file.template,
    bos: file.bos,
    variables: { eos_token: file.eos ?? '', ...variables },
    special: file.special,
  };
  const rendered = renderJinja(template, messages, { bos: false });
  if (rendered.status !== 'ok') return refusal(400, `the chat template refuses the messages: ${rendered.detail}`);
  const prompt = promptIds(rendered.prompt, model, file) ?? [];
  const most = numberIn(body.max_completion_tokens ?? body.max_tokens, 512);
  const long = tooLong(prompt.length + most, loaded);
  if (long !== undefined) return long;
  const sampling = { ...usual(body), most, seedOf, signal };
  const schema = schemaIn(body.response_format);
  const grammar = schema === undefined ? undefined : jsonGrammar(schema);
  if (schema !== undefined && grammar === undefined) return refusal(400, 'the JSON schema cannot be held to');
  const { text, tokens, ended } =
    grammar === undefined
      ? await loaded.withSequence(async (sequence) => {
          const made = await generate(sequence, model, prompt, { ...sampling, top: 0 });
          const ids = made.tokens.map(({ id }) => id);
          return { text: textAfter(prompt, ids, model), tokens: ids.length, ended: made.ended };
        })
      : await loaded.withSequence((sequence) => generateBy(options, sequence, model, prompt, { ...sampling, grammar }));
  return {
    status: 200,
    body: {
      object: 'chat.completion',
      model: body.model ?? null,
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: ended ? 'stop' : 'length' }],
      usage: usageOf(prompt.length, tokens),
    },
  };
}

/** Ids as they are; a text with the beginning-of-text token that the model wants, once. */
function promptIds(prompt: Json | undefined, model: LlamaModel, { bos }: ModelFile): readonly number[] | undefined {
  if (Array.isArray(prompt)) {
    return prompt.every((id) => typeof id === 'number') ? (prompt as readonly number[]) : undefined;
  }
  if (typeof prompt !== 'string') return undefined;
  const ids = model.tokenize(prompt, true);
  const begin = model.tokens.bos;
  return bos === null || begin === null || ids[0] === begin ? ids : [begin, ...ids];
}

/** Decoded as a whole, for a token may hold half a character. */
const textAfter = (prompt: readonly number[], ids: readonly number[], model: LlamaModel): string =>
  model.detokenize(ids, false, prompt.slice(-CONTEXT_OF_A_TOKEN));

/** Tokens before one that decide how it is written: whether a space opens it. */
const CONTEXT_OF_A_TOKEN = 8;

/** Lists side by side. Alternatives go by their ids, since two tokens can look alike. */
function listsOf(tokens: readonly ScoredToken[], model: LlamaModel, top: number): JsonObject {
  // Behind a letter, as a text that begins with a token may lose the space that opens it.
  const behind = model.tokenize('a', false);
  return {
    tokens: tokens.map(({ id }) => model.detokenize([id], true, behind)),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs:
      top === 0
        ? null
        : tokens.map(({ likeliest, logprob }) =>
            logprob === null ? null : Object.fromEntries(likeliest.map(([id, value]) => [`token_id:${id}`, value])),
          ),
  };
}

const usageOf = (prompt: number, completion: number): JsonObject => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});

function messagesIn(messages: Json | undefined): readonly TemplateMessage[] | undefined {
  if (!Array.isArray(messages)) return undefined;
  const read = (messages as readonly Json[]).flatMap((message): TemplateMessage[] => {
    if (!isJsonObject(message) || typeof message.content !== 'string') return [];
    const { role, content } = message;
    return role === 'system' || role === 'user' || role === 'assistant' ? [{ role, content }] : [];
  });
  return read.length === messages.length ? read : undefined;
}

/** The schema that a reply is held to; any object where JSON alone is asked for. */
function schemaIn(format: Json | undefined): Json | undefined {
  if (!isJsonObject(format)) return undefined;
  if (format.type === 'json_object') return { type: 'object' };
  return isJsonObject(format.json_schema) ? format.json_schema.schema : undefined;
}
