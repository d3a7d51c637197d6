import { describe, expect, it } from 'vitest';
import { renderProblem } from '../../src/ui/problems.ts';

const plain = { color: false };
const lines = (...parts: string[]) => parts.join('\n');

describe('a problem', () => {
  it('shows headline, place, line, caret, facts and hint', () => {
    const problem = {
      id: 'CJE-BAD-VALUE' as const,
      headline: 'stage "scores" wants an input that does not exist',
      facts: [
        ['input', 'responses'],
        ['known stages', 'prompts, responses'],
      ] as const,
      place: {
        file: 'pipeline.yaml',
        line: 12,
        column: 26,
        width: 6,
        excerpt: '    inputs: { responses: promts }',
      },
      hint: 'did you mean `prompts`?',
    };
    expect(renderProblem(problem, plain)).toBe(
      lines(
        'error: stage "scores" wants an input that does not exist [CJE-BAD-VALUE]',
        '  pipeline.yaml:12:26',
        '  12 │     inputs: { responses: promts }',
        '     │                          ^^^^^^',
        '  input         responses',
        '  known stages  prompts, responses',
        '  hint: did you mean `prompts`?',
      ),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken away
    const uncoloured = renderProblem(problem, { color: true }).replace(/\u001b\[\d+m/g, '');
    expect(uncoloured).toBe(renderProblem(problem, plain));
  });

  it('stands at a column only where its line is known', () => {
    const at = (place: object) =>
      renderProblem({ id: 'CJE-BAD-VALUE', headline: 'x', place: { file: 'a.yaml', ...place } }, plain);
    expect(at({ line: 3, column: 5 })).toContain('  a.yaml:3:5');
    expect(at({ line: 3 })).toContain('  a.yaml:3');
    expect(at({ column: 5 }).split('\n')[1]).toBe('  a.yaml');
  });

  it('marks half of an excerpt at most, with as much before it as there is room for', () => {
    const excerpt = `${'a'.repeat(90)}${'b'.repeat(200)}${'c'.repeat(90)}`;
    const place = { file: 'f', line: 1, column: 91, width: 200, excerpt };
    const [, , text, carets] = renderProblem({ id: 'CJE-BAD-VALUE', headline: 'x', place }, plain).split('\n');
    // 100 columns: 50 are marked, 20 are kept for what follows, and what leads up has the rest.
    expect(text).toBe(`  1 │ …${'a'.repeat(29)}${'b'.repeat(49)}…${'c'.repeat(19)}…`);
    expect(carets).toBe(`    │ ${' '.repeat(30)}${'^'.repeat(50)}`);
  });

  it('points at the right column after tabs and wide characters', () => {
    const rendered = renderProblem(
      {
        id: 'CJE-BAD-VALUE',
        headline: 'x',
        place: { file: 'f', line: 3, column: 8, width: 2, excerpt: '\ta\t日本: 値段' },
      },
      plain,
    );
    expect(rendered.split('\n').slice(2)).toEqual(['  3 │     a   日本: 値段', '    │               ^^^^']);
  });

  it('points past the end of a line, and at one character where nothing is known of the width', () => {
    const rendered = renderProblem(
      { id: 'CJE-BAD-VALUE', headline: 'x', place: { file: 'f', line: 1, column: 99, excerpt: 'key:' } },
      plain,
    );
    expect(rendered.split('\n').slice(2)).toEqual(['  1 │ key:', '    │     ^']);
  });

  it('cuts long lines around the mistake', () => {
    const excerpt = `${'a'.repeat(300)}WRONG${'b'.repeat(300)}`;
    const [, , line = '', caret = ''] = renderProblem(
      { id: 'CJE-BAD-VALUE', headline: 'x', place: { file: 'f', line: 1, column: 301, width: 5, excerpt } },
      plain,
    ).split('\n');
    expect(line.length).toBeLessThan(115);
    expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('WRONG');
    expect(line).toMatch(/│ …a+WRONGb+…$/);
  });

  it('shows as much of the place as is known', () => {
    const place = (value: Parameters<typeof renderProblem>[0]['place']) =>
      renderProblem({ id: 'CJE-BAD-VALUE', headline: 'x', ...(value === undefined ? {} : { place: value }) }, plain)
        .split('\n')
        .slice(1);
    expect(place({ file: 'prompts.jsonl', line: 17, excerpt: '{"prompt": ' })).toEqual([
      '  prompts.jsonl:17',
      '  17 │ {"prompt":',
    ]);
    expect(place({ file: 'pipeline.yaml' })).toEqual(['  pipeline.yaml']);
    expect(place(undefined)).toEqual([]);
  });

  it('never lets a file or a server steer the terminal', () => {
    const evil = '\u001b[2J\u202e\r';
    const rendered = renderProblem(
      {
        id: 'CJE-BAD-VALUE',
        headline: evil,
        facts: [[evil, `${evil}\nsecond line`]],
        place: { file: evil, line: 1, column: 2, excerpt: evil },
        hint: evil,
      },
      plain,
    );
    expect(rendered).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    expect(rendered).toContain('second line');
  });
});
