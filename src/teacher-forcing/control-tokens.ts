/**
 * Responses that their text does not stand for. A server reads a control token that is spelled out as the token itself,
 * and a character that was cut in two is no longer in the text; so what would be forced is not what was generated.
 */

import type { PromptForm } from './jinja-template.ts';
import { chatTemplate } from './templates.ts';

interface Unforcible {
  readonly status: 'special_token_in_text' | 'cut_character';
  readonly detail: string;
}

/** Shapes of control tokens, for a model whose file lists none: no vocabulary has a word of such a shape. */
const ANY_FAMILY =
  /<\|[a-z][a-z0-9_]{0,40}\|?>|<[a-z][a-z0-9_]{0,40}\|>|<｜[^｜<>\n]{1,40}｜>|<(?:start_of_turn|end_of_turn|bos|eos)>|\[\/?(?:INST|SYSTEM_PROMPT)\]/;

/** Control tokens of a family beside those that its template writes. */
const FAMILY: Readonly<Record<string, RegExp>> = {
  chatml:
    /<\|(?:(?:object_ref|box|quad|vision)_(?:start|end)|(?:vision|image|video)_pad|repo_name|file_sep|fim_pad)\|>/,
  gemma: /<(?:image_soft_token|mask)>/,
};

/** Tokens that a model writes itself, as a part of its text; from anyone else they are orders. */
const OF_THE_MODEL: Readonly<Record<string, RegExp>> = { chatml: /<\/?(?:think|tool_call|tool_response)>/ };

/** Why a response cannot be forced by its text; undefined where it can. */
export function unforcibleText(form: PromptForm, response: string): Unforcible | undefined {
  const control = controlTokenIn(form, response);
  if (control !== undefined) return { status: 'special_token_in_text', detail: `${control} in the response` };
  // Lone halves of surrogate pairs become U+FFFD on their way out.
  if (/\ufffd|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(response)) {
    return { status: 'cut_character', detail: 'the response holds part of a character' };
  }
  return undefined;
}

/** The first control token that a text spells out, as the model's tokenizer would read it. */
function controlTokenIn({ template, jinja }: PromptForm, text: string): string | undefined {
  if (jinja !== undefined) {
    const own = jinja.special.find((token) => text.includes(token));
    return own ?? (jinja.special.length === 0 ? ANY_FAMILY.exec(text)?.[0] : undefined);
  }
  const special = chatTemplate(template)?.special;
  if (special !== undefined) {
    special.lastIndex = 0;
    const found = special.exec(text)?.[0];
    if (found !== undefined) return found;
  }
  return FAMILY[template]?.exec(text)?.[0];
}

/** The same for what goes into a prompt, where tokens that models write themselves have no place either. */
export const controlTokenInPrompt = (form: PromptForm, text: string): string | undefined =>
  controlTokenIn(form, text) ??
  (form.jinja === undefined ? OF_THE_MODEL[form.template] : OF_THE_MODEL.chatml)?.exec(text)?.[0];
