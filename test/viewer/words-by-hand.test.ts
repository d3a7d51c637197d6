/** Single numbers and words of the pages, worked out by hand from a study or from a few values. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BuildRecord, DamageError } from '../../src/core/storage.ts';
import { openStore } from '../../src/store/store.ts';
import { answer } from '../../src/viewer/answer.ts';
import { NOW } from '../../src/viewer/model/build-source.ts';
import { describeColumn } from '../../src/viewer/model/number-column.ts';
import type { OpenBuild } from '../../src/viewer/model/open-build.ts';
import { importedScale, paramScale } from '../../src/viewer/model/scales.ts';
import { progressBar } from '../../src/viewer/pages/graph.ts';
import { itemQuery, links, rowQuery } from '../../src/viewer/parts/links.ts';
import { lacking } from '../../src/viewer/parts/parts.ts';
import { buildRecord } from '../helpers/build-record.ts';
import { logRatioOf, PROMPTS, sourceOf, studyBuild } from './study.ts';

let plain: OpenBuild;
beforeAll(async () => {
  const place = mkdtempSync(join(tmpdir(), 'cje-words-'));
  const store = openStore(join(place, '.cache'));
  plain = await studyBuild(store);
  return async () => {
    await store.close();
    rmSync(place, { recursive: true, force: true });
  };
});

const page = async (address: string, more: Parameters<typeof sourceOf>[1] = {}): Promise<string> =>
  (await answer(address, sourceOf(plain, more))).body;

/** The cells of the table rows that hold a text, as they are read. */
const cells = (body: string, holding: string): string[][] =>
  [...body.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].flatMap(([, row]) => {
    const read = [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) =>
      cell!.replace(/<[^>]*>/g, '').trim(),
    );
    return read.some((cell) => cell.includes(holding)) ? [read] : [];
  });

describe('an item', () => {
  it('says how large its weight is among all', async () => {
    // Ratios go from −6 to 5.9 in steps of a tenth, each once.
    const place = (index: number) => 1 + Math.round((5.9 - logRatioOf(index)) * 10);
    for (const index of [3, 5, 50]) {
      expect((await page(links.item(NOW, `p${index}`))).replace(/<[^>]*>/g, ' ')).toContain(
        `${place(index)} of ${PROMPTS}`,
      );
    }
  });
});

describe('the list of items', () => {
  it('says which policy wrote the log', async () => {
    const body = await page(links.items(NOW, { scorer: 'first' }));
    const names = [...body.matchAll(/<th[^>]*>(.*?)<\/th>/gs)].map(([, name]) => name!.replace(/<[^>]*>/g, ''));
    expect(names.filter((name) => name.endsWith('(log)'))).toEqual(['p0 (log)']);
    expect(names).toContain('pi');
  });
});

describe('a column of numbers', () => {
  it('has its quartiles between the nearest two, and thirty bins', () => {
    const values = Float64Array.from([4, 1, Number.NaN, 3, 2]);
    expect(describeColumn('x', values, true)).toEqual({
      name: 'x',
      n: 4,
      mean: 2.5,
      standardDeviation: Math.sqrt(5 / 3),
      quantiles: [1, 1.75, 2.5, 3.25, 4],
      // 2 and 3 lie a third and two thirds of the way; the last value counts in the last bin.
      histogram: Array.from({ length: 30 }, (_, bin) => ([0, 10, 20, 29].includes(bin) ? 1 : 0)),
    });
  });

  it('has no bins where all are equal, no spread of one, and is nothing of nothing', () => {
    expect(describeColumn('x', Float64Array.of(2, 2), true)).toMatchObject({ standardDeviation: 0, histogram: [] });
    expect(describeColumn('x', Float64Array.of(7), false)).toMatchObject({ n: 1, standardDeviation: 0, histogram: [] });
    expect(describeColumn('x', Float64Array.of(Number.NaN), true)).toBeUndefined();
  });
});

describe('progress', () => {
  const told = (done: number, items: number, estimated = false) =>
    progressBar({ done, items, estimated })
      .html.replace(/<progress value="(\d+)" max="(\d+)">(.*?)<\/progress>/, '$1/$2 $3;')
      .replace(/\s/g, ' ');

  it('is a share, of nothing none', () => {
    expect(told(30, 120)).toBe('30/120 25 %; 30 of 120');
    expect(told(0, 0)).toBe('0/0 0 %; 0 of 0');
    expect(told(1, 4, true)).toBe('1/4 25 %; about 1 of 4');
  });
});

