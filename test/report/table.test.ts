import { describe, expect, it } from 'vitest';
import { type Cell, left, number, right, type Table, tableOf, text } from '../../src/report/model/table.ts';
import { Figures } from '../../src/report/render/html/figures.ts';
import { tableMarkdown, titleMarkdown } from '../../src/report/render/markdown/table.ts';
import { tableLines } from '../../src/report/render/terminal/table.ts';
import { type Paint, painter } from '../../src/text/paint.ts';

const noCharts = () => {
  throw new Error('a table is no chart');
};

const HOSTILE = '<b>|*a*|\u001b[31m\u202e\n# "x"';

/** A cell, and how each rendering shows it: Markdown, HTML, and a terminal. */
const CELLS: readonly (readonly [cell: Cell, markdown: string, html: string, terminal: string])[] = [
  [null, '', '', ''],
  [text('plain'), 'plain', 'plain', 'plain'],
  [text('in full', 'brief'), 'brief', 'in full', 'in full'],
  [text(HOSTILE), '&lt;b&gt;\\|\\*a\\*\\| # "x"', '&lt;b&gt;|*a*| # &quot;x&quot;', '<b>|*a*| # "x"'],
  [{ text: 'best', tone: 'strong' }, 'best', '<b>best</b>', 'best'],
  [{ text: 'pass', tone: 'good' }, 'pass', '<span class="passed">pass</span>', 'pass'],
  [
    { text: HOSTILE, tone: 'bad' },
    '**&lt;b&gt;\\|\\*a\\*\\| # "x"**',
    '<span class="failed">&lt;b&gt;|*a*| # &quot;x&quot;</span>',
    '<b>|*a*| # "x"',
  ],
  [{ text: 'open', tone: 'quiet' }, 'open', '<span class="">open</span>', 'open'],
  [{ text: 'pi', tempered: true }, 'pi†', 'pi†', 'pi†'],
  [number(1234, 'count'), '1,234', '1,234', '1,234'],
  [number(null, 'count'), '–', '–', '–'],
  [number(-0.25, 'decimal'), '-0.250', '−0.250', '-0.250'],
  [number(0.012345, 'significant'), '0.0123', '0.0123', '0.0123'],
  [number(0.0001, 'percent'), '< 0.1\u00a0%', '&lt; 0.1\u00a0%', '< 0.1\u00a0%'],
  [number(12.5, 'dollars'), '\\$12.50', '$12.50', '$12.50'],
  [number(null, 'dollars'), 'unknown', 'unknown', 'unknown'],
  [number(0.05, 'margin'), '± 0.05', '± 0.05', '± 0.05'],
  [number(null, 'margin'), '–', '–', '–'],
  [number(-0.02, 'error'), '-0.0200', '−0.0200', '-0.0200'],
  [number(0.5, 'error'), '0.500', '0.500', '0.500'],
  [number(0.925, 'rate'), '92.5 %', '92.5 %', '92.5 %'],
  [{ value: 0.6, as: 'decimal', tone: 'strong', tempered: true }, '0.600†', '<b>0.600</b>†', '0.600†'],
  [{ lower: -0.1, upper: 0.2 }, '[-0.100, 0.200]', '[−0.100, 0.200]', '[-0.100, 0.200]'],
  [{ lower: -0.1, upper: 20, as: 'significant' }, '[-0.100, 20]', '[−0.100, 20]', '[-0.100, 20]'],
  [{ lower: null, upper: null }, '–', '–', '–'],
  [
    { estimate: 0.6, reach: 0.03, misses: false, tempered: true },
    '0.600 ± 0.030†',
    '0.600 <span class="pm">± 0.030</span>†',
    '0.600 ±0.030†',
  ],
  [
    { estimate: -0.6, reach: 0.03, misses: true, tempered: false },
    '-0.600 ± 0.030',
    '<span class="misses">−0.600</span> <span class="pm">± 0.030</span>',
    '-0.600 ±0.030',
  ],
  [
    { refusedBy: HOSTILE },
    '*refused: &lt;b&gt;\\|\\*a\\*\\| # "x"*',
    '<span class="refused">refused: &lt;b&gt;|*a*| # &quot;x&quot;</span>',
    'refused: <b>|*a*| # "x"',
  ],
  [{ truth: 0.5 }, '0.500', '0.500<span aria-hidden="true" class="unseen"> ± 0.000</span>', '0.500'],
  [{ truth: null }, '–', '', '–'],
  [{ delta: 0.0161 }, '\\+0.016 ▲', '+0.016 ▲', '+0.016 ▲'],
  [{ delta: -0.0001 }, '\\-&lt;0.001 ▼', '−&lt;0.001 ▼', '-<0.001 ▼'],
  [{ delta: 0 }, '± changed', '± changed', '± changed'],
  [{ delta: null }, '·', '·', '·'],
  [
    { list: [text(HOSTILE), number(2, 'count')], between: ', ' },
    '&lt;b&gt;\\|\\*a\\*\\| # "x", 2',
    '&lt;b&gt;|*a*| # &quot;x&quot;, 2',
    '<b>|*a*| # "x", 2',
  ],
];

const plain = painter(false);
const lettered: Paint = (style, words) => `<${style}>${words}</>`;

const tableOfCells = (cells: readonly Cell[]): Table =>
  tableOf([left('Row', () => text('row')), right<Cell>('Cell', (cell) => cell)], cells, { title: ['Cells'] });

