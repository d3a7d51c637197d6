import { describe, expect, it } from 'vitest';
import { DamageError } from '../../src/core/storage.ts';
import { prompts } from '../../src/kinds/prompts.ts';
import { Recent } from '../../src/viewer/model/recent.ts';
import { RowTable } from '../../src/viewer/model/row-table.ts';
import { workshop } from '../store/support.ts';

const { folder, open } = workshop();
const store = () => open(folder());

describe('a table of rows', () => {
  it('reads any rows in any order, whatever their bytes', async () => {
    const { blobs } = store();
    const rows = ['plain', 'naïve “café” 漢字 🙂', '', 'x'.repeat(3_000_000), 'two\nlines', '\u2028'].map(
      (text, index) => ({
        prompt_id: `p${index}`,
        text,
      }),
    );
    const ref = await blobs.put(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const table = new RowTable(ref, blobs, prompts);
    expect(table.length).toBe(rows.length);
    expect(table.read([5, 0, 3, 1, 4, 2])).toEqual([5, 0, 3, 1, 4, 2].map((index) => rows[index]));
  });

  it('takes a last line without its newline for a row, and nothing for none', async () => {
    const { blobs } = store();
    const two = new RowTable(await blobs.put('{"a":1}\n{"a":2}'), blobs, prompts);
    expect(two.read([1])).toEqual([{ a: 2 }]);
    expect(two.length).toBe(2);
    expect(new RowTable(await blobs.put(''), blobs, prompts).length).toBe(0);
  });

  it('knows names, statuses and numbers without the texts', async () => {
    const { blobs } = store();
    const rows = [
      { policy: 'a/b', prompt_id: 'p/1', status: 'ok', score: 0.25, by: { pi: -2 } },
      { policy: 'c', prompt_id: 'p/1', status: 'filtered', score: null },
      { score: 3 },
    ];
    const table = new RowTable(await blobs.put(rows.map((row) => `${JSON.stringify(row)}\n`).join('')), blobs, prompts);
    expect([0, 1, 2].map((index) => table.itemOf(index))).toEqual(['a/b/p/1', 'c/p/1', '#2']);
    expect(table.statuses).toEqual(['ok', 'filtered', 'ok']);
    expect([...table.numbers.get('score')!]).toEqual([0.25, Number.NaN, 3]);
    expect([...table.numbers.get('by.pi')!]).toEqual([-2, Number.NaN, Number.NaN]);
    expect(table.rowsOf('p/1')).toEqual([0, 1]);
    expect(table.rowsOf('p')).toEqual([]);
  });

  it('finds texts of any case, and not the names of fields', async () => {
    const { blobs } = store();
    const rows = [{ text: 'Émile said "no"\n' }, { list: [{ deep: 'ÉMILE' }] }, { text: 'nobody' }];
    const table = new RowTable(await blobs.put(rows.map((row) => `${JSON.stringify(row)}\n`).join('')), blobs, prompts);
    expect(table.search('émile')).toEqual([0, 1]);
    expect(table.search('said "NO"\n')).toEqual([0]);
    expect(table.search('text')).toEqual([]);
  });

  it('tells a blob that is gone or damaged, and never shows what it holds', async () => {
    const local = store();
    const ref = await local.blobs.put('{"a":1}\n');
    const table = new RowTable(ref, local.blobs, prompts);
    local.blobs.remove(ref.digest);
    expect(() => table.read([0])).toThrow(DamageError);
    expect(() => new RowTable(ref, local.blobs, prompts)).toThrow(DamageError);
  });
});

describe('what was made lately', () => {
  it('is kept within its bound, the oldest dropped first', () => {
    const made: string[] = [];
    const recent = new Recent<string>(3, () => 1);
    const get = (key: string) =>
      recent.get(key, () => {
        made.push(key);
        return key;
      });
    for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) expect(get(key)).toBe(key);
    expect(made).toEqual(['a', 'b', 'c', 'd', 'b']);
  });

  it('keeps the newest, whatever it weighs', () => {
    const recent = new Recent<number>(10, (weight) => weight);
    recent.get('small', () => 1);
    recent.get('large', () => 50);
    expect(recent.get('large', () => -1)).toBe(50);
    expect(recent.get('small', () => 2)).toBe(2);
  });
});
