/** Copies of outputs for people: made where they are missing or changed, removed where no node has them any more. */

import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DamageError, type OutputRef } from '../../src/core/storage.ts';
import { type Disk, nodeDisk } from '../../src/store/disk/disk.ts';
import { LEAST_ROOM } from '../../src/store/disk/room.ts';
import { outFolder } from '../../src/store/out-folder.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();

type Node = readonly [name: string, outputs: Readonly<Record<string, OutputRef>>];

function desk(changes: Partial<Disk> = {}) {
  const place = folder();
  const { blobs } = open(place);
  const opened: string[] = [];
  const openSync: Disk['openSync'] = (path, ...rest) => {
    opened.push(String(path));
    return nodeDisk.openSync(path, ...rest);
  };
  const out = outFolder(join(place, 'out'), join(place, 'out.json'), blobs, { ...nodeDisk, openSync, ...changes });
  const at = (path: string) => join(place, 'out', path);
  return {
    at,
    put: (text: string) => blobs.put(text),
    locate: (ref: OutputRef) => blobs.locate(ref),
    text: (path: string) => readFileSync(at(path), 'utf8'),
    isThere: (path: string) => existsSync(at(path)),
    /** The copies that a sync wrote, below `out/`. */
    async sync(nodes: readonly Node[], graph: readonly string[] = nodes.map(([name]) => name)) {
      opened.length = 0;
      await out.sync(
        nodes.map(([name, outputs]) => ({ name, outputs })),
        new Set(graph),
      );
      return opened.map((path) => path.slice(at('x').length - 1).replace(/\.partial$/, ''));
    },
    manifest: () => JSON.parse(readFileSync(join(place, 'out.json'), 'utf8')) as Record<string, unknown>,
  };
}

test('are made once, and again where one is missing, edited, or of another output', async () => {
  const { put, sync, text, at } = desk();
  const [one, two] = [await put('one'), await put('two')];
  const nodes: Node[] = [['answers/a', { 'rows.jsonl': one, 'notes.txt': two }]];
  expect(await sync(nodes)).toEqual(['answers/a/rows.jsonl', 'answers/a/notes.txt']);
  expect([text('answers/a/rows.jsonl'), text('answers/a/notes.txt')]).toEqual(['one', 'two']);
  expect(await sync(nodes)).toEqual([]);
  rmSync(at('answers/a/notes.txt'));
  expect(await sync(nodes)).toEqual(['answers/a/notes.txt']);
  writeFileSync(at('answers/a/rows.jsonl'), 'longer than before');
  expect(await sync(nodes)).toEqual(['answers/a/rows.jsonl']);
  // As long as before, and younger.
  writeFileSync(at('answers/a/rows.jsonl'), 'eno');
  utimesSync(at('answers/a/rows.jsonl'), 1, 1);
  expect(await sync(nodes)).toEqual(['answers/a/rows.jsonl']);
  expect(text('answers/a/rows.jsonl')).toBe('one');
  expect(await sync([['answers/a', { 'rows.jsonl': two, 'notes.txt': two }]])).toEqual(['answers/a/rows.jsonl']);
  expect(text('answers/a/rows.jsonl')).toBe('two');
});

test('of nodes that are gone go, with their folders; those of nodes that were not built now stay', async () => {
  const { put, sync, isThere, at, manifest } = desk();
  const ref = await put('rows');
  const node = (name: string): Node => [name, { 'rows.jsonl': ref }];
  await sync([node('a/p/one'), node('a/p/two'), node('b'), node('c')]);
  // `b` is of the graph and not of this build, `c` is in neither.
  await sync([node('a/p/one')], ['a/p/one', 'b']);
  const there = ['a/p/one', 'a/p/two', 'b', 'c'].filter((name) => isThere(`${name}/rows.jsonl`));
  expect(there).toEqual(['a/p/one', 'b']);
  expect(Object.keys(manifest()).sort()).toEqual(['a/p/one/rows.jsonl', 'b/rows.jsonl']);
  expect(readdirSync(at('')).sort()).toEqual(['a', 'b']);
  await sync([['a/p/one', { 'other.txt': ref }]], ['a/p/one']);
  expect([isThere('a/p/one/rows.jsonl'), isThere('a/p/one/other.txt'), isThere('b')]).toEqual([false, true, false]);
});

test('are whole, also where the disk takes a part of a piece at a time', async () => {
  const writeSync = ((descriptor: number, bytes: Uint8Array, from: number, length: number) =>
    nodeDisk.writeSync(descriptor, bytes, from, Math.min(length, 7))) as Disk['writeSync'];
  const { put, sync, text } = desk({ writeSync });
  const content = Array.from({ length: 20 }, (_, index) => `row ${index}\n`).join('');
  await sync([['a', { 'rows.jsonl': await put(content) }]]);
  expect(text('a/rows.jsonl')).toBe(content);
});

test('leave the last room on the disk, and nothing half-written', async () => {
  let left = 0;
  const { put, sync, isThere, text, at } = desk({ bytesLeft: () => left });
  const nodes: Node[] = [['a', { 'rows.jsonl': await put('12345') }]];
  left = LEAST_ROOM + 4;
  await expect(sync(nodes)).rejects.toMatchObject({ problems: [{ id: 'CJE-CACHE-FULL' }] });
  expect(isThere('a/rows.jsonl')).toBe(false);
  left = LEAST_ROOM + 5;
  await sync(nodes);
  expect(text('a/rows.jsonl')).toBe('12345');
  expect(readdirSync(at('a'))).toEqual(['rows.jsonl']);
});

test.each([
  ['ENOSPC', 'CJE-CACHE-FULL'],
  ['EACCES', 'CJE-CANNOT-WRITE'],
])('that cannot be written (%s) are told as %s, and leave nothing behind', async (code, id) => {
  const renameSync: Disk['renameSync'] = () => {
    throw Object.assign(new Error(`no: ${code}`), { code });
  };
  const { put, sync, at } = desk({ renameSync });
  await expect(sync([['a', { 'rows.jsonl': await put('x') }]])).rejects.toMatchObject({ problems: [{ id }], exit: 1 });
  expect(readdirSync(at('a'))).toEqual([]);
});

test('are told as CJE-CANNOT-WRITE where a file lies in the place of the folder, first and later', async () => {
  const { put, sync, at } = desk();
  const nodes: Node[] = [['a', { 'rows.jsonl': await put('x') }]];
  const blocked = { problems: [{ id: 'CJE-CANNOT-WRITE' }], exit: 1 };
  writeFileSync(at('.'), '');
  await expect(sync(nodes)).rejects.toMatchObject(blocked);
  rmSync(at('.'));
  expect(await sync(nodes)).toEqual(['a/rows.jsonl']);
  rmSync(at('.'), { recursive: true });
  writeFileSync(at('.'), '');
  await expect(sync(nodes)).rejects.toMatchObject(blocked);
  // Copies that no node has any more are gone with the folder.
  await expect(sync([])).resolves.toEqual([]);
});

test('of damaged outputs are told once the others are made, and the outputs are set aside', async () => {
  const { put, sync, text, isThere, locate } = desk();
  const [bad, good] = [await put('abc'), await put('good')];
  writeFileSync(locate(bad)!, 'xyz');
  const nodes: Node[] = [
    ['a', { 'rows.jsonl': bad }],
    ['b', { 'rows.jsonl': good }],
  ];
  await expect(sync(nodes)).rejects.toThrow(DamageError);
  expect([isThere('a/rows.jsonl'), text('b/rows.jsonl')]).toEqual([false, 'good']);
  expect(locate(bad)).toBeUndefined();
});
