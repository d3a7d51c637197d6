import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { joinPieces } from '../../src/core/pieces.ts';
import { checkPlaceholders, renderQuoted, renderTemplate, templateText } from '../../src/kinds/files/template.ts';
import { anyText } from '../helpers/any-text.ts';

describe('a rendered template', () => {
  it('is the same text with its JSON form beside it', () => {
    const words = fc.oneof(anyText(), fc.constantFrom('\ud83d', '\ude00', '', '{{prompt}}'));
    fc.assert(
      fc.property(fc.array(words), words, words, (plain, prompt, response) => {
        const template = plain
          .map((text, index) => text + (index % 2 === 0 ? '{{prompt}}' : '{{ response }}'))
          .join('');
        const values = { prompt, response };
        const text = renderTemplate(template, values);
        const quoted = renderQuoted(template, values);
        expect({ ...quoted, json: joinPieces(quoted.json) }).toEqual({ text, json: JSON.stringify(text) });
      }),
    );
  });

  it('leaves braces in an inserted text as they are', () => {
    expect(renderTemplate('{{prompt}}!', { prompt: '{{response}}' })).toBe('{{response}}!');
  });
});

describe('the placeholders of a template', () => {
  it('are placed at the template, however many are wrong', () => {
    const schema = z.object({
      judge: z
        .string()
        .superRefine((text, context) =>
          checkPlaceholders(text, { known: ['a', 'b'], required: [['a'], ['b']] }, context, ['template']),
        ),
    });
    const { error } = z.object({ params: schema }).safeParse({ params: { judge: '{{c}}' } });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['params.judge.template']);
    const lacking = z.object({ params: schema }).safeParse({ params: { judge: '' } }).error;
    expect(lacking?.issues.map(({ path }) => path.join('.'))).toEqual(Array(2).fill('params.judge.template'));
  });

  const issues = (text: string) =>
    templateText(['prompt', 'response'])
      .safeParse(text)
      .error?.issues.map((issue) => [issue.message, issue.code === 'custom' ? issue.params : undefined]);

  it('are each there, and no others', () => {
    expect(issues('{{prompt}} {{ response }} {{prompt}}')).toBeUndefined();
    expect(issues('{{prompt}}')).toEqual([
      [
        'the template lacks {{response}}',
        { id: 'CJE-PLACEHOLDER', hint: 'write {{response}} where the response goes' },
      ],
    ]);
  });

  it('that are unknown are told with their place, and with the name that was meant', () => {
    expect(issues('{{prompt}}{{response}} {{promt}}')).toEqual([
      [
        'unknown placeholder {{promt}}',
        { id: 'CJE-PLACEHOLDER', offset: 23, width: 9, hint: 'did you mean {{prompt}}?' },
      ],
    ]);
    expect(issues('{{prompt}}{{response}}{{zzzzzzzz}}')![0]![1]).toMatchObject({
      hint: 'known: {{prompt}}, {{response}}',
    });
  });
});
