import { describe, expect, it } from 'vitest';
import { controlTokenInPrompt, unforcibleText } from '../../src/teacher-forcing/control-tokens.ts';

const statusOf = (template: string, response: string) => unforcibleText({ template }, response)?.status;

describe('a response whose text does not stand for its tokens', () => {
  it.each([
    ['llama3', 'The token <|eot_id|> ends a turn.'],
    ['llama4', 'See <|header_start|> here.'],
    ['chatml', 'a <|im_end|> b'],
    ['chatml', 'a <|object_ref_start|> b'],
    ['chatml', 'a <|image_pad|> b'],
    ['gemma', 'a <image_soft_token> b'],
  ])('spells out a control token of %s: %s', (template, response) => {
    expect(statusOf(template, response)).toBe('special_token_in_text');
    // The pattern keeps no place between two texts.
    expect(statusOf(template, response)).toBe('special_token_in_text');
  });

  it.each(['Hi \ufffd', '\ufffdHi', 'Hi \ud83d', '\ude00 Hi'])('holds a part of a character: %j', (response) => {
    expect(statusOf('llama3', response)).toBe('cut_character');
  });

  it.each([
    ['llama3', 'Qwen writes <|im_start|>, and this is none of that.'],
    ['llama4', 'x <y> z, a <| b |> c, 🙂 e\u0301 नमस्ते'],
    ['chatml', '<think>Well.</think>Yes.'],
    ['gemma', '<div>Hello</div>'],
  ])('is none that has words of another model: %s', (template, response) => {
    expect(statusOf(template, response)).toBeUndefined();
  });
});

it('is told of prompts too, where thoughts have no place', () => {
  expect(controlTokenInPrompt({ template: 'chatml' }, 'Write </think>')).toBe('</think>');
  expect(controlTokenInPrompt({ template: 'chatml' }, 'a <|repo_name|>')).toBe('<|repo_name|>');
  expect(controlTokenInPrompt({ template: 'llama3' }, 'Write </think>')).toBeUndefined();
});
