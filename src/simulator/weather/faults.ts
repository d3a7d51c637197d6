/** What a server can do wrong, by name. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { chanceOf } from '../world/index.ts';
import { altered, both, counting, failing, type Mishap, type Scene, type Settings, saying } from './strike.ts';

const judged = ({ form, asked }: Scene): boolean =>
  form === 'chat' ? asked.response_format !== undefined : form === 'messages' && asked.tool_choice !== undefined;
const speaks = ({ asked }: Scene): boolean => asked.echo !== true;
const echoes = ({ asked }: Scene): boolean => asked.echo === true;

/** The first number of a judge's answer as another value; a text without one stays. */
const numbersAs = (text: string, write: (value: string) => string): string =>
  text.replace(/:\s*(-?\d+(?:\.\d+)?)/g, (_, value: string) => `:${write(value)}`);

const PAGE = '<!doctype html><html><head><title>Bad gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';
const html = { 'content-type': 'text/html; charset=utf-8' };

/** A number that JSON can write and no machine can hold. */
const INFINITE = '1e400';
const INFINITE_MARK = 987_654_321_001;

const FAULTS = {
  no_choices: {
    group: 'no answer',
    about: 'the field of choices is not there',
    strike: altered((body, form) => form.withoutChoices(body, 'none')),
  },
  empty_choices: {
    group: 'no answer',
    about: 'the list of choices is empty',
    strike: altered((body, form) => form.withoutChoices(body, 'empty')),
  },
  null_text: { group: 'no answer', about: 'the text is null', fits: speaks, strike: saying(() => null) },
  empty_text: { group: 'no answer', about: 'the text is empty', fits: speaks, strike: saying(() => '') },
  blank_text: { group: 'no answer', about: 'the text is white space', fits: speaks, strike: saying(() => ' \n\t') },
  text_parts: {
    group: 'no answer',
    about: 'the right text, as a list of parts (an answer all the same)',
    fits: speaks,
    strike: saying((text) => {
      const half = Math.ceil(text.length / 2);
      return [text.slice(0, half), text.slice(half)].map((part) => ({ type: 'text', text: part }));
    }),
  },
  odd_parts: {
    group: 'no answer',
    about: 'a list of parts, none of them a text',
    fits: speaks,
    strike: saying(() => [{ type: 'image_url', image_url: { url: 'about:blank' } }]),
  },
  choice_error: {
    group: 'no answer',
    about: 'half of the text, and an error 502 inside the choice',
    fits: speaks,
    strike: (scene) =>
      scene.form === 'messages'
        ? { reply: { status: 200, body: { type: 'error', error: { type: 'api_error', message: 'Upstream died' } } } }
        : altered((body) => {
            const [first] = body.choices as readonly JsonObject[];
            const error = { code: 502, message: 'Upstream died' };
            return { ...body, choices: [{ ...first, error, finish_reason: 'error' }] };
          })(scene),
  },
  finish_error: {
    group: 'no answer',
    about: 'half of the text, ended by "error"',
    fits: speaks,
    strike: altered((body, form) => form.withEnd(form.withText(body, halfOf(form.textOf(body))), 'error')),
  },
  content_filter: {
    group: 'no answer',
    about: 'half of the text, ended by a content filter',
    fits: speaks,
    strike: altered((body, form) => form.withEnd(form.withText(body, halfOf(form.textOf(body))), 'content_filter')),
  },
  refusal: {
    group: 'no answer',
    about: 'the model declines',
    fits: speaks,
    strike: altered((body, form) => form.withRefusal(body, "I'm sorry, but I cannot help with that.")),
  },
  length: {
    group: 'no answer',
    about: 'half of the text, cut at the limit',
    fits: speaks,
    strike: altered((body, form) => form.withEnd(form.withText(body, halfOf(form.textOf(body))), 'length')),
  },
  reasoning_only: {
    group: 'no answer',
    about: 'reasoning used all of the limit, and there is no text',
    fits: ({ form, asked }) => form !== 'completions' && asked.echo !== true,
    strike: altered((body, form, scene) => {
      const thoughts = 'Let me think about that. '.repeat(20);
      const spent = form.withText(
        body,
        scene.form === 'messages' ? [{ type: 'thinking', thinking: thoughts, signature: '' }] : null,
      );
      return form.withEnd(
        scene.form === 'messages' ? spent : form.withMore(spent, { reasoning_content: thoughts }),
        'length',
      );
    }),
  },
  echo_without_logprobs: {
    group: 'no answer',
    about: 'the echo that was asked for comes without log probabilities',
    fits: echoes,
    strike: altered((body, form) => form.withMore(body, { logprobs: null })),
  },

  fenced_json: {
    group: 'judge',
    about: 'the JSON stands in a code fence',
    fits: judged,
    strike: saying((text) => `\`\`\`json\n${text}\n\`\`\``),
  },
  think_json: {
    group: 'judge',
    about: 'the JSON comes after a <think> block',
    fits: judged,
    strike: saying((text) => `<think>\nThe answer {"score": 1} would be harsh.\n</think>\n\n${text}`),
  },
  prose_json: {
    group: 'judge',
    about: 'the JSON comes after prose',
    fits: judged,
    strike: saying((text) => `Here is my verdict, as you asked:\n\n${text}`),
  },
  text_number: {
    group: 'judge',
    about: 'numbers are texts',
    fits: judged,
    strike: saying((text) => numbersAs(text, (value) => `"${value}"`)),
  },
  capital_key: {
    group: 'judge',
    about: 'keys begin with a capital',
    fits: judged,
    strike: saying((text) =>
      text.replace(/"([a-z])([a-z_]*)":/g, (_, a: string, b: string) => `"${a.toUpperCase()}${b}":`),
    ),
  },
  out_of_scale: {
    group: 'judge',
    about: 'numbers are outside of the scale',
    fits: judged,
    strike: saying((text) => numbersAs(text, () => '55')),
  },
  prose_only: {
    group: 'judge',
    about: 'an answer in words, without JSON',
    fits: judged,
    strike: saying(() => 'I would give this answer a solid mark.'),
  },
  schema_refused: {
    group: 'judge',
    about: '400 to a request for JSON of a schema',
    fits: ({ form, asked: { response_format: format } }) =>
      form === 'chat' && isJsonObject(format) && format.type === 'json_schema',
    strike: failing(400, 'invalid_request_error', 'This response_format type is unavailable now'),
  },

  usage_absent: { group: 'usage', about: 'no usage', strike: counting(() => undefined) },
  usage_null: { group: 'usage', about: 'usage is null', strike: counting(() => null) },
  usage_zero: { group: 'usage', about: 'both counts are 0', strike: counting((_, names) => both(names, 0)) },
  usage_negative: { group: 'usage', about: 'both counts are −5', strike: counting((_, names) => both(names, -5)) },
  usage_text: { group: 'usage', about: 'the counts are texts', strike: counting((_, names) => both(names, '12')) },
  usage_infinite: {
    group: 'usage',
    about: 'the counts are 1e400',
    strike: (scene) => {
      const struck = counting((_, names) => both(names, INFINITE_MARK))(scene);
      if (struck.reply === undefined) return {};
      const text = JSON.stringify(struck.reply.body).replaceAll(String(INFINITE_MARK), INFINITE);
      return { ...struck, passage: { text } };
    },
  },
  usage_input_only: {
    group: 'usage',
    about: 'the input is counted, the output is not',
    strike: counting((usage, { input }) => ({ [input]: usage[input] ?? 0 })),
  },
  usage_output_only: {
    group: 'usage',
    about: 'the output is counted, the input is not',
    strike: counting((usage, { output }) => ({ [output]: usage[output] ?? 0 })),
  },
  usage_absurd: {
    group: 'usage',
    about: 'the counts are too high, by default ten times',
    settings: ['factor'],
    strike: counting((usage, { input, output }, { factor = 10 }) => ({
      ...usage,
      [input]: Number(usage[input] ?? 0) * factor,
      [output]: Number(usage[output] ?? 0) * factor,
    })),
  },

  wrong_model: {
    group: 'model',
    about: 'another model answers, by default cheap-mini-q4',
    settings: ['name'],
    strike: altered((body, _, { settings: { name = 'cheap-mini-q4' } }) => ({ ...body, model: name })),
  },
  snapshots: {
    group: 'model',
    about: 'dated snapshots answer in turn; by default two',
    settings: ['names'],
    strike: altered((body, _, { settings: { names }, asked }) => {
      const model = String(asked.model);
      const served = names ?? [`${model}-2025-05-01`, `${model}-2025-11-01`];
      return { ...body, model: served[Math.floor(chanceIn(asked) * served.length)] ?? model };
    }),
  },
  other_spelling: {
    group: 'model',
    about: 'the right model, in capitals and with its owner',
    strike: altered((body, _, { asked }) => ({ ...body, model: `LAB/${String(asked.model).toUpperCase()}` })),
  },
  no_model: {
    group: 'model',
    about: 'the reply names no model',
    strike: altered(({ model: _, ...rest }) => rest),
  },
  fingerprint: {
    group: 'model',
    about: 'another system_fingerprint than in other replies (an answer all the same)',
    strike: altered((body, _, { asked }) => ({
      ...body,
      system_fingerprint: `fp_${Math.floor(chanceIn(asked) * 1e6)}`,
    })),
  },

  status_429: {
    group: 'refusal',
    about: '429, with Retry-After where it is set',
    settings: ['retry_after_seconds'],
    strike: failing(429, 'rate_limit_exceeded', 'Rate limit reached.'),
  },
  quota_429: {
    group: 'refusal',
    about: '429, because the quota is used up',
    strike: failing(429, 'insufficient_quota', 'You exceeded your current quota, please check your plan.'),
  },
  status_400: {
    group: 'refusal',
    about: '400 to the request as such',
    strike: failing(400, null, "Invalid type for 'messages'."),
  },
  context_400: {
    group: 'refusal',
    about: '400, because the request is too long',
    strike: failing(400, 'context_length_exceeded', "This model's maximum context length is 16 tokens."),
  },
  status_401: { group: 'refusal', about: '401', strike: failing(401, 'invalid_api_key', 'Incorrect API key.') },
  status_402: { group: 'refusal', about: '402', strike: failing(402, null, 'Insufficient credits.') },
  status_404: {
    group: 'refusal',
    about: '404, because the model is not there',
    strike: (scene) =>
      failing(404, 'model_not_found', `The model \`${String(scene.asked.model)}\` does not exist`)(scene),
  },
  status_500: {
    group: 'refusal',
    about: '500',
    settings: ['retry_after_seconds'],
    strike: failing(500, null, 'The server had an error.'),
  },
  status_502: {
    group: 'refusal',
    about: '502 with a page',
    strike: () => ({ reply: { status: 502, body: null }, passage: { text: PAGE, headers: html } }),
  },
  status_503: {
    group: 'refusal',
    about: '503, with Retry-After where it is set',
    settings: ['retry_after_seconds'],
    strike: failing(503, null, 'The server is overloaded.'),
  },
  status_529: {
    group: 'refusal',
    about: '529, with Retry-After where it is set',
    settings: ['retry_after_seconds'],
    strike: failing(529, 'overloaded_error', 'Overloaded.'),
  },
  redirect: {
    group: 'refusal',
    about: '301 to another address',
    settings: ['location'],
    strike: ({ settings: { location = 'http://127.0.0.1:9/v1' } }) => ({
      reply: { status: 301, body: null },
      passage: { text: '', headers: { location } },
    }),
  },

  html_200: {
    group: 'connection',
    about: '200 with a page',
    strike: () => ({ passage: { text: PAGE, headers: html } }),
  },
  no_content: {
    group: 'connection',
    about: '204',
    strike: () => ({ reply: { status: 204, body: null }, passage: { text: '' } }),
  },
  invalid_json: {
    group: 'connection',
    about: 'half of the JSON, as if that were all',
    strike: ({ reply }) => ({ passage: { text: halfOf(JSON.stringify(reply.body)) } }),
  },
  cut_body: {
    group: 'connection',
    about: 'half of the body, then the connection breaks',
    strike: () => ({ passage: { manner: 'cut' } }),
  },
  reset: {
    group: 'connection',
    about: 'the connection breaks before a byte of the reply',
    strike: () => ({ passage: { manner: 'reset' } }),
  },
  hang: { group: 'connection', about: 'no answer ever', strike: () => ({ passage: { manner: 'hang' } }) },
  slow: {
    group: 'connection',
    about: 'the right reply, late; by default by a second',
    settings: ['milliseconds'],
    strike: ({ settings: { milliseconds = 1_000 } }) => ({ passage: { waitMilliseconds: milliseconds } }),
  },
  slow_body: {
    group: 'connection',
    about: 'the right reply, its bytes spread over a time; by default a second',
    settings: ['milliseconds'],
    strike: ({ settings: { milliseconds = 1_000 } }) => ({ passage: { spreadMilliseconds: milliseconds } }),
  },
  gzip: {
    group: 'connection',
    about: 'the right reply in gzip, which was not asked for',
    strike: () => ({ passage: { gzip: true } }),
  },
  interim: {
    group: 'connection',
    about: '100 and 103 before the right reply',
    strike: () => ({ passage: { interim: [100, 103] } }),
  },

  key_repeated: {
    group: 'secret',
    about: 'the text repeats the credential: plain, escaped, base64 or percent',
    settings: ['as'],
    fits: (scene) => scene.credential !== '' && speaks(scene),
    strike: (scene) => {
      const { as = 'plain' } = scene.settings;
      const secret = scene.credential.replace(/^Bearer /, '');
      const mark = 'THE-CREDENTIAL';
      const struck = saying((text) => `${text} ${mark}`)(scene);
      if (struck.reply === undefined) return {};
      const text = JSON.stringify(struck.reply.body).replaceAll(mark, () => writtenAs(secret, as));
      return { ...struck, passage: { text } };
    },
  },
} as const satisfies Readonly<Record<string, Mishap>>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];
export const faultOf = (name: FaultName): Mishap => FAULTS[name];

const halfOf = (text: string): string => text.slice(0, Math.max(1, Math.floor(text.length / 2)));

/** Differs between requests, and not between tries of one. */
const chanceIn = (asked: JsonObject): number => chanceOf(`weather\n${JSON.stringify(asked)}`)();

/** As it stands within the quotes of JSON. */
function writtenAs(secret: string, as: NonNullable<Settings['as']>): string {
  switch (as) {
    case 'plain':
      return JSON.stringify(secret).slice(1, -1);
    case 'escaped':
      return [...secret].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    case 'base64':
      return Buffer.from(secret).toString('base64');
    case 'percent':
      return [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  }
}
