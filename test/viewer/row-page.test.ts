import { describe, expect, it } from 'vitest';
import { prompts } from '../../src/kinds/prompts.ts';
import { pageOf, type RowQuery } from '../../src/viewer/model/row-page.ts';
import { RowTables } from '../../src/viewer/model/row-tables.ts';
import { workshop } from '../store/support.ts';

const { folder, open } = workshop();

const ALL: RowQuery = { text: '', status: undefined, sort: undefined, descending: false, offset: 0, limit: 10 };

/** Scores 3, none, 1, none, 2; every second row is refused. */
async function ask(query: Partial<RowQuery>) {
  const { blobs } = open(folder());
  const rows = [3, null, 1, null, 2].map((score, index) => ({
    prompt_id: `p${index}`,
    status: index % 2 === 0 ? 'ok' : 'refused',
    text: index < 3 ? 'Early' : 'late',
    score,
  }));
  const ref = await blobs.put(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const tables = new RowTables(blobs);
  const page = pageOf(tables.get(ref, prompts), { ...ALL, ...query }, tables);
  for (const { index, item, row } of page.rows) expect([item, row]).toEqual([`p${index}`, rows[index]]);
  return { ...page, rows: page.rows.map(({ index }) => index) };
}

describe('a page of rows', () => {
  it('counts all of them by status, and names what they can be sorted by', async () => {
    expect(await ask({ limit: 2 })).toEqual({
      total: 5,
      selected: 5,
      statuses: { ok: 3, refused: 2 },
      sortable: ['score'],
      rows: [0, 1],
    });
  });

  it.each<[string, Partial<RowQuery>, number, number[]]>([
    ['from within', { offset: 3, limit: 10 }, 5, [3, 4]],
    ['from beyond', { offset: 7 }, 5, []],
    ['of a status', { status: 'refused' }, 2, [1, 3]],
    ['of a status from within', { status: 'ok', offset: 1, limit: 1 }, 3, [2]],
    ['with a text', { text: 'early' }, 3, [0, 1, 2]],
    ['with a text and a status', { text: 'early', status: 'ok' }, 2, [0, 2]],
    ['sorted, what has no number last', { sort: 'score' }, 5, [2, 4, 0, 1, 3]],
    ['sorted downwards, what has no number last', { sort: 'score', descending: true }, 5, [0, 4, 2, 1, 3]],
    ['sorted by nothing', { sort: 'none' }, 5, [0, 1, 2, 3, 4]],
    ['of a text that is sorted', { text: 'late', sort: 'score' }, 2, [4, 3]],
  ])('%s', async (_, query, selected, rows) => {
    expect(await ask(query)).toMatchObject({ total: 5, selected, rows });
  });
});
