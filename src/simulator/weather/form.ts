/** A reply's body by its API: where its text, its end and its counts of tokens stand. */

import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

export type FormName = 'chat' | 'completions' | 'messages';

/** How one API writes what the faults change. */
export interface Form {
  textOf(body: JsonObject): string;
  /** Another text, or whatever stands in its place. */
  withText(body: JsonObject, text: Json): JsonObject;
  /** Why the model stopped, in this API's word for `stop`, `length`, `content_filter` or `error`. */
  withEnd(body: JsonObject, end: End): JsonObject;
  /** Fields beside the text. */
  withMore(body: JsonObject, more: JsonObject): JsonObject;
  /** No choice at all, or an empty list of them. */
  withoutChoices(body: JsonObject, left: 'none' | 'empty'): JsonObject;
  withRefusal(body: JsonObject, words: string): JsonObject;
  readonly usage: { readonly input: string; readonly output: string };
}

type End = 'length' | 'content_filter' | 'error';

const choice = (body: JsonObject): JsonObject => {
  const first: unknown = Array.isArray(body.choices) ? body.choices[0] : undefined;
  return isJsonObject(first) ? first : {};
};
const withChoice = (body: JsonObject, change: JsonObject): JsonObject => ({
  ...body,
  choices: [{ ...choice(body), ...change }],
});
const message = (body: JsonObject): JsonObject => {
  const { message: said } = choice(body);
  return isJsonObject(said) ? said : {};
};
const withoutChoices: Form['withoutChoices'] = (body, left) => {
  const { choices: _, ...rest } = body;
  return left === 'none' ? rest : { ...rest, choices: [] };
};

const OPENAI_USAGE = { input: 'prompt_tokens', output: 'completion_tokens' } as const;

const chat: Form = {
  textOf: (body) => String(message(body).content ?? ''),
  withText: (body, text) => withChoice(body, { message: { ...message(body), content: text } }),
  withEnd: (body, end) => withChoice(body, { finish_reason: end }),
  withMore: (body, more) => withChoice(body, { message: { ...message(body), ...more } }),
  withoutChoices,
  withRefusal: (body, words) => withChoice(body, { message: { ...message(body), content: null, refusal: words } }),
  usage: OPENAI_USAGE,
};

const completions: Form = {
  textOf: (body) => String(choice(body).text ?? ''),
  withText: (body, text) => withChoice(body, { text }),
  withEnd: (body, end) => withChoice(body, { finish_reason: end }),
  withMore: (body, more) => withChoice(body, more),
  withoutChoices,
  withRefusal: (body, words) => withChoice(body, { text: words, finish_reason: 'content_filter' }),
  usage: OPENAI_USAGE,
};

const ENDS: Readonly<Record<End, string>> = { length: 'max_tokens', content_filter: 'refusal', error: 'error' };

const messages: Form = {
  textOf(body) {
    const blocks = Array.isArray(body.content) ? (body.content as readonly Json[]).filter(isJsonObject) : [];
    const used = blocks.find(({ type }) => type === 'tool_use');
    if (used !== undefined) return JSON.stringify(used.input);
    return blocks.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
  },
  withText: (body, text) => ({
    ...body,
    content: typeof text === 'string' ? [{ type: 'text', text }] : Array.isArray(text) ? text : [],
    stop_reason: 'end_turn',
  }),
  withEnd: (body, end) => ({ ...body, stop_reason: ENDS[end] }),
  withMore: (body, more) => ({ ...body, ...more }),
  withoutChoices(body, left) {
    const { content: _, ...rest } = body;
    return left === 'none' ? rest : { ...rest, content: [] };
  },
  withRefusal: (body, words) => ({ ...body, content: [{ type: 'text', text: words }], stop_reason: 'refusal' }),
  usage: { input: 'input_tokens', output: 'output_tokens' },
};

const FORMS: Readonly<Record<FormName, Form>> = { chat, completions, messages };

export const formOf = (name: FormName): Form => FORMS[name];

/** The form of what is asked by a path; undefined for a path that is none of the three. */
export function formAt(path: string): FormName | undefined {
  switch (path) {
    case '/chat/completions':
      return 'chat';
    case '/completions':
      return 'completions';
    case '/messages':
      return 'messages';
    default:
      return undefined;
  }
}
