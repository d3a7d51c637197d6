/** What else files are like: encodings, separators, decimal commas, and what is refused with a cause that is true. */

import { describe, expect, it } from 'vitest';
import { SourceError } from '../../src/core/kind.ts';
import { readRecords } from '../../src/datasets/files/table.ts';
import { noValueHint, readOnScale } from '../../src/datasets/import/values.ts';
import { imported, problemOf } from './import-support.ts';

const OPTIONS = { missing: new Set<string>(), wanted: () => true };
const read = async (bytes: Uint8Array | string, label = 'data') =>
  (await readRecords({ bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes, label }, OPTIONS)).records.map(
    ({ fields }) => ({ ...fields }),
  );
const refusal = async (bytes: Uint8Array | string, label?: string) => {
  const error = await read(bytes, label).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SourceError)) throw error ?? new Error('it was read');
  return `${error.line ?? '-'} ${error.message}. ${error.hint}`;
};
const TWO = [
  { id: 'a', text: 'So, "it" is' },
  { id: 'b', text: 'ça' },
];
const table = (separator: string) => `id${separator}text\na${separator}"So, ""it"" is"\nb${separator}ça\n`;

describe('a table', () => {
  it.each([',', '\t', ';', '|'])('is separated by what stands in its header: %j', async (separator) => {
    expect(await read(table(separator))).toEqual(TWO);
  });

  it('is read in UTF-16 with its mark or without, either way round', async () => {
    const little = Buffer.from(table('\t'), 'utf16le');
    expect(await read(Buffer.concat([Buffer.from([0xff, 0xfe]), little]))).toEqual(TWO);
    expect(await read(little)).toEqual(TWO);
    expect(await read(Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(little).swap16()]))).toEqual(TWO);
  });

  it('may not have its header twice', async () => {
    const { faults } = await readRecords({ bytes: Buffer.from('a,b\n1,2\na,b\n'), label: 'x' }, OPTIONS);
    expect(faults).toMatchObject([{ at: { line: 3 }, category: 'the header again' }]);
  });

  it('may say its separator, as Excel writes it', async () => {
    expect(await read(`sep=;\r\n${table(';')}`)).toEqual(TWO);
    expect(await read(`\ufeff"sep=|"\n${table('|')}`)).toEqual(TWO);
  });

  it('is read in zstd', async () => {
    const text = Buffer.from(table(','));
    // A frame of one raw block: magic, one byte of size, a block header that says it is the last one.
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0x20, text.length, (text.length << 3) | 1, text.length >> 5, 0];
    expect(await read(Buffer.concat([Buffer.from(header.map((byte) => byte & 0xff)), text]))).toEqual(TWO);
    expect(await refusal(Buffer.from(header.slice(0, 6)))).toMatch(/zstd file cannot be unpacked/);
  });

  it.each([
    [
      'a spreadsheet',
      Buffer.from('PK\u0003\u0004 and so on', 'latin1'),
      /ZIP archive.*spreadsheet.*save the rows as CSV/s,
    ],
    ['gzip cut short', Buffer.from([0x1f, 0x8b, 8, 0]), /gzip file cannot be unpacked/],
    ['a database', Buffer.from('SQLite format 3\0 and so on'), /SQLite database.*CSV/s],
    ['Latin-1', Buffer.from('id,text\na,b\nc,\u00e7a\n', 'latin1'), /^3 this line is not UTF-8 text.*Latin-1/s],
    ['a quote that never ends', 'id,text\na,"b\n', /^2 this is not CSV/],
    ['two columns of one name', 'a,a\n1,2\n', /^1 two columns are named "a"/],
    ['two columns of one name below Excel’s line', 'sep=;\na;a\n1;2\n', /^2 two columns are named "a"/],
    ['a PDF', '%PDF-1.4', /this is a PDF/],
    ['a list with a comma at its end', '[{"a": 1},]', /not JSON: a comma stands before a closing bracket/],
    ['a NUL byte', 'a,b\n1,\0\n', /^2 this line holds a NUL byte/],
  ])('is refused where it is %s', async (_, bytes, told) => {
    expect(await refusal(bytes)).toMatch(told);
  });
});

