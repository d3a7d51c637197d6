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

/**
 * Control tokens beside those of a template's own turns. Families share their shape, and no vocabulary has a word of
 * it: `<|…|>` in Llama, Qwen, Phi and gpt-oss, the same in full width in DeepSeek, `[INST]` in Mistral.
 */
const CONTROL_TOKEN =
  /<\|[a-z][a-z0-9_]{0,40}\|?>|<[a-z][a-z0-9_]{0,40}\|>|<｜[^｜<>\n]{1,40}｜>|<\/?(?:think|tool_call|tool_response|image_soft_token|start_of_image|end_of_image|mask|unused\d+|start_of_turn|end_of_turn|bos|eos|pad|unk)>|\[\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|THINK|IMG)\]/;

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

/** The first control token that a text spells out, of the template or of any family whose shape is known. */
export function controlTokenIn({ template, jinja }: PromptForm, text: string): string | undefined {
  const own = jinja?.special.find((token) => text.includes(token));
  if (own !== undefined) return own;
  const special = jinja === undefined ? chatTemplate(template)?.special : undefined;
  if (special !== undefined) {
    special.lastIndex = 0;
    const found = special.exec(text)?.[0];
    if (found !== undefined) return found;
  }
  return CONTROL_TOKEN.exec(text)?.[0];
}
