/**
 * Chat templates as models bring them: Jinja, from a file of the user's. What a template would read from a clock is frozen,
 * or the prompt would be another one tomorrow.
 */

import type { TemplateMessage } from './templates.ts';

/** A model's own template, and what it is rendered with. */
interface JinjaTemplate {
  readonly source: string;
  /** The beginning-of-text token; null for models that have none. */
  readonly bos: string | null;
  /** Such as `enable_thinking`. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Texts that the tokenizer reads as control tokens. */
  readonly special: readonly string[];
}

/** How a model's prompts are written: by a template of ours, or by its own. */
export interface PromptForm {
  /** The name of one of ours; any other where there is a template of its own. */
  readonly template: string;
  readonly jinja?: JinjaTemplate;
}

/** Llama 3.1's own default date, for every template that asks for the day. */
const FROZEN = { year: '2024', month: '07', name: 'July', day: '26', weekday: 'Friday' } as const;

const FORMATS: Readonly<Record<string, string>> = {
  '%Y': FROZEN.year,
  '%m': FROZEN.month,
  '%d': FROZEN.day,
  '%b': FROZEN.name.slice(0, 3),
  '%B': FROZEN.name,
  '%A': FROZEN.weekday,
  '%a': FROZEN.weekday.slice(0, 3),
  '%y': FROZEN.year.slice(2),
  '%H': '00',
  '%M': '00',
  '%S': '00',
};

const frozenNow = (format: string): string => format.replace(/%[A-Za-z]/g, (part) => FORMATS[part] ?? part);

type Jinja = typeof import('@huggingface/jinja');
type Template = InstanceType<Jinja['Template']>;

let jinja: Jinja | undefined;

/** To be awaited before {@link renderJinja}: experiments without a template of the kind do without the library. */
export async function loadJinja(): Promise<void> {
  jinja ??= await import('@huggingface/jinja');
}

const compiled = new Map<string, Template>();

function templateOf(source: string, { Template }: Jinja): Template {
  let template = compiled.get(source);
  if (template === undefined) {
    // The library's own clock cannot be replaced, so templates are made to ask for another.
    template = new Template(source.replace(/\bstrftime_now\b/g, 'frozen_now'));
    compiled.set(source, template);
  }
  return template;
}

type Rendered =
  | { readonly status: 'ok'; readonly prompt: string }
  /** The template has no place for such messages, or cannot be rendered at all. */
  | { readonly status: 'template_refused'; readonly detail: string };

/**
 * The prompt for an assistant's turn after `messages`.
 *
 * @param bos whether the prompt carries the beginning-of-text token; false where the server writes it.
 */
export function renderJinja(
  { source, bos: token, variables }: JinjaTemplate,
  messages: readonly TemplateMessage[],
  { bos }: { readonly bos: boolean },
): Rendered {
  if (jinja === undefined) throw new Error('Internal error: a template is rendered before its library is there');
  let rendered: string;
  try {
    rendered = templateOf(source, jinja).render({
      bos_token: token ?? '',
      eos_token: '',
      ...variables,
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: true,
      frozen_now: frozenNow,
    });
  } catch (error) {
    return { status: 'template_refused', detail: error instanceof Error ? error.message : String(error) };
  }
  if (token === null) return { status: 'ok', prompt: rendered };
  const text = rendered.startsWith(token) ? rendered.slice(token.length) : rendered;
  return { status: 'ok', prompt: bos ? token + text : text };
}
