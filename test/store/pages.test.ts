/** Pages of LMDB's file written byte by byte, so that each thing that can be wrong with one is told apart. */

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../src/store/disk/disk.ts';
import { isPageSize } from '../../src/store/lmdb/layout.ts';
import { nodesOf, overflowPage, PageFile, readableNodes } from '../../src/store/lmdb/pages.ts';

const SIZE = 1024;
const ROOM = SIZE - 24;

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly flags?: number;
  /** Where it is said to have another length than it has. */
  readonly size?: number;
}

/** A leaf as LMDB writes it: offsets from the front, entries from the end. */
function leaf(entries: readonly Entry[], change: (page: Buffer) => void = () => {}): Buffer {
  const page = Buffer.alloc(SIZE);
  let upper = ROOM;
  entries.forEach(({ key, value, flags = 0, size = value.length }, index) => {
    upper -= 8 + key.length + value.length;
    const start = 24 + upper;
    page.writeUInt16LE(size & 0xffff, start);
    page.writeUInt16LE(size >>> 16, start + 2);
    page.writeUInt16LE(flags, start + 4);
    page.writeUInt16LE(key.length, start + 6);
    page.write(`${key}${value}`, start + 8, 'latin1');
    page.writeUInt16LE(upper, 24 + 2 * index);
  });
  page.writeUInt16LE(2 * entries.length, 20);
  page.writeUInt16LE(upper, 22);
  change(page);
  return page;
}

const TWO: readonly Entry[] = [
  { key: 'a', value: 'one' },
  { key: 'bb', value: 'three' },
];
const shown = (nodes: ReturnType<typeof nodesOf>) =>
  typeof nodes === 'string'
    ? nodes
    : nodes.map(({ key, data, flags, size }) => [String(key), String(data), flags, size]);

describe('the entries of a page', () => {
  const told = (entries: readonly Entry[], change?: (page: Buffer) => void, branch = false) =>
    shown(nodesOf(leaf(entries, change), branch));

  it('are its keys and values', () => {
    expect(told(TWO)).toEqual([
      ['a', 'one', 0, 3],
      ['bb', 'three', 0, 5],
    ]);
    expect(told([])).toEqual([]);
    // Of a large value the page's number is here, and of a branch's entry nothing.
    expect(told([{ key: 'a', value: 'PPPPPPPP'.repeat(3), flags: 1, size: 70_000 }])).toEqual([
      ['a', 'PPPPPPPP'.repeat(3), 1, 70_000],
    ]);
    expect(told([{ key: 'a', value: '', size: 7, flags: 40 }], undefined, true)).toEqual([['a', '', 40, 7]]);
  });

  it.each<[string, (page: Buffer) => void]>([
    ['its bounds are impossible', (page) => page.writeUInt16LE(3, 20)],
    ['its bounds are impossible', (page) => page.writeUInt16LE(ROOM + 1, 22)],
    ['its bounds are impossible', (page) => page.writeUInt16LE(1, 22)],
    ['an entry begins outside it', (page) => page.writeUInt16LE(page.readUInt16LE(22) - 1, 24)],
    ['an entry begins outside it', (page) => page.writeUInt16LE(ROOM - 7, 24)],
    ['an entry ends outside it', (page) => page.writeUInt16LE(4, 24 + page.readUInt16LE(24))],
    ['an entry ends outside it', (page) => page.writeUInt16LE(1, 24 + page.readUInt16LE(24) + 2)],
    ['an entry ends outside it', (page) => page.writeUInt16LE(5, 24 + page.readUInt16LE(24) + 6)],
    ['an entry has flags that are not used', (page) => page.writeUInt16LE(4, 24 + page.readUInt16LE(24) + 4)],
  ])('are not read where %s', (text, change) => {
    expect(told(TWO, change)).toBe(text);
  });

  it('are read one by one where others are damaged', () => {
    const left = (change: (page: Buffer) => void) =>
      [...readableNodes(leaf(TWO, change))].map(({ key }) => String(key));
    expect(left(() => {})).toEqual(['a', 'bb']);
    expect(left((page) => page.writeUInt16LE(60_000, 24))).toEqual(['bb']);
    expect(left((page) => page.writeUInt16LE(9, 24 + page.readUInt16LE(24) + 2))).toEqual(['bb']);
  });
});

describe('a data file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cje-pages-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Six pages: the third begins a value of two. */
  function file(change: (third: Buffer) => void = () => {}): { readonly at: PageFile; close(): void } {
    const pages = Array.from({ length: 6 }, () => Buffer.alloc(SIZE, 'x'));
    pages[0]!.writeUInt32LE(SIZE, 48);
    pages[3]!.writeBigUInt64LE(3n, 0);
    pages[3]!.writeUInt16LE(4, 18);
    pages[3]!.writeUInt32LE(2, 20);
    change(pages[3]!);
    const path = join(folder, 'data.mdb');
    writeFileSync(path, Buffer.concat(pages));
    const descriptor = openSync(path, 'r');
    return { at: new PageFile(nodeDisk, descriptor), close: () => closeSync(descriptor) };
  }
  const number = (page: number) => {
    const data = Buffer.alloc(8);
    data.writeBigUInt64LE(BigInt(page));
    return data;
  };
  const first = (page: number, size: number, change?: (third: Buffer) => void) => {
    const { at, close } = file(change);
    const found = overflowPage(at, number(page), size);
    close();
    return found;
  };

  it('is read by pages of the size that it says', () => {
    const { at, close } = file();
    expect([at.pageSize, at.pages, at.page(5)?.length, at.page(6)]).toEqual([SIZE, 6, SIZE, undefined]);
    expect(at.read(6 * SIZE - 1, 2)).toBeUndefined();
    expect(at.value({ key: Buffer.alloc(0), flags: 0, size: 2, data: Buffer.from('in') })).toEqual(Buffer.from('in'));
    const large = { key: Buffer.alloc(0), flags: 1, size: 2 * SIZE - 24, data: number(3) };
    expect(at.value(large)?.length).toBe(2 * SIZE - 24);
    close();
    expect([256, 4096, 65_536, 128, 4095, 131_072].map(isPageSize)).toEqual([true, true, true, false, false, false]);
  });

  it('has a large value where its first page says so, and as many pages as it needs', () => {
    expect(first(3, 2 * SIZE - 24)).toBe(3);
    expect(first(3, 2 * SIZE - 23)).toBeUndefined();
    expect(first(3, 3 * SIZE - 24, (page) => page.writeUInt32LE(3, 20))).toBe(3);
    // The file ends before the value does.
    expect(first(3, 4 * SIZE - 24, (page) => page.writeUInt32LE(4, 20))).toBeUndefined();
    expect(first(6, 10)).toBeUndefined();
    expect(first(2, 10)).toBeUndefined();
    expect(first(3, 10, (page) => page.writeBigUInt64LE(4n, 0))).toBeUndefined();
    expect(first(3, 10, (page) => page.writeUInt16LE(2, 18))).toBeUndefined();
    expect(first(3, (1 << 30) + 1, (page) => page.writeUInt32LE(0xffff_ffff, 20))).toBeUndefined();
  });
});
