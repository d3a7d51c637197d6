import { renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open as openLmdb } from 'lmdb';
import { expect, test } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import { addChecksum, readChecksummed } from '../../src/store/tables/checksummed.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();
const LATER = 3_600_000;

async function withEntries<T>(place: string, use: (table: Database<string, string>) => T): Promise<T> {
  const root = openLmdb({ path: join(place, '.cache', 'lmdb'), overlappingSync: false });
  try {
    return use(root.openDB<string, string>('files', { encoding: 'string' }));
  } finally {
    await root.close();
  }
}

/** Of one length, so that size alone tells nothing. */
const texts = { before: 'prompt one', after: 'prompt two' };

test('a digest is taken, and taken again when the file has another stamp', async () => {
  const place = folder();
  const path = join(place, 'prompts.jsonl');
  const store = open(place, { now: () => Date.now() + LATER });
  writeFileSync(path, texts.before);
  expect(await store.files.digest(path)).toEqual({ digest: digestText(texts.before), size: 10 });
  writeFileSync(path, texts.after);
  utimesSync(path, 1000, 1000);
  expect(await store.files.digest(path)).toEqual({ digest: digestText(texts.after), size: 10 });
  writeFileSync(`${path}.new`, texts.before);
  utimesSync(`${path}.new`, 1000, 1000);
  renameSync(`${path}.new`, path);
  expect(await store.files.digest(path)).toEqual({ digest: digestText(texts.before), size: 10 });
});

test('an old stamp is remembered: the file is not read again', async () => {
  const place = folder();
  const path = join(place, 'prompts.jsonl');
  writeFileSync(path, texts.before);
  const store = open(place, { now: () => Date.now() + LATER });
  const first = await store.files.digest(path);
  await store.close();
  // Another digest in the remembered entry shows that the entry answers, and not the file.
  const marked = digestText('from memory');
  await withEntries(place, (table) => {
    const key = digestText(path);
    table.putSync(key, addChecksum({ ...readChecksummed<object>(table.get(key)), digest: marked }));
  });
  const again = open(place, { now: () => Date.now() + LATER });
  expect(first.digest).toBe(digestText(texts.before));
  expect((await again.files.digest(path)).digest).toBe(marked);
  expect((await open(place, { readOnly: true }).files.digest(path)).digest).toBe(marked);
});

test('a file hashed within the granularity of its stamp is not trusted', async () => {
  const place = folder();
  const path = join(place, 'prompts.jsonl');
  writeFileSync(path, texts.before);
  const changed = Math.floor(Math.max(statSync(path).mtimeMs, statSync(path).ctimeMs));
  for (const [afterChange, remembered] of [
    [0, 0],
    [1999, 0],
    [2000, 0],
    [2001, 1],
  ] as const) {
    const other = folder();
    const store = open(other, { now: () => changed + afterChange });
    await store.files.digest(path);
    await store.close();
    const entries = await withEntries(other, (table) => table.getCount());
    expect(entries, `hashed ${afterChange} ms after the change`).toBe(remembered);
  }
});

test('a reader takes digests without a cache, and creates none', async () => {
  const place = folder();
  const path = join(place, 'prompts.jsonl');
  writeFileSync(path, texts.before);
  const store = open(place, { readOnly: true, now: () => Date.now() + LATER });
  expect((await store.files.digest(path)).digest).toBe(digestText(texts.before));
  expect(() => statSync(join(place, '.cache'))).toThrow(/ENOENT/);
});

test("a file that cannot be read rejects with the system's error", async () => {
  const place = folder();
  const store = open(place);
  await expect(store.files.digest(join(place, 'absent.jsonl'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(store.files.digest(place)).rejects.toMatchObject({ code: 'EISDIR' });
});

test('a clock that was set back makes a digest be taken again, never a stale one be believed', async () => {
  const place = folder();
  const file = join(place, 'prompts.jsonl');
  writeFileSync(file, 'one');
  const written = statSync(file).mtimeMs;
  let clock = written + 60_000;
  const store = open(place, { now: () => clock });
  const first = await store.files.digest(file);
  clock = written - 3_600_000;
  writeFileSync(file, 'two');
  const second = await store.files.digest(file);
  expect(second.digest).not.toBe(first.digest);
  // What is hashed before the file was changed, by such a clock, proves nothing: every look hashes again.
  writeFileSync(file, 'six');
  expect((await store.files.digest(file)).digest).not.toBe(second.digest);
  clock = written + 120_000;
  expect((await store.files.digest(file)).digest).toBe(digestText('six'));
});
