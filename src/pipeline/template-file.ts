/** A model's own chat template: its `tokenizer_config.json`, or a file of Jinja. */

import { createHash } from 'node:crypto';
import type { TemplateFile } from '../core/call.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Files } from './files.ts';
import type { Problems } from './problems.ts';
import type { Tree } from './tree.ts';

/** What is written beside the file's name. */
interface Written {
  readonly template_sha256?: string | undefined;
  readonly template_variables?: JsonObject | undefined;
  readonly bos_token?: string | null | undefined;
}

/** Names of templates have no such endings. */
export const isTemplateFile = (template: string): boolean => /\.(?:json|jinja|jinja2|j2|txt)$/.test(template);

/** Undefined for a file that cannot be used; the mistake is then reported. */
export function readTemplateFile(
  tree: Tree,
  written: Written,
  files: Files,
  problems: Problems,
): TemplateFile | undefined {
  const file = files.open(tree, 'a chat template');
  if (file === undefined) return undefined;
  const { text } = file.source;
  const refuse = (headline: string, hint: string): undefined => {
    problems.add(tree.span, 'CJE-CHAT-TEMPLATE', headline, { hint });
    return undefined;
  };
  const digest = createHash('sha256').update(text).digest('hex');
  if (written.template_sha256 !== undefined && written.template_sha256 !== digest) {
    return refuse('The file of the chat template is not the one that is pinned', `Its SHA-256 is ${digest}.`);
  }
  const config = file.path.endsWith('.json') ? parsed(text) : { chat_template: text };
  const source = isJsonObject(config) ? sourceOf(config.chat_template) : undefined;
  if (!isJsonObject(config) || source === undefined) {
    return refuse("The file has no 'chat_template'", "Name the model's tokenizer_config.json, or a file of Jinja.");
  }
  const bos = written.bos_token === undefined ? bosOf(config, source) : written.bos_token;
  if (bos === undefined) {
    return refuse(
      'Nothing says whether texts of this model begin with a token',
      "Write 'bos_token:' beside the template: the token, or null for none.",
    );
  }
  const ends = endOfTurnIn(source, textOf(config.eos_token));
  return { source, bos, variables: { ...ends, ...written.template_variables }, special: specialOf(config) };
}

/** Some templates end each turn by the tokenizer's own token, the user's turn too. */
export const endOfTurnIn = (source: string, token: string | null | undefined): JsonObject =>
  typeof token === 'string' && source.includes('eos_token') ? { eos_token: token } : {};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One template, or several by name: the default one. */
function sourceOf(template: Json | undefined): string | undefined {
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return undefined;
  const named = (template as readonly Json[]).filter(isJsonObject);
  const chosen = named.find(({ name }) => name === 'default') ?? named[0];
  return typeof chosen?.template === 'string' ? chosen.template : undefined;
}

const textOf = (token: Json | undefined): string | undefined => {
  if (typeof token === 'string') return token;
  return isJsonObject(token) && typeof token.content === 'string' ? token.content : undefined;
};

/** Null where the configuration says that there is none; undefined where it says nothing. */
function bosOf(config: JsonObject, source: string): string | null | undefined {
  if (config.bos_token === null) return null;
  const token = textOf(config.bos_token);
  if (token === undefined || config.add_bos_token === true) return token;
  // Some name one that neither the tokenizer nor the template writes.
  return source.includes('bos_token') || source.includes(token) ? token : null;
}

function specialOf({ added_tokens_decoder: added }: JsonObject): string[] {
  if (!isJsonObject(added)) return [];
  const tokens = Object.values(added).filter(isJsonObject);
  const special = tokens.filter((token) => token.special === true).flatMap((token) => textOf(token) ?? []);
  return [...new Set(special)].filter((token) => token.length > 1).sort();
}
