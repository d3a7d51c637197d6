/**
 * LMDB's data file page by page, without LMDB: its library trusts what it reads, so a damaged tree can end the process.
 * Here the tree is walked before the library is let near it, and entries are read out of a file whose tree is broken.
 */

import type { Disk } from '../disk/disk.ts';

/** The layout of a page on a 64-bit little-endian system: header, offsets of nodes, free room, nodes. */
const HEADER = 24;
const AT = { number: 0, flags: 18, lower: 20, upper: 22 } as const;
const FLAG = { branch: 0x01, leaf: 0x02, overflow: 0x04, meta: 0x08 } as const;
const NODE_HEADER = 8;
const NODE = { big: 0x01, tree: 0x02 } as const;
const META = { pageSize: 48, free: 48, main: 96, lastPage: 144, transaction: 152 } as const;
/** A tree's description: depth, entries and root. */
const TREE = { bytes: 48, flags: 4, depth: 6, entries: 32, root: 40 } as const;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;
const DEFAULT_PAGE = 4096;
/** No value is larger: a damaged length must not ask for the memory of the machine. */
const LARGEST_VALUE = 1 << 30;

export interface Fault {
  readonly page: number;
  readonly reason: string;
}

interface Node {
  readonly key: Buffer;
  readonly flags: number;
  /** Of the value, wherever it lies. */
  readonly size: number;
  /** What lies in the node itself: the value, a place elsewhere, or a tree's description. */
  readonly data: Buffer;
}

class PageFile {
  readonly disk: Disk;
  readonly descriptor: number;
  readonly pageSize: number;
  readonly pages: number;

  constructor(disk: Disk, descriptor: number) {
    this.disk = disk;
    this.descriptor = descriptor;
    const size = this.read(0, DEFAULT_PAGE)?.readUInt32LE(META.pageSize) ?? 0;
    this.pageSize = size >= 256 && size <= 65_536 && (size & (size - 1)) === 0 ? size : DEFAULT_PAGE;
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

  /** The value of a leaf's node; undefined where its place is not one. */
  value({ flags, size, data }: Node): Buffer | undefined {
    if ((flags & NODE.big) === 0) return data;
    const first = overflowPage(this, data, size);
    return first === undefined ? undefined : this.read(first * this.pageSize + HEADER, size);
  }
}

/** Where a large value lies, if that is a place for it. */
function overflowPage(file: PageFile, data: Buffer, size: number): number | undefined {
  const first = data.readBigUInt64LE(0);
  if (first >= BigInt(file.pages) || size > LARGEST_VALUE) return undefined;
  const header = file.read(Number(first) * file.pageSize, HEADER);
  if (header === undefined || header.readBigUInt64LE(AT.number) !== first) return undefined;
  if (header.readUInt16LE(AT.flags) !== FLAG.overflow) return undefined;
  const needed = Math.ceil((HEADER + size) / file.pageSize);
  const pages = header.readUInt32LE(AT.lower);
  return pages >= needed && Number(first) + needed <= file.pages ? Number(first) : undefined;
}

/** The nodes of a leaf or branch page, or what is wrong with it. */
function nodesOf(page: Buffer, branch: boolean): Node[] | string {
  const room = page.length - HEADER;
  const lower = page.readUInt16LE(AT.lower);
  const upper = page.readUInt16LE(AT.upper);
  if (lower > upper || upper > room || lower % 2 !== 0) return 'its bounds are impossible';
  const nodes: Node[] = [];
  for (let at = HEADER; at < HEADER + lower; at += 2) {
    const offset = page.readUInt16LE(at);
    if (offset < upper || offset + NODE_HEADER > room) return 'an entry begins outside it';
    const start = HEADER + offset;
    const low = page.readUInt16LE(start);
    const high = page.readUInt16LE(start + 2);
    const flags = page.readUInt16LE(start + 4);
    const keyEnd = start + NODE_HEADER + page.readUInt16LE(start + 6);
    const size = high * 0x1_0000 + low;
    const inline = branch ? 0 : (flags & NODE.big) !== 0 ? HEADER : size;
    if (keyEnd + inline > page.length) return 'an entry ends outside it';
    if (!branch && flags > 3) return 'an entry has flags that are not used';
    const key = page.subarray(start + NODE_HEADER, keyEnd);
    nodes.push({ key, flags, size, data: page.subarray(keyEnd, keyEnd + inline) });
  }
  return nodes;
}

/**
 * Walks every tree from the newest header, and says the first thing that is wrong with the file; undefined: sound. A
 * writer at work may use pages anew while they are looked at: only a fault of the state that is still the last counts.
 */
export function findFault(disk: Disk, path: string): Fault | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    const { fault, current } = withFile(disk, path, lookThrough);
    if (fault === undefined || current) return fault;
  }
  return undefined;
}

/** Looks at a file that a writer keeps changing. */
const TRIES = 5;

function lookThrough(file: PageFile): { readonly fault: Fault | undefined; readonly current: boolean } {
  const newest = newestMeta(file);
  if (newest === undefined) return { fault: { page: 0, reason: 'the file is too short' }, current: true };
  const walk = new Walk(file, newest.readBigUInt64LE(META.lastPage));
  const fault =
    walk.tree(newest.subarray(META.free, META.free + TREE.bytes), false) ??
    walk.tree(newest.subarray(META.main, META.main + TREE.bytes), true);
  const now = newestMeta(file);
  return { fault, current: now !== undefined && transactionOf(now) === transactionOf(newest) };
}

const transactionOf = (meta: Buffer): bigint => meta.readBigUInt64LE(META.transaction);

