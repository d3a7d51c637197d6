/** The prompt that both generation and forcing send, by whichever template a model has. */

import { controlTokenInPrompt } from './control-tokens.ts';
import { type PromptForm, renderJinja } from './jinja-template.ts';
import { chatTemplate, type RenderedPrompt, renderCheckedChat, type TemplateMessage } from './templates.ts';

/** Whether there is a template at all. */
export const hasTemplate = ({ template, jinja }: PromptForm): boolean =>
  jinja !== undefined || chatTemplate(template) !== undefined;

/** The beginning-of-text token; null where the model has none. */
export const bosOf = ({ template, jinja }: PromptForm): string | null =>
  jinja === undefined ? (chatTemplate(template)?.bos ?? null) : jinja.bos;

/** Renders, refusing text in which someone typed a control token: the server would obey it. */
export function renderPrompt(
  form: PromptForm,
  messages: readonly TemplateMessage[],
  options: { readonly bos: boolean },
): RenderedPrompt | { readonly status: 'template_refused'; readonly detail: string } {
  for (const { role, content } of messages) {
    const token = controlTokenInPrompt(form, content);
    if (token !== undefined) return { status: 'special_token_in_text', detail: `${token} in the ${role} text` };
  }
  const { jinja, template } = form;
  return jinja === undefined ? renderCheckedChat(template, messages, options) : renderJinja(jinja, messages, options);
}