describe('a node', () => {
  const order = (sort: string, descending: boolean) =>
    links.node(NOW, 'scores/first/pi', { sort, descending }).replaceAll('&', '&amp;');

  it('is sorted the other way round by a second press on what it is sorted by, and from the top by any other', async () => {
    const up = await page(links.node(NOW, 'scores/first/pi', { sort: 'score' }));
    const down = await page(links.node(NOW, 'scores/first/pi', { sort: 'score', descending: true }));
    expect(up).toContain(`<a href="${order('score', true)}#rows">`);
    expect(down).toContain(`<a href="${order('score', false)}#rows">`);
    for (const body of [up, down]) expect(body).toContain(`<a href="${order('variance', true)}#rows">`);
  });

  it('lacks all rows that are not ok', () => {
    const statuses = { ok: 7, refused: 1200, no_response: 3 };
    expect(lacking({ items: 1210, statuses, calls: [] })).toBe('1,200 refused, 3 no_response');
    expect(lacking({ items: 7, statuses: { ok: 7 }, calls: [] })).toBe('');
  });
});

describe('a build', () => {
  it('leads to what moved since the one before it', async () => {
    const records = ['c', 'b', 'a'].map((id) => buildRecord(id));
    const of = async (record: BuildRecord) => {
      const run: OpenBuild = { ...plain, record };
      return (await answer(links.run(NOW), sourceOf(run, { builds: () => records }))).body;
    };
    expect(await of(records[1]!)).toContain(`href="${links.compare('a', 'b').replaceAll('&', '&amp;')}"`);
    expect(await of(records[2]!)).not.toContain('What moved since');
  });

  it('whose bytes are damaged is a page that says so, and what is nobody’s fault is none', async () => {
    const failing = (error: Error) => sourceOf(plain, { refresh: () => Promise.reject(error) });
    const told = await answer('/', failing(new DamageError('blob', 'its bytes are others')));
    expect([told.status, told.body.includes('its bytes are others')]).toEqual([500, true]);
    await expect(answer('/', failing(new TypeError('a bug')))).rejects.toThrow('a bug');
  });
});

describe('the list of builds', () => {
  it('says how long each took and what it came to; the newest two are chosen to be compared', async () => {
    const records: BuildRecord[] = [
      buildRecord('newest', { startedAt: 10_000, finishedAt: 75_000, exit: 1, tags: ['best'] }),
      buildRecord('older', { startedAt: 0, finishedAt: 4_000 }),
      buildRecord('oldest'),
    ];
    const body = await page(links.builds(), { builds: () => records });
    const [newest] = cells(body, 'newest');
    const [older] = cells(body, 'older');
    expect(newest).toEqual(
      expect.arrayContaining(['newest best', '1 min 05 s', 'a b', '1,234 run, 8 failed', '$2.50', '1']),
    );
    expect(older).toEqual(expect.arrayContaining(['older', '4.0 s', '0']));
    const chosen = [...body.matchAll(/name="(before|after)" value="(\w+)"[^>]*checked/g)].map(([, as, id]) => [as, id]);
    expect(chosen).toEqual([
      ['after', 'newest'],
      ['before', 'older'],
    ]);
  });
});

it.each<[unknown, readonly number[] | undefined]>([
  [
    [1, 5],
    [1, 5],
  ],
  [[3, 3], undefined],
  [[5, 1], undefined],
  [[1], undefined],
  [['1', 5], undefined],
  [undefined, undefined],
])('a scale of %j is %j', (scale, read) => {
  expect(importedScale({ params: { judge_scale: scale as never } })).toEqual(read);
  expect(paramScale({ params: { judge: { scale: scale as never } } })).toEqual(read);
  expect(paramScale({ params: { scale: scale as never } })).toEqual(read);
});

it.each([
  ['', 0],
  ['from=50', 50],
  ['from=0', 0],
  ['from=-5', 0],
  ['from=1.5', 0],
  ['from=x', 0],
  ['from=9007199254740993', 0],
])('an address with %j shows rows from %i on', (address, offset) => {
  expect(rowQuery(new URLSearchParams(address))).toMatchObject({ offset, limit: 50 });
  expect(itemQuery(new URLSearchParams(address)).offset).toBe(offset);
});
