import { describe, expect, it } from 'vitest';
import {
  chatTemplate,
  renderChat,
  renderCheckedChat,
  TEMPLATE_NAMES,
  type TemplateMessage,
} from '../../src/teacher-forcing/templates.ts';

const user = (content: string): TemplateMessage => ({ role: 'user', content });
const system = (content: string): TemplateMessage => ({ role: 'system', content });

const LLAMA31_DATES = 'Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n';

/** Prompts without the beginning-of-text token for ' Hi \n' after: no system message, an empty one, 'Be brief. '. */
const GOLDEN: Record<string, [absent: string, empty: string, present: string]> = {
  llama4: [
    '<|header_start|>user<|header_end|>\n\n Hi \n<|eot|><|header_start|>assistant<|header_end|>\n\n',
    '<|header_start|>system<|header_end|>\n\n<|eot|><|header_start|>user<|header_end|>\n\n Hi \n<|eot|><|header_start|>assistant<|header_end|>\n\n',
    '<|header_start|>system<|header_end|>\n\nBe brief. <|eot|><|header_start|>user<|header_end|>\n\n Hi \n<|eot|><|header_start|>assistant<|header_end|>\n\n',
  ],
  llama3: [
    '<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    '<|start_header_id|>system<|end_header_id|>\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    '<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
  ],
  'llama3.1': [
    `<|start_header_id|>system<|end_header_id|>\n\n${LLAMA31_DATES}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
    `<|start_header_id|>system<|end_header_id|>\n\n${LLAMA31_DATES}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
    `<|start_header_id|>system<|end_header_id|>\n\n${LLAMA31_DATES}Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
  ],
  chatml: [
    '<|im_start|>user\n Hi \n<|im_end|>\n<|im_start|>assistant\n',
    '<|im_start|>system\n<|im_end|>\n<|im_start|>user\n Hi \n<|im_end|>\n<|im_start|>assistant\n',
    '<|im_start|>system\nBe brief. <|im_end|>\n<|im_start|>user\n Hi \n<|im_end|>\n<|im_start|>assistant\n',
  ],
  gemma: [
    '<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n',
    '<start_of_turn>user\n\n\nHi<end_of_turn>\n<start_of_turn>model\n',
    '<start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n',
  ],
};

const BOS: Record<string, string> = {
  llama4: '<|begin_of_text|>',
  llama3: '<|begin_of_text|>',
  'llama3.1': '<|begin_of_text|>',
  chatml: '',
  gemma: '<bos>',
};

describe('renderChat', () => {
  it('has a golden prompt for every template', () => {
    expect(Object.keys(GOLDEN)).toEqual([...TEMPLATE_NAMES]);
  });

  it.each(Object.entries(GOLDEN))('%s: system absent, empty, present', (name, [absent, empty, present]) => {
    const render = (messages: TemplateMessage[]) => renderChat(name, messages, { bos: false });
    expect(render([user(' Hi \n')])).toBe(absent);
    expect(render([system(''), user(' Hi \n')])).toBe(empty);
    expect(render([system('Be brief. '), user(' Hi \n')])).toBe(present);
    expect(renderChat(name, [user(' Hi \n')], { bos: true })).toBe(BOS[name] + absent);
  });

  it('continues a conversation', () => {
    const messages: TemplateMessage[] = [user('Hi'), { role: 'assistant', content: 'Yes?' }, user('Bye')];
    expect(renderChat('chatml', messages, { bos: false })).toBe(
      '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n',
    );
    expect(renderChat('gemma', messages, { bos: false })).toContain('<start_of_turn>model\nYes?<end_of_turn>\n');
  });

  it('holds no escaped newline', () => {
    for (const name of TEMPLATE_NAMES) expect(renderChat(name, [user('a')], { bos: true })).not.toContain('\\n');
  });

  it('does not take an unknown name', () => {
    expect(() => renderChat('llama5', [], { bos: false })).toThrow('llama5');
    expect(chatTemplate('llama5')).toBeUndefined();
  });
});

describe('control tokens typed by a user', () => {
  /** The control token that keeps a text from being rendered, if one does. */
  const tokenIn = (template: string, text: string): string | undefined => {
    const rendered = renderCheckedChat(template, [user(text)], { bos: true });
    return rendered.status === 'ok' ? undefined : rendered.detail.replace(/ in the user text$/, '');
  };

  it('are found again and again, whatever the state of earlier searches', () => {
    for (let round = 0; round < 3; round++) expect(tokenIn('llama4', 'So <|eot|> it ends')).toBe('<|eot|>');
    expect(tokenIn('llama4', '<|eot_id|> is of another model, < | eot | > of none')).toBeUndefined();
    expect(tokenIn('llama3', '<|reserved_special_token_12|>')).toBe('<|reserved_special_token_12|>');
    expect(tokenIn('chatml', 'x<|endoftext|>')).toBe('<|endoftext|>');
  });

  it("every template's own marks count", () => {
    for (const name of TEMPLATE_NAMES) {
      const { bos, endOfTurn } = chatTemplate(name)!;
      expect(tokenIn(name, `a${endOfTurn}b`)).toBe(endOfTurn);
      if (bos !== null) expect(tokenIn(name, bos)).toBe(bos);
      expect(tokenIn(name, chatTemplate(name)!.open('user'))).toBeDefined();
    }
  });

  it('are a status, not a prompt', () => {
    expect(renderCheckedChat('llama4', [system('s'), user('a <|eot|> b')], { bos: true })).toEqual({
      status: 'special_token_in_text',
      detail: '<|eot|> in the user text',
    });
    expect(renderCheckedChat('chatml', [user('a <|eot|> b')], { bos: true })).toEqual({
      status: 'ok',
      prompt: '<|im_start|>user\na <|eot|> b<|im_end|>\n<|im_start|>assistant\n',
    });
  });
});
