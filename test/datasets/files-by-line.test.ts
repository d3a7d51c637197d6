/** Where in a file a row or a mistake stands: people count lines from 1, with the header and empty ones. */

import { describe, expect, it } from 'vitest';
import type { GraphNode } from '../../src/core/graph.ts';
import { sheetLines } from '../../src/datasets/export/label-file.ts';
import { safeCell } from '../../src/datasets/export/label-sheet.ts';
import { readJsonArray, readJsonLines } from '../../src/datasets/files/json-lines.ts';
import { readRecords } from '../../src/datasets/files/table.ts';
import { input } from '../kinds/support.ts';

const at = (line: number | undefined, row: number) => ({ file: 'rows', line, row });

describe('JSON Lines', () => {
  it('count every line, and rows alone as rows', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1}\n\n  \n{"a":2,}\n[3]\n'),
      Buffer.from([0xff, 10]),
      Buffer.from('{"b":NaN}\n{"a":1,"a":2}\n{"c":4}'),
    ]);
    const { records, faults } = readJsonLines(bytes, 'rows');
    expect(records).toEqual([
      { at: at(1, 0), fields: { a: 1 } },
      { at: at(7, 4), fields: { b: Number.NaN } },
      { at: at(9, 6), fields: { c: 4 } },
    ]);
    expect(faults).toEqual([
      {
        at: at(4, 1),
        category: 'broken JSON',
        message: 'this line is not JSON: a comma stands before a closing bracket',
      },
      { at: at(5, 2), category: 'no JSON object', message: 'this line is not a JSON object' },
      { at: at(6, 3), category: 'not UTF-8 text', message: 'this line is not UTF-8 text' },
      { at: at(8, 5), category: 'a key twice', message: 'the key "a" stands here twice' },
    ]);
  });

  it('as one array have no lines, and a mistake in its text has one', () => {
    const { records, faults } = readJsonArray(Buffer.from('[{"a":1},\n2,{"b":3}]'), 'rows');
    expect(records.map((each) => each.at)).toEqual([at(undefined, 0), at(undefined, 2)]);
    expect(faults.map((each) => each.at)).toEqual([at(undefined, 1)]);
    const twice = () => readJsonArray(Buffer.from('[{"a":1},\n\n{"b":1,"b":2}]'), 'rows');
    expect(twice).toThrow(expect.objectContaining({ line: 3 }));
  });
});

describe('CSV', () => {
  it('counts the header and lines within quotes', async () => {
    const text = 'id,text\r\n1,"two\nlines"\r\n\r\n2,plain\r\n3,x,y\r\n4,last';
    const file = { bytes: Buffer.from(text), label: 'rows' };
    const { records, faults } = await readRecords(file, { missing: new Set(), wanted: () => true });
    expect(records.map(({ at: { line }, fields }) => [line, fields.id])).toEqual([
      [2, '1'],
      [5, '2'],
      [7, '4'],
    ]);
    expect(faults.map(({ at: { line } }) => line)).toEqual([6]);
  });
});

describe('a sheet of labels', () => {
  const node: GraphNode = {
    name: 'labels',
    stage: 'labels',
    kind: 'oracle',
    params: { share: 1 },
    inputs: { responses: { arity: 'many', nodes: [{ label: 'a', node: 'responses/a' }] } },
    tolerate: 0,
    place: { file: 'pipeline.yaml' },
  };
  const row = (id: string, response: string | null, status = 'ok') => ({
    prompt_id: id,
    prompt: `=p${id}`,
    status,
    response,
  });
  const built = () =>
    input({ rows: [row('1', 'one'), row('2', '-two, "three"'), row('3', null, 'refused'), row('4', 'four')] });
  const labelled = input({ rows: [{ policy: 'a', prompt_id: '4', status: 'ok', label: 1 }] });

  it('asks for what has no label, in cells that no spreadsheet takes for formulas', async () => {
    const { text, written, kept } = await sheetLines(node, built, labelled, undefined);
    expect([written, kept]).toEqual([2, 0]);
    const [header, ...lines] = text.trimEnd().split('\r\n');
    expect(header).toBe('text_id,prompt,response,label');
    expect(lines.map((line) => line.replace(/^\w+,/, '')).sort()).toEqual(
      [`'=p1,one,`, `'=p2,"'-two, ""three""",`].sort(),
    );
  });

  it('is added to behind the columns of its people, on a line of its own', async () => {
    const whole = (await sheetLines(node, built, labelled, undefined)).text;
    const [, first, second] = whole.trimEnd().split('\r\n') as [string, string, string];
    const add = (there: string) => sheetLines(node, built, labelled, { bytes: Buffer.from(there), label: 'sheet.csv' });
    const one = 'text_id,prompt,response,label,who,when\r\n';
    expect(await add(`${one}${first}1,ann,mon`)).toEqual({ text: `\r\n${second},,\r\n`, written: 1, kept: 1 });
    expect(await add(`${one}${first}1,ann,mon\r\n`)).toEqual({ text: `${second},,\r\n`, written: 1, kept: 1 });
    expect(await add(`text_id,prompt,response,label\r\n${first}\r\n${second}\r\n`)).toEqual({
      text: '',
      written: 0,
      kept: 2,
    });
    // A spreadsheet may leave blanks around what it writes.
    const spaced = first.replace(/^(\w+),/, ' $1 ,');
    expect(await add(`text_id,prompt,response,label\r\n${spaced}\r\n`)).toMatchObject({ written: 1, kept: 1 });
    await expect(add('id,text\r\n1,x\r\n')).rejects.toThrow('sheet.csv is there already');
  });

  it.each(['=1+1', '+1', '-1', '@x', '\tx', '\rx'])('marks the cell %j as text', (cell) => {
    expect([safeCell(cell), safeCell(`x${cell}`)]).toEqual([`'${cell}`, `x${cell}`]);
  });
});
