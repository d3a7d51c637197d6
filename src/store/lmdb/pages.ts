/**
 * The pages of LMDB's data file, read without LMDB: its library trusts what it reads, so a damaged page can end the
 * process.
 */

import type { Disk } from '../disk/disk.ts';
import { isPageSize, META, NODE_FLAG, NODE_HEADER, PAGE, PAGE_FLAG, PAGE_HEADER } from './layout.ts';

const DEFAULT_PAGE = 4096;
/** No value is larger, so that a damaged length cannot use up the memory. */
const LARGEST_VALUE = 1 << 30;

/** One entry of a page. */
export interface PageNode {
  readonly key: Buffer;
  readonly flags: number;
  /** Bytes of the value, which may lie on a page of its own. */
  readonly size: number;
  /** What lies in the entry itself: the value, the number of the page with the value, or a tree's description. */
  readonly data: Buffer;
}

/** The data file, page by page. */
export class PageFile {
  readonly disk: Disk;
  readonly descriptor: number;
  readonly pageSize: number;
  readonly pages: number;

  constructor(disk: Disk, descriptor: number) {
    this.disk = disk;
    this.descriptor = descriptor;
    const size = this.read(0, DEFAULT_PAGE)?.readUInt32LE(META.pageSize) ?? 0;
    this.pageSize = isPageSize(size) ? size : DEFAULT_PAGE;
    this.pages = Math.floor(disk.fstatSync(descriptor).size / this.pageSize);
  }

  read(position: number, length: number): Buffer | undefined {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const got = this.disk.readSync(this.descriptor, bytes, filled, length - filled, position + filled);
      if (got === 0) return undefined;
      filled += got;
    }
    return bytes;
  }

  page(number: number): Buffer | undefined {
    return number < this.pages ? this.read(number * this.pageSize, this.pageSize) : undefined;
  }

  /** The value of a leaf's entry; undefined where the page that it names does not hold it. */
  value({ flags, size, data }: PageNode): Buffer | undefined {
    if ((flags & NODE_FLAG.big) === 0) return data;
    const first = overflowPage(this, data, size);
    return first === undefined ? undefined : this.read(first * this.pageSize + PAGE_HEADER, size);
  }
}

/** The first page of a large value; undefined where that page cannot hold it. */
export function overflowPage(file: PageFile, data: Buffer, size: number): number | undefined {
  const first = data.readBigUInt64LE(0);
  if (first >= BigInt(file.pages) || size > LARGEST_VALUE) return undefined;
  const header = file.read(Number(first) * file.pageSize, PAGE_HEADER);
  if (header === undefined || header.readBigUInt64LE(PAGE.number) !== first) return undefined;
  if (header.readUInt16LE(PAGE.flags) !== PAGE_FLAG.overflow) return undefined;
  const needed = Math.ceil((PAGE_HEADER + size) / file.pageSize);
  const pages = header.readUInt32LE(PAGE.lower);
  return pages >= needed && Number(first) + needed <= file.pages ? Number(first) : undefined;
}

/** The nodes of a leaf or branch page, or what is wrong with it. */
export function nodesOf(page: Buffer, branch: boolean): PageNode[] | string {
  const room = page.length - PAGE_HEADER;
  const lower = page.readUInt16LE(PAGE.lower);
  const upper = page.readUInt16LE(PAGE.upper);
  if (lower > upper || upper > room || lower % 2 !== 0) return 'its bounds are impossible';
  const nodes: PageNode[] = [];
  for (let at = PAGE_HEADER; at < PAGE_HEADER + lower; at += 2) {
    const offset = page.readUInt16LE(at);
    if (offset < upper || offset + NODE_HEADER > room) return 'an entry begins outside it';
    const start = PAGE_HEADER + offset;
    const low = page.readUInt16LE(start);
    const high = page.readUInt16LE(start + 2);
    const flags = page.readUInt16LE(start + 4);
    const keyEnd = start + NODE_HEADER + page.readUInt16LE(start + 6);
    const size = high * 0x1_0000 + low;
    const inline = branch ? 0 : (flags & NODE_FLAG.big) !== 0 ? PAGE_HEADER : size;
    if (keyEnd + inline > page.length) return 'an entry ends outside it';
    if (!branch && flags > 3) return 'an entry has flags that are not used';
    const key = page.subarray(start + NODE_HEADER, keyEnd);
    nodes.push({ key, flags, size, data: page.subarray(keyEnd, keyEnd + inline) });
  }
  return nodes;
}

/** Opens the file, does the work, and closes the file. */
export function withPages<T>(disk: Disk, path: string, work: (file: PageFile) => T): T {
  const descriptor = disk.openSync(path, 'r');
  try {
    return work(new PageFile(disk, descriptor));
  } finally {
    disk.closeSync(descriptor);
  }
}

/** The nodes of a leaf that lie within the page. Nodes that do not are left out. */
export function* readableNodes(page: Buffer): Generator<PageNode> {
  const lower = Math.min(page.readUInt16LE(PAGE.lower), page.length - PAGE_HEADER);
  for (let at = PAGE_HEADER; at + 2 <= PAGE_HEADER + lower; at += 2) {
    // Checked one by one, so that a damaged entry does not cost the others.
    const start = PAGE_HEADER + page.readUInt16LE(at);
    if (start + NODE_HEADER > page.length) continue;
    const size = page.readUInt16LE(start) + page.readUInt16LE(start + 2) * 0x1_0000;
    const flags = page.readUInt16LE(start + 4);
    const keyEnd = start + NODE_HEADER + page.readUInt16LE(start + 6);
    const dataEnd = keyEnd + ((flags & NODE_FLAG.big) !== 0 ? PAGE_HEADER : size);
    if (dataEnd > page.length) continue;
    yield { key: page.subarray(start + NODE_HEADER, keyEnd), flags, size, data: page.subarray(keyEnd, dataEnd) };
  }
}