function newestMeta(file: PageFile): Buffer | undefined {
  const [first, second] = [file.page(0), file.page(1)];
  if (first === undefined || second === undefined) return undefined;
  return transactionOf(second) > transactionOf(first) ? second : first;
}

class Walk {
  readonly #file: PageFile;
  readonly #seen: Uint8Array;
  /** Pages beyond it are free to be written. */
  readonly #last: bigint;

  constructor(file: PageFile, last: bigint) {
    this.#file = file;
    this.#last = last;
    this.#seen = new Uint8Array(file.pages);
  }

  tree(description: Buffer, ordered: boolean): Fault | undefined {
    const root = description.readBigUInt64LE(TREE.root);
    if (root === NO_ROOT) return undefined;
    const depth = description.readUInt16LE(TREE.depth);
    const counted = { entries: 0n };
    const fault = this.#page(root, depth, ordered, counted);
    if (fault !== undefined) return fault;
    if (ordered && counted.entries !== description.readBigUInt64LE(TREE.entries)) {
      return { page: Number(root), reason: 'its tree has another number of entries than it says' };
    }
    return undefined;
  }

  #page(wanted: bigint, level: number, ordered: boolean, counted: { entries: bigint }): Fault | undefined {
    const number = Number(wanted);
    const fault = (reason: string): Fault => ({ page: number, reason });
    const page = wanted < BigInt(this.#file.pages) && wanted <= this.#last ? this.#file.page(number) : undefined;
    if (page === undefined) return fault('it lies outside the file');
    if (this.#seen[number] === 1) return fault('it is used twice');
    this.#seen[number] = 1;
    if (page.readBigUInt64LE(AT.number) !== wanted) return fault('it carries another number');
    const branch = level > 1;
    if (page.readUInt16LE(AT.flags) !== (branch ? FLAG.branch : FLAG.leaf)) return fault('it is of another kind');
    const nodes = nodesOf(page, branch);
    if (typeof nodes === 'string') return fault(nodes);
    if (nodes.length === 0) return fault('it is empty');
    let before: Buffer | undefined;
    for (const [index, node] of nodes.entries()) {
      // The first key of a branch page is never looked at.
      if (ordered && !(branch && index === 0)) {
        if (before !== undefined && Buffer.compare(before, node.key) >= 0) return fault('its keys are not in order');
        before = node.key;
      }
      const below = branch ? this.#branch(node, level, ordered, counted) : this.#leaf(node, number, counted);
      if (below !== undefined) return below;
    }
    return undefined;
  }

  #branch(node: Node, level: number, ordered: boolean, counted: { entries: bigint }): Fault | undefined {
    const child = BigInt(node.size) + (BigInt(node.flags) << 32n);
    return this.#page(child, level - 1, ordered, counted);
  }

  #leaf(node: Node, page: number, counted: { entries: bigint }): Fault | undefined {
    counted.entries++;
    if ((node.flags & NODE.big) !== 0 && overflowPage(this.#file, node.data, node.size) === undefined) {
      return { page, reason: 'a large value is not where it says' };
    }
    if ((node.flags & NODE.tree) === 0) return undefined;
    // None of our tables has any of LMDB's options.
    return node.size === TREE.bytes && node.data.readUInt16LE(TREE.flags) === 0
      ? this.tree(node.data, true)
      : { page, reason: 'a table is not described' };
  }
}

/**
 * Every entry that can still be read, wherever it lies, also on pages that no tree reaches any more. Whether an entry is
 * what was written is for the caller to find out, by its digest.
 */
export function* salvage(disk: Disk, path: string): Generator<{ readonly key: string; readonly value: Buffer }> {
  const descriptor = disk.openSync(path, 'r');
  try {
    const file = new PageFile(disk, descriptor);
    for (let number = 0; number < file.pages; number++) {
      const header = file.read(number * file.pageSize, HEADER);
      if (header === undefined || header.readUInt16LE(AT.flags) !== FLAG.leaf) continue;
      const page = file.page(number);
      if (page === undefined) continue;
      for (const node of readableNodes(page)) {
        if ((node.flags & NODE.tree) !== 0) continue;
        const value = file.value(node);
        if (value !== undefined) yield { key: node.key.toString('latin1'), value };
      }
    }
  } finally {
    disk.closeSync(descriptor);
  }
}

/** The nodes of a leaf that lie within it, whatever the others look like. */
function* readableNodes(page: Buffer): Generator<Node> {
  const lower = Math.min(page.readUInt16LE(AT.lower), page.length - HEADER);
  for (let at = HEADER; at + 2 <= HEADER + lower; at += 2) {
    // One entry at a time, so that a damaged one takes no other with it.
    const start = HEADER + page.readUInt16LE(at);
    if (start + NODE_HEADER > page.length) continue;
    const size = page.readUInt16LE(start) + page.readUInt16LE(start + 2) * 0x1_0000;
    const flags = page.readUInt16LE(start + 4);
    const keyEnd = start + NODE_HEADER + page.readUInt16LE(start + 6);
    const dataEnd = keyEnd + ((flags & NODE.big) !== 0 ? HEADER : size);
    if (dataEnd > page.length) continue;
    yield { key: page.subarray(start + NODE_HEADER, keyEnd), flags, size, data: page.subarray(keyEnd, dataEnd) };
  }
}

function withFile<T>(disk: Disk, path: string, work: (file: PageFile) => T): T {
  const descriptor = disk.openSync(path, 'r');
  try {
    return work(new PageFile(disk, descriptor));
  } finally {
    disk.closeSync(descriptor);
  }
}
