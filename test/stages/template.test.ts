import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinPieces } from '../../src/core/pieces.ts';
import { renderQuoted, renderTemplate } from '../../src/stages/lib/template.ts';

describe('a rendered template', () => {
  it('is the same text with its JSON form beside it', () => {
    const words = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud83d', '\ude00', '', '{{prompt}}'));
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