describe('a cell', () => {
  it.each(CELLS)('%j is %j in Markdown', (cell, expected) => {
    expect(tableMarkdown(tableOfCells([cell]))).toBe(`| Row | Cell |\n| :--- | ---: |\n| row | ${expected} |`);
  });

  it('is escaped and marked up in HTML', () => {
    const markup = new Figures(noCharts).table(tableOfCells(CELLS.map(([cell]) => cell)))?.html ?? '';
    const shown = [...markup.matchAll(/<td class="num">(.*)<\/td><\/tr>/g)].map(([, cell]) => cell);
    expect(shown).toEqual(CELLS.map(([, , html]) => html));
  });

  it.each(CELLS)('%j fits a line of a terminal', (cell, _markdown, _html, expected) => {
    const [, , line] = tableLines(tableOfCells([cell]), 80, plain);
    expect(line!.replace(/^row\s*/, '').trimEnd()).toBe(expected);
  });
});

describe('a table', () => {
  const columns = [
    left<readonly [string, Cell]>('Name', ([name]) => text(name), { brief: 'Short' }),
    right<readonly [string, Cell]>(HOSTILE, ([, cell]) => cell),
    right<readonly [string, Cell]>({ list: [number(0.05, 'percent'), text('labelled')], between: ' ' }, () => null, {
      in: ['markdown'],
    }),
    left<readonly [string, Cell]>('Page', () => text('p'), { in: ['html'] }),
  ];
  const made = tableOf(
    columns,
    [
      ['a', { estimate: 0.5, reach: 0.1, misses: false, tempered: true }],
      ['b', { estimate: 0.25, reach: 0.1, misses: false, tempered: false }],
      ['c', { refusedBy: 'ess' }],
    ],
    { title: ['Of', { strong: '<i>' }, 'all'], note: 'A <note>.' },
  );
  const table: Table = {
    ...made,
    rows: [
      ...made.rows,
      { cells: [text('Truth', 'truth'), { truth: 0.5 }, null, null], role: 'truth' },
      { cells: [text('sum'), number(3, 'count'), null, null], role: 'total' },
    ],
  };

  it('in Markdown has its columns, the truth in italics and a total whose name is strong', () => {
    expect(titleMarkdown(table)).toBe('Of **&lt;i&gt;** all');
    expect(tableMarkdown(table)).toBe(
      [
        '| Short | &lt;b&gt;\\|\\*a\\*\\| # "x" | 5.0\u00a0% labelled |',
        '| :--- | ---: | ---: |',
        '| a | 0.500 ± 0.100† |  |',
        '| b | 0.250 ± 0.100 |  |',
        '| c | *refused: ess* |  |',
        '| *truth* | *0.500* |  |',
        '| **sum** | 3 |  |',
      ].join('\n'),
    );
  });

  it('in HTML has a numbered caption, row headings and a foot', () => {
    const figures = new Figures(noCharts);
    figures.table(made);
    expect(figures.table(table, 'Remark.')?.html).toBe(
      [
        '<div class="scroll" role="region" aria-label="Table 2" tabindex="0"><table><caption><b>Table 2.</b> Of <b>&lt;i&gt;</b> all. A &lt;note&gt;. Remark.</caption>',
        '<thead><tr><th scope="col">Name</th><th scope="col" class="num">&lt;b&gt;|*a*| # &quot;x&quot;</th><th scope="col">Page</th></tr></thead>',
        '<tbody>',
        '<tr><th scope="row">a</th><td class="num">0.500 <span class="pm">± 0.100</span>†</td><td>p</td></tr>',
        '<tr><th scope="row">b</th><td class="num">0.250 <span class="pm">± 0.100</span></td><td>p</td></tr>',
        '<tr><th scope="row">c</th><td class="num"><span class="refused">refused: ess</span></td><td>p</td></tr>',
        '<tr class="truth"><th scope="row">Truth</th><td class="num">0.500<span aria-hidden="true" class="unseen"> ± 0.000</span></td><td></td></tr>',
        '</tbody><tfoot><tr><th scope="row">sum</th><td class="num">3</td><td></td></tr></tfoot></table></div>\n',
      ].join('\n'),
    );
  });

  it('in a terminal has its title, coloured by what cells say, and digits in line with a marked one', () => {
    expect(tableLines(table, 80, plain)).toEqual([
      'Of <i> all',
      '       <b>|*a*| # "x"',
      'a       0.500 ±0.100†',
      'b       0.250 ±0.100',
      'c       refused: ess',
      'truth   0.500',
      'sum                 3',
    ]);
    const painted = tableLines(table, 80, lettered);
    expect(painted[0]).toBe('<bold>Of <i> all</>');
    expect(painted[4]).toContain('<yellow>');
    expect(painted[5]).toMatch(/^<green>truth .*<\/>$/);
  });

  it('is left out without rows', () => {
    const empty = { ...table, rows: [] };
    expect([tableMarkdown(empty), new Figures(noCharts).table(empty), tableLines(empty, 80, plain)]).toEqual([
      '',
      null,
      [],
    ]);
  });

  it('without a title names its rows in the corner, and takes the brief words where a terminal is narrow', () => {
    const { title: _, ...untitled } = tableOf(
      [left('Δ', () => text('row')), right<Cell>('c', (cell) => cell)],
      [text('a cell with many words in it', 'few')],
    );
    expect(tableLines(untitled, 60, plain)).toEqual([
      'Δ                               c',
      'row  a cell with many words in it',
    ]);
    expect(tableLines(untitled, 20, plain)).toEqual(['Δ                  c', 'row              few']);
  });
});
