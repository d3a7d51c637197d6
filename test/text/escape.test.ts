import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvCell } from '../../src/text/csv.ts';
import { clip, escapeHtml, escapeMarkdown, plainLine } from '../../src/text/escape.ts';
import { anyText } from '../helpers/any-text.ts';

const poison = fc.oneof(
  anyText(),
  fc.string({
    unit: fc.constantFrom(
      '<',
      '>',
      '&',
      '"',
      "'",
      '`',
      '|',
      '\\',
      '_',
      '*',
      '\n',
      '\r',
      '\u001b',
      '[',
      ']',
      'a',
      '=',
      '\ud800',
    ),
  }),
);
const CONTROL = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

describe('plainLine', () => {
  it('removes escape sequences, controls and marks that reorder a line', () => {
    expect(plainLine('\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007')).toBe('red link');
    expect(plainLine(' a\r\nb\tc\u2028d ')).toBe('a b c d');
    expect(plainLine('x\u0000\u0007\u202ey\u2066z\ud800')).toBe('xyz');
    expect(plainLine('😀 Größe')).toBe('😀 Größe');
  });

  it('leaves one well-formed line without controls, and is idempotent', () => {
    fc.assert(
      fc.property(poison, (text) => {
        const line = plainLine(text);
        expect(line).not.toMatch(CONTROL);
        // Throws at half of a surrogate pair.
        expect(decodeURIComponent(encodeURIComponent(line))).toBe(line);
        expect(plainLine(line)).toBe(line);
      }),
    );
  });
});

describe('escapeHtml', () => {
  const shownAs = (html: string) =>
    html
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&quot;/g, '"')
      .replace(/&#39;/g, "'")
      .replace(/&#96;/g, '`')
      .replace(/&amp;/g, '&');

  it('leaves nothing that opens a tag, an entity or an attribute’s end, and loses nothing', () => {
    fc.assert(
      fc.property(poison, (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"'`]/);
        expect(escaped).not.toMatch(/&(?!(?:lt|gt|quot|#39|#96|amp);)/);
        expect(shownAs(escaped)).toBe(plainLine(text));
      }),
    );
  });
});

describe('escapeMarkdown', () => {
  it('keeps ordinary names readable', () => {
    expect(escapeMarkdown('pi_bigger_model')).toBe('pi_bigger_model');
    expect(escapeMarkdown('calibrated-ips: 0.5 (n = 3)')).toBe('calibrated-ips: 0.5 (n = 3)');
  });

  it('takes the meaning from what Markdown reads', () => {
    expect(escapeMarkdown('a|b')).toBe('a\\|b');
    expect(escapeMarkdown('<img src=x>')).toBe('&lt;img src=x&gt;');
    expect(escapeMarkdown('[x](y) *b* `c` _d_')).toBe('\\[x\\](y) \\*b\\* \\`c\\` \\_d\\_');
    expect(escapeMarkdown('# head')).toBe('\\# head');
    expect(escapeMarkdown('1. one')).toBe('1\\. one');
    expect(escapeMarkdown('https://a.b www.c.d')).toBe('https&#58;//a.b www&#46;c.d');
    expect(escapeMarkdown('a\n\n# b')).toBe('a # b');
  });

  it('leaves no bare cell border, tag or code mark', () => {
    fc.assert(
      fc.property(poison, (text) => {
        const escaped = escapeMarkdown(text);
        expect(escaped).not.toMatch(/[<>\n]/);
        expect(escaped.replace(/\\[\s\S]/g, '')).not.toMatch(/[|`*[\]$~]/);
      }),
    );
  });
});

describe('csvCell', () => {
  it('quotes as RFC 4180 and guards formulas, in texts alone', () => {
    expect(csvCell('plain')).toBe('plain');
    expect(csvCell('a "b", c')).toBe('"a ""b"", c"');
    expect(csvCell('=HYPERLINK("x")')).toBe('"\'=HYPERLINK(""x"")"');
    expect(csvCell('+1')).toBe("'+1");
    expect(csvCell('-1')).toBe("'-1");
    expect(csvCell('@x')).toBe("'@x");
    expect(csvCell('\t=1')).toBe("'=1");
    expect(csvCell(-1.5)).toBe('-1.5');
    expect(csvCell(null)).toBe('');
    expect(csvCell(Number.NaN)).toBe('');
  });

  it('holds numbers at full precision', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(csvCell(value))).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  it('never opens a text with what a spreadsheet would run', () => {
    fc.assert(
      fc.property(poison, (text) => {
        expect(csvCell(text).replace(/^"/, '')).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
  });
});

describe('clip', () => {
  it('counts characters, not halves of them', () => {
    expect(clip('abcdef', 4)).toBe('abc…');
    expect(clip('😀😀😀', 2)).toBe('😀…');
    expect(clip('abc', 3)).toBe('abc');
  });
});
