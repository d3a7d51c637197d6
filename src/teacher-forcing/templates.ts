/**
 * Chat templates: how messages become the one prompt that both generation and forcing send. Where a model's own
 * template injects the day's date, the date is pinned here, or the prompt would be another one tomorrow.
 */

export interface TemplateMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** The marks of a template; what a reader of rendered prompts needs to take one apart again. */
export interface ChatTemplate {
  readonly name: string;
  /** The beginning-of-text token; null for models that have none. */
  readonly bos: string | null;
  /** Ends a turn, and so a generated response. */
  readonly endOfTurn: string;
  /** What opens a turn of a role. */
  open(role: TemplateMessage['role']): string;
  /** What stands between the end of one turn and the opening of the next. */
  readonly between: string;
  /** Texts that the tokenizer reads as control tokens, wherever they stand. */
  readonly special: RegExp;
  /** The messages as the template wants them: trimmed, with a system turn put in, and so on. */
  arrange(messages: readonly TemplateMessage[]): readonly TemplateMessage[];
}

const asGiven = (messages: readonly TemplateMessage[]) => messages;
const trimmed = (messages: readonly TemplateMessage[]) =>
  messages.map(({ role, content }) => ({ role, content: content.trim() }));

/** Llama 3.1's own default, which it uses whenever no other date is handed to it. */
const LLAMA_31_DATES = 'Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n';

function withDates(messages: readonly TemplateMessage[]): readonly TemplateMessage[] {
  const [first, ...rest] = trimmed(messages);
  if (first === undefined) return [{ role: 'system', content: LLAMA_31_DATES }];
  return first.role === 'system'
    ? [{ role: 'system', content: LLAMA_31_DATES + first.content }, ...rest]
    : [{ role: 'system', content: LLAMA_31_DATES }, first, ...rest];
}

/** Gemma knows no system turn: its text goes before the first user's. */
function systemIntoUser(messages: readonly TemplateMessage[]): readonly TemplateMessage[] {
  const [first, second, ...rest] = trimmed(messages);
  if (first?.role !== 'system') return trimmed(messages);
  if (second?.role !== 'user') return [{ role: 'user', content: first.content }, ...(second ? [second] : []), ...rest];
  return [{ role: 'user', content: `${first.content}\n\n${second.content}` }, ...rest];
}

const LLAMA3 = {
  bos: '<|begin_of_text|>',
  endOfTurn: '<|eot_id|>',
  between: '',
  open: (role: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n`,
  special:
    /<\|(?:begin_of_text|end_of_text|eot_id|eom_id|start_header_id|end_header_id|python_tag|finetune_right_pad_id|image|reserved_special_token_\d+)\|>/g,
} as const;

const TEMPLATES: readonly ChatTemplate[] = [
  {
    name: 'llama4',
    bos: '<|begin_of_text|>',
    endOfTurn: '<|eot|>',
    between: '',
    open: (role) => `<|header_start|>${role}<|header_end|>\n\n`,
    special:
      /<\|(?:begin_of_text|end_of_text|eot|eom|eos|step|header_start|header_end|fim_(?:prefix|middle|suffix)|python_(?:start|end)|tool_outputs?_(?:start|end)|finetune_right_pad|image(?:_start|_end)?|patch|tile_[xy]_separator|vision_\w+|(?:\w+_)?reserved_special_token_\d+)\|>/g,
    arrange: asGiven,
  },
  { name: 'llama3', ...LLAMA3, arrange: trimmed },
  { name: 'llama3.1', ...LLAMA3, arrange: withDates },
  {
    name: 'chatml',
    bos: null,
    endOfTurn: '<|im_end|>',
    between: '\n',
    open: (role) => `<|im_start|>${role}\n`,
    special: /<\|(?:im_start|im_end|im_sep|endoftext|fim_(?:prefix|middle|suffix|pad)|endofprompt)\|>/g,
    arrange: asGiven,
  },
  {
    name: 'gemma',
    bos: '<bos>',
    endOfTurn: '<end_of_turn>',
    between: '\n',
    open: (role) => `<start_of_turn>${role === 'assistant' ? 'model' : role}\n`,
    special: /<(?:bos|eos|pad|unk|start_of_turn|end_of_turn|start_of_image|end_of_image|unused\d+)>/g,
    arrange: systemIntoUser,
  },
];

const BY_NAME: ReadonlyMap<string, ChatTemplate> = new Map(TEMPLATES.map((template) => [template.name, template]));

/** The names that a provider file may give as `template`. */
export const TEMPLATE_NAMES: readonly string[] = TEMPLATES.map(({ name }) => name);

/** The template of that name; undefined for a name that is not in {@link TEMPLATE_NAMES}. */
export function chatTemplate(name: string): ChatTemplate | undefined {
  return BY_NAME.get(name);
}

function known(name: string): ChatTemplate {
  const template = BY_NAME.get(name);
  if (template === undefined) throw new RangeError(`no chat template is called ${name}`);
  return template;
}

/**
 * The prompt for an assistant's turn after `messages`, ready for `/completions`. A system message without text is a
 * turn without text, as the models' own templates have it: leave the message out where no system turn is meant.
 *
 * @param bos whether the prompt carries the beginning-of-text token; false where the server writes it.
 * @throws RangeError on an unknown template name.
 */
export function renderChat(
  templateName: string,
  messages: readonly TemplateMessage[],
  { bos }: { readonly bos: boolean },
): string {
  const template = known(templateName);
  let prompt = bos && template.bos !== null ? template.bos : '';
  for (const { role, content } of template.arrange(messages)) {
    prompt += template.open(role) + content + template.endOfTurn + template.between;
  }
  return prompt + template.open('assistant');
}

export type RenderedPrompt =
  | { readonly status: 'ok'; readonly prompt: string }
  | { readonly status: 'special_token_in_text'; readonly detail: string };

/**
 * {@link renderChat}, refusing text in which someone typed a control token: the server would obey it, and the turn
 * would end where its author never ended it.
 */
export function renderCheckedChat(
  templateName: string,
  messages: readonly TemplateMessage[],
  options: { readonly bos: boolean },
): RenderedPrompt {
  for (const { role, content } of messages) {
    const token = specialTokenIn(templateName, content);
    if (token !== undefined) return { status: 'special_token_in_text', detail: `${token} in the ${role} text` };
  }
  return { status: 'ok', prompt: renderChat(templateName, messages, options) };
}

/** The first control token of the template that a text holds, if any. @throws RangeError on an unknown template name. */
function specialTokenIn(templateName: string, text: string): string | undefined {
  const { special } = known(templateName);
  special.lastIndex = 0;
  return special.exec(text)?.[0];
}
