/** Models' own templates, against what the reference engine (Python's Jinja, set up as for chat templates) makes of them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TemplateFile } from '../../src/core/call.ts';
import { loadJinja, renderJinja } from '../../src/teacher-forcing/jinja-template.ts';
import { bosOf, hasTemplate, renderPrompt } from '../../src/teacher-forcing/prompt.ts';
import { renderChat, type TemplateMessage } from '../../src/teacher-forcing/templates.ts';
import { verifiedFamily } from '../../src/teacher-forcing/verified-templates.ts';

beforeAll(loadJinja);

const FOLDER = join(import.meta.dirname, '../fixtures/chat-templates');
const read = (name: string) => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));

interface Rendering {
  readonly messages: TemplateMessage[];
  readonly variables: TemplateFile['variables'];
  readonly rendered: string;
}
const renderings = read('renderings') as Record<string, Record<string, Rendering>>;

function templateOf(family: string, variables: TemplateFile['variables'] = {}): TemplateFile {
  const { chat_template: source, bos_token: bos, eos_token: eos } = read(family);
  const ends = { eos_token: eos?.content ?? eos };
  return { source, bos: bos?.content ?? bos, variables: { ...ends, ...variables }, special: [] };
}

describe.each(Object.entries(renderings))('%s', (family, cases) => {
  it.each(Object.entries(cases))('%s', (_, { messages, variables, rendered }) => {
    const template = templateOf(family, variables);
    expect(renderJinja(template, messages, { bos: true })).toEqual({ status: 'ok', prompt: rendered });
    const without = rendered.slice(template.bos?.length ?? 0);
    expect(renderJinja(template, messages, { bos: false })).toEqual({ status: 'ok', prompt: without });
  });
});

it('is known by its digest, where it was compared', () => {
  const families = Object.keys(renderings).map((family) => verifiedFamily(templateOf(family).source));
  expect(new Set(families)).toEqual(
    new Set([
      'Llama 3',
      'Llama 3.1',
      'Llama 3.2',
      'Qwen 2.5',
      'Qwen 3',
      'Gemma 3',
      'Gemma 4',
      'Mistral Nemo',
      'DeepSeek V3',
      'gpt-oss',
      // Rendered as the reference engine does, and not known to be the model's own.
      undefined,
    ]),
  );
  expect(verifiedFamily(`${templateOf('gemma3').source}\n`)).toBeUndefined();
  expect(verifiedFamily('{{ messages }}')).toBeUndefined();
});

it('is what our own templates of the same families give', () => {
  const same = (family: string, name: string) => {
    for (const { messages, variables, rendered } of Object.values(renderings[family]!)) {
      if (Object.keys(variables).length === 0) expect(renderChat(name, messages, { bos: true })).toBe(rendered);
    }
  };
  same('llama3', 'llama3');
  same('llama3_1', 'llama3.1');
});

it('of Llama 4 is what its own template gives, which takes white space off a system text', () => {
  const cases = Object.values(read('llama4-renderings') as Record<string, Rendering>);
  const trimmed = (messages: readonly TemplateMessage[]) =>
    messages.map((message) => (message.role === 'system' ? { ...message, content: message.content.trim() } : message));
  expect(cases).toHaveLength(4);
  for (const { messages, rendered } of cases) {
    expect(renderChat('llama4', trimmed(messages), { bos: true })).toBe(rendered);
  }
});

describe('a template of a file', () => {
  const template = (source: string, bos: string | null = null): TemplateFile => ({
    source,
    bos,
    variables: {},
    special: ['[END]'],
  });
  const messages = [{ role: 'user', content: 'Hi' }] as const;

  it('has one date, whatever day it is', () => {
    const source = "{{ strftime_now('%d %b %Y, %Y-%m-%d') }}{% if strftime_now is defined %} known{% endif %}";
    expect(renderJinja(template(source), messages, { bos: false })).toEqual({
      status: 'ok',
      prompt: '26 Jul 2024, 2024-07-26 known',
    });
  });

  it('that refuses the messages, or is none, is a status', () => {
    const refuses = template("{{ raise_exception('System role not supported') }}");
    expect(renderJinja(refuses, messages, { bos: false })).toEqual({
      status: 'template_refused',
      detail: 'System role not supported',
    });
    expect(renderJinja(template('{% if %}'), messages, { bos: false }).status).toBe('template_refused');
  });

  it('writes the beginning once, whoever writes it', () => {
    for (const source of ["{{ bos_token }}{{ messages[0]['content'] }}", "{{ messages[0]['content'] }}"]) {
      expect(renderJinja(template(source, '<s>'), messages, { bos: true })).toMatchObject({ prompt: '<s>Hi' });
      expect(renderJinja(template(source, '<s>'), messages, { bos: false })).toMatchObject({ prompt: 'Hi' });
    }
  });

  it('refuses control tokens that someone typed: its own, or those of any family where its file lists none', () => {
    const known = { template: 'file', jinja: template("{{ messages[0]['content'] }}") };
    const unknown = { ...known, jinja: { ...known.jinja, special: [] } };
    const status = (form: typeof known, content: string) =>
      renderPrompt(form, [{ role: 'user', content }], { bos: false }).status;
    for (const typed of ['a [END]', '</think>']) expect(status(known, typed)).toBe('special_token_in_text');
    for (const typed of ['<|im_end|>', '<｜User｜>', '[INST]']) {
      expect(status(unknown, typed)).toBe('special_token_in_text');
      expect(status(known, typed)).toBe('ok');
    }
    expect(renderPrompt(known, messages, { bos: false })).toEqual({ status: 'ok', prompt: 'Hi' });
  });

  it('stands in for a name', () => {
    const form = { template: 'file', jinja: template('', '<s>') };
    expect([hasTemplate(form), bosOf(form)]).toEqual([true, '<s>']);
    expect([hasTemplate({ template: 'none' }), bosOf({ template: 'none' })]).toEqual([false, null]);
    expect([hasTemplate({ template: 'gemma' }), bosOf({ template: 'gemma' })]).toEqual([true, '<bos>']);
  });
});
