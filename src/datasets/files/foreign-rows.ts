/**
 * Rows as other programs write them, with the names beside them that rows have elsewhere: HELM's request states, lines of
 * OpenAI's and Anthropic's batches, samples of lm-evaluation-harness.
 */

import { isJsonObject } from '../../core/json.ts';
import { type SourceRecord, type Table, valueAt } from './records.ts';
import { contentOf, saidIn } from './reply-text.ts';

type Fields = SourceRecord['fields'];

/** What a program's rows look like, and what stands for each of the usual names in one. */
interface Form {
  readonly has: Readonly<Record<string, (value: unknown) => boolean>>;
  readonly names: Readonly<Record<string, (fields: Fields) => unknown>>;
}

const isText = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
const isOneOrMore = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** The text at the first of these places that has one. */
const text =
  (...paths: readonly string[]) =>
  (fields: Fields): unknown =>
    paths.map((path) => valueAt(fields, path)).find(isText);

/** Turns, with what the system is told elsewhere put in front of them. */
const turns = (list: string, system?: string) => (fields: Fields) => {
  const found = valueAt(fields, list);
  const told = system === undefined ? undefined : contentOf(valueAt(fields, system));
  if (!Array.isArray(found)) return undefined;
  return told === undefined ? found : [{ role: 'system', content: told }, ...found];
};

const custom_id = { custom_id: isText };
const prompt_id = text('custom_id');

const FORMS: readonly Form[] = [
  {
    has: { instance: isJsonObject, request: isJsonObject },
    names: {
      prompt_id: text('instance.id'),
      prompt: text('instance.input.text', 'instance.input'),
      response: text('result.completions.0.text'),
      policy: text('request.model'),
    },
  },
  {
    has: { ...custom_id, body: isJsonObject },
    names: {
      prompt_id,
      messages: (fields) => turns('body.messages')(fields) ?? turns('body.input', 'body.instructions')(fields),
      prompt: text('body.prompt', 'body.input'),
    },
  },
  {
    has: { ...custom_id, params: isJsonObject },
    names: { prompt_id, messages: turns('params.messages', 'params.system') },
  },
  // Whatever has no answer, be it an error, has its row all the same.
  {
    has: { ...custom_id, response: isOneOrMore },
    names: { prompt_id, policy: text('response.body.model') },
  },
  { has: { ...custom_id, error: isOneOrMore }, names: { prompt_id } },
  {
    has: { ...custom_id, result: isJsonObject },
    names: {
      prompt_id,
      policy: text('result.message.model'),
      response: ({ result }) => saidIn(valueAt({ result }, 'result.message')),
    },
  },
  {
    has: { doc_id: isText, arguments: isOneOrMore, resps: isOneOrMore },
    names: { prompt: text('arguments.gen_args_0.arg_0', 'arguments.0.0'), response: text('resps.0.0') },
  },
];

/** What a row has itself stays as it is, so that a column which was named is found where it was. */
export const withUsualNames = (table: Table): Table => ({ ...table, records: table.records.map(named) });

function named(record: SourceRecord): SourceRecord {
  const { fields } = record;
  const form = FORMS.find(({ has }) => Object.entries(has).every(([name, fits]) => fits(fields[name])));
  if (form === undefined) return record;
  const added = Object.entries(form.names).flatMap(([name, of]) => {
    const value = Object.hasOwn(fields, name) ? undefined : of(fields);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...record, fields: { ...fields, ...Object.fromEntries(added) } };
}
