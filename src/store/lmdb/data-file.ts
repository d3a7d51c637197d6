/**
 * Looks at LMDB's data file before LMDB does: its library ends the whole process on a file that is not its own, or that
 * was cut short, where a user deserves a message.
 */

import { type Disk, errorCode } from '../disk/disk.ts';
import { findFault } from './pages.ts';

export type DataFileState =
  /** No file, or one that was created and never written: nothing is stored yet. */
  { readonly state: 'absent' } | { readonly state: 'sound' } | { readonly state: 'damaged'; readonly reason: string };

const MAGIC = 0xbeefc0de;
const META_FLAG = 0x08;
const META_BYTES = 0xa0;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;

/** Byte offsets in a meta page of a 64-bit system: page header, magic, two trees, last page, transaction. */
const OFFSET = {
  number: 0x00,
  flags: 0x12,
  magic: 0x18,
  version: 0x1c,
  address: 0x20,
  pageSize: 0x30,
  freeFlags: 0x34,
  freeRoot: 0x58,
  mainFlags: 0x64,
  mainRoot: 0x88,
  lastPage: 0x90,
  transaction: 0x98,
};

/** Of the layout that LMDB's library writes. */
const VERSION = 2;
/** The list of free pages has numbers for keys; the list of tables has names. */
const FREE_FLAGS = 0x08;
const MAIN_FLAGS = 0;

interface Meta {
  readonly pageSize: number;
  readonly roots: readonly bigint[];
  readonly transaction: bigint;
}

export function inspectDataFile(disk: Disk, path: string): DataFileState {
  let descriptor: number;
  try {
    descriptor = disk.openSync(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return { state: 'absent' };
    throw error;
  }
  try {
    if (disk.fstatSync(descriptor).size === 0) return { state: 'absent' };
    if (process.arch !== 'x64' && process.arch !== 'arm64') return { state: 'sound' };
    let first = readMeta(disk, descriptor, 0);
    let second: Meta | undefined;
    for (let tries = 0; ; tries++) {
      if (first === undefined) return { state: 'damaged', reason: 'it does not begin like a store of cje' };
      second = readMeta(disk, descriptor, first.pageSize);
      if (second === undefined) return { state: 'damaged', reason: 'its second header is not readable' };
      if (areConsecutive(first, second)) break;
      // A writer at work may have replaced both since the first was read.
      const again = readMeta(disk, descriptor, 0);
      if (again?.transaction === first.transaction || tries > TRIES) {
        return { state: 'damaged', reason: 'its two headers are not of consecutive transactions' };
      }
      first = again;
    }
    const newest = second.transaction > first.transaction ? second : first;
    // The size is read after the headers, so that a writer at work can only have made the file longer.
    const pages = BigInt(Math.floor(disk.fstatSync(descriptor).size / newest.pageSize));
    if (newest.roots.some((root) => root !== NO_ROOT && root >= pages)) {
      return { state: 'damaged', reason: 'it was cut short' };
    }
    return { state: 'sound' };
  } finally {
    disk.closeSync(descriptor);
  }
}

/** Looks at every page that a tree reaches: milliseconds for each 10 MB. The headers are known to be sound. */
export function inspectPages(disk: Disk, path: string): DataFileState {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return { state: 'sound' };
  const fault = findFault(disk, path);
  return fault === undefined ? { state: 'sound' } : { state: 'damaged', reason: `page ${fault.page}: ${fault.reason}` };
}

export const isSmall = (disk: Disk, path: string): boolean =>
  (disk.statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= SMALL;

/** A file of so many bytes is looked through whenever it is opened. */
const SMALL = 64 << 20;

/** Looks at headers that a writer keeps replacing. */
const TRIES = 1000;

/**
 * Transactions write the two headers in turns: the even ones the first. An older state must not pass for the last. A new
 * file has headers that no transaction has written; a compacted one has such a first header.
 */
function areConsecutive(first: Meta, second: Meta): boolean {
  if (isUnwritten(first) && (isUnwritten(second) || second.transaction % 2n === 1n)) return true;
  const apart = first.transaction - second.transaction;
  return first.transaction % 2n === 0n && (apart === 1n || apart === -1n);
}

const isUnwritten = ({ transaction, roots }: Meta): boolean =>
  transaction === 0n && roots.every((root) => root === NO_ROOT);

function readMeta(disk: Disk, descriptor: number, position: number): Meta | undefined {
  const bytes = Buffer.alloc(META_BYTES);
  if (disk.readSync(descriptor, bytes, 0, META_BYTES, position) < META_BYTES) return undefined;
  if ((bytes.readUInt16LE(OFFSET.flags) & META_FLAG) === 0) return undefined;
  if (bytes.readUInt32LE(OFFSET.magic) !== MAGIC) return undefined;
  // What the library takes at its word, and would crash on.
  if (bytes.readUInt32LE(OFFSET.version) !== VERSION || bytes.readBigUInt64LE(OFFSET.address) !== 0n) return undefined;
  if (bytes.readUInt16LE(OFFSET.freeFlags) !== FREE_FLAGS) return undefined;
  if (bytes.readUInt16LE(OFFSET.mainFlags) !== MAIN_FLAGS) return undefined;
  const pageSize = bytes.readUInt32LE(OFFSET.pageSize);
  if (pageSize < 256 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  if (bytes.readBigUInt64LE(OFFSET.number) !== BigInt(position / pageSize)) return undefined;
  const roots = [bytes.readBigUInt64LE(OFFSET.freeRoot), bytes.readBigUInt64LE(OFFSET.mainRoot)];
  const lastPage = bytes.readBigUInt64LE(OFFSET.lastPage);
  if (roots.some((root) => root !== NO_ROOT && root > lastPage)) return undefined;
  return {
    pageSize,
    roots,
    transaction: bytes.readBigUInt64LE(OFFSET.transaction),
  };
}
