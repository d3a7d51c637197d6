/** The prompt that both generation and forcing send, by whichever template a model has. */

import { controlTokenIn } from './control-tokens.ts';
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
  if (form.jinja === undefined) return renderCheckedChat(form.template, messages, options);
  for (const { role, content } of messages) {
    const token = controlTokenIn(form, content);
    if (token !== undefined) return { status: 'special_token_in_text', detail: `${token} in the ${role} text` };
  }
  return renderJinja(form.jinja, messages, options);
}