describe('JSON', () => {
  it('may wrap its rows, on one line or several', async () => {
    const wrapped = { version: 1, data: [{ id: 1 }, { id: 2 }] };
    expect(await read(JSON.stringify(wrapped))).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await read(JSON.stringify(wrapped, null, 2))).toEqual([{ id: 1 }, { id: 2 }]);
    // The turns of one conversation are no rows.
    const row = { name: 'x', talk: [{ role: 'user', content: 'y' }] };
    expect(await read(JSON.stringify(row))).toEqual([row]);
  });

  it.each([
    ['two lists', '{"a":[{"x":1}],"b":[{"x":1}]}', /2 lists of rows. They are a, b/],
    ['no list', '{\n "a": 1,\n "b": 2\n}', /no list of rows is in it. It has a, b/],
    ['objects one after another', '{\n "a": 1\n}\n{\n "a": 2\n}', /not one value.*one object a line/s],
    ['columns', '{"prompt":["a","b"],"id":[1,2]}', /columns, not of rows.*orient='records'/s],
  ])('of %s is refused with its cause', async (_, text, told) => {
    expect(await refusal(text)).toMatch(told);
  });

  it.each([
    ['a web page', '{"a": 1}\n<html>\n', /looks like a web page/],
    ['a comma behind a line', '{"a": 1}\n{"a": 2},\n', 'this line is not JSON: a comma stands behind it'],
    [
      'a comma before a bracket',
      '{"a": 1}\n{"a": 2,}\n',
      'this line is not JSON: a comma stands before a closing bracket',
    ],
    ['a dict of Python', '{"a": 1}\n{\'a\': 2}\n', /keys and texts need double quotes/],
    ['a NUL byte', '{"a": 1}\n{"a": "\0"}\n', 'this line is not JSON: it holds a NUL byte'],
    ['a key twice', '{"a": 1}\n{"a": 2, "b": {}, "a": 3}\n', 'the key "a" stands here twice'],
  ])('says of a line with %s what it is', async (_, text, message) => {
    const { records, faults } = await readRecords({ bytes: Buffer.from(text), label: 'x' }, OPTIONS);
    expect(records).toHaveLength(1);
    expect(faults).toMatchObject([{ at: { line: 2 }, message: expect.stringMatching(message) }]);
  });

  it('with a key twice in one value over several lines is refused at its line', async () => {
    expect(await refusal('[\n {"a": 1},\n {"a": 1,\n  "a": 2}\n]')).toMatch(/^4 the key "a" stands here twice/);
    expect(await refusal('{\n "rows": [{"a": 1, "a": 2}]\n}')).toMatch(/^2 the key "a" stands here twice/);
  });

  it('with a mistake on its first line is JSON Lines with a mistake', async () => {
    const { faults } = await readRecords({ bytes: Buffer.from('{"a": 1\n{"a": 2}\n'), label: 'x' }, OPTIONS);
    expect(faults.map(({ at, message }) => [at.line, message])).toEqual([[1, 'this line is not JSON']]);
  });
});

describe('numbers', () => {
  it.each([
    ['0,25', 0.25],
    ['0,125', 0.125],
    [',5', 0.5],
    ['yes', 1],
    ['FALSE', 0],
    [true, 1],
  ])('%j is %f', (cell, value) => {
    expect(readOnScale(cell, 'score', [0, 1])).toEqual({ ok: true, value });
  });

  it.each(['1,234', '10%', 'fine', '1,2,3'])('%j is none', (cell) => {
    expect(readOnScale(cell, 'score', [0, 2000]).ok).toBe(false);
  });

  it.each(['NaN', 'n/a', 'N/A', 'None', '-', '?', 'null', 'missing'])(
    '%j is no value, and is told to be left out',
    async (cell) => {
      const read = readOnScale(cell, 'label', [1, 5], { skip: 1 });
      expect(read).toMatchObject({ ok: false, message: expect.stringMatching(/^label is .*, which is no value$/) });
      const hint = noValueHint(read.ok ? [] : [read.category, read.category, 'label is a word']);
      const word = cell === '-' || cell === '?' || cell === 'null' ? JSON.stringify(cell) : cell;
      expect(hint).toContain(`\`missing: [NA, ${word}]\``);
      expect(noValueHint(['label is a word'])).toBe('');
      expect(readOnScale('skip', 'label', [1, 5], { skip: 1 })).toEqual({ ok: true, value: 0 });
    },
  );

  it('words are asked for, and what only looks odd is not taken for one', async () => {
    const rows = (score: string) => `prompt_id,policy,judge_score\na,x,${score}\n`;
    expect(await problemOf({ rows: rows('fine') })).toMatch(/values: \{good: 1, bad: 0\}/);
    expect(await problemOf({ rows: rows('10%') })).not.toMatch(/values:/);
    expect((await imported({ rows: rows('fine') }, { values: { Fine: 0.5 } })).fresh[0]).toMatchObject({
      judge_score: 0.5,
    });
  });
});

describe('rows', () => {
  const row = (id: string, score: number, more = '') => `${id},x,${score}${more}\n`;
  const header = 'prompt_id,policy,judge_score\n';

  it('of which some stand there again are draws, and that is said', async () => {
    const { fresh, outputs } = await imported({ rows: header + row('a', 1) + row('b', 0) + row('a', 1) });
    expect(fresh).toHaveLength(3);
    expect(outputs.notes).toEqual([
      '1 row repeats an earlier one of rows, to the byte (line 4 is line 2 again): taken as draws of their own',
    ]);
  });

  it('that all stand there twice are a mistake, or left out and counted', async () => {
    const twice = header + (row('a', 1) + row('b', 0)).repeat(2);
    expect(await problemOf({ rows: twice })).toMatch(/^2 rows of rows cannot be used\nrows:4[\s\S]*draw_index/);
    const { fresh, outputs } = await imported({ rows: twice }, { on_bad_row: 'drop' });
    expect([fresh.length, outputs.notes?.length]).toEqual([2, 1]);
  });

  it('are those alone that are asked for', async () => {
    const rows = 'prompt_id,policy,judge_score,filter\na,x,1,strict\na,x,0,loose\n';
    expect(await problemOf({ rows })).toMatch(/once for each filter: strict, loose[\s\S]*where: \{filter: strict\}/);
    expect((await imported({ rows }, { where: { filter: 'loose' } })).fresh).toMatchObject([{ judge_score: 0 }]);
  });

  it('have one id whichever way pandas wrote it, and keep floats that are not whole', async () => {
    const ids = async (...all: readonly string[]) =>
      (await imported({ rows: header + all.map((id) => row(id, 1)).join('') })).fresh.map(({ prompt_id }) => prompt_id);
    expect(await ids('7', '7.0', ' 8')).toEqual(['7', '7', '8']);
    expect(await ids('7.0', '8.0')).toEqual(['7.0', '8.0']);
    expect(await ids('7', '7.0', 'x')).toEqual(['7', '7.0', 'x']);
  });
});
