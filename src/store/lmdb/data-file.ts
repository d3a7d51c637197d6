/**
 * Checks LMDB's data file before LMDB opens it: on a foreign or truncated file its library ends the whole process, and
 * the user would see no message.
 */

import { type Disk, isMissing } from '../disk/disk.ts';
import { isLayoutKnown, isPageSize, META, NO_ROOT, PAGE, PAGE_FLAG, TREE } from './layout.ts';
import { findPageDamage } from './page-damage.ts';

export type DataFileState =
  /** No file, or one that was created and never written: nothing is stored yet. */
  { readonly state: 'absent' } | { readonly state: 'sound' } | { readonly state: 'damaged'; readonly reason: string };

const MAGIC = 0xbeefc0de;
/** Of the layout that LMDB's library writes. */
const VERSION = 2;
/** The list of free pages has numbers for keys; the list of tables has names. */
const FREE_FLAGS = 0x08;
const MAIN_FLAGS = 0;

/** Files up to this many bytes are checked page by page whenever they are opened. */
const SMALL = 64 << 20;
/** How often the headers are read again while a writer keeps replacing them. */
const TRIES = 1000;

interface Meta {
  readonly pageSize: number;
  readonly roots: readonly bigint[];
  readonly transaction: bigint;
}

/** Checks the file's two headers, and that it is as long as they say. */
export function inspectDataFile(disk: Disk, path: string): DataFileState {
  let descriptor: number;
  try {
    descriptor = disk.openSync(path, 'r');
  } catch (error) {
    if (isMissing(error)) return { state: 'absent' };
    throw error;
  }
  try {
    if (disk.fstatSync(descriptor).size === 0) return { state: 'absent' };
    if (!isLayoutKnown()) return { state: 'sound' };
    const newest = newestHeader(disk, descriptor);
    if (typeof newest === 'string') return { state: 'damaged', reason: newest };
    // The size is read after the headers: a writer can only have made the file longer meanwhile.
    const pages = BigInt(Math.floor(disk.fstatSync(descriptor).size / newest.pageSize));
    const cut = newest.roots.some((root) => root !== NO_ROOT && root >= pages);
    return cut ? { state: 'damaged', reason: 'it was cut short' } : { state: 'sound' };
  } finally {
    disk.closeSync(descriptor);
  }
}

/** The newer of the two headers, or what is wrong with them. */
function newestHeader(disk: Disk, descriptor: number): Meta | string {
  let first = readMeta(disk, descriptor, 0);
  for (let tries = 0; ; tries++) {
    if (first === undefined) return 'it does not begin like a store of cje';
    const second = readMeta(disk, descriptor, first.pageSize);
    if (second === undefined) return 'its second header is not readable';
    if (areConsecutive(first, second)) return second.transaction > first.transaction ? second : first;
    // A writer may have replaced both since the first was read.
    const again = readMeta(disk, descriptor, 0);
    if (again?.transaction === first.transaction || tries > TRIES) {
      return 'its two headers are not of consecutive transactions';
    }
    first = again;
  }
}

/** Checks every page that a tree reaches; takes milliseconds for each 10 MB. Call it once the headers are known to be sound. */
export function inspectPages(disk: Disk, path: string): DataFileState {
  if (!isLayoutKnown()) return { state: 'sound' };
  const damage = findPageDamage(disk, path);
  return damage === undefined
    ? { state: 'sound' }
    : { state: 'damaged', reason: `page ${damage.page}: ${damage.reason}` };
}

export const isSmall = (disk: Disk, path: string): boolean =>
  (disk.statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= SMALL;

/**
 * Transactions write the two headers in turn, even ones the first, so an older state cannot pass for the newest. In a new
 * file no transaction has written either header; in a compacted one none has written the first.
 */
function areConsecutive(first: Meta, second: Meta): boolean {
  if (isUnwritten(first) && (isUnwritten(second) || second.transaction % 2n === 1n)) return true;
  const apart = first.transaction - second.transaction;
  return first.transaction % 2n === 0n && (apart === 1n || apart === -1n);
}

const isUnwritten = ({ transaction, roots }: Meta): boolean =>
  transaction === 0n && roots.every((root) => root === NO_ROOT);

function readMeta(disk: Disk, descriptor: number, position: number): Meta | undefined {
  const bytes = Buffer.alloc(META.bytes);
  if (disk.readSync(descriptor, bytes, 0, META.bytes, position) < META.bytes) return undefined;
  if ((bytes.readUInt16LE(PAGE.flags) & PAGE_FLAG.meta) === 0) return undefined;
  if (bytes.readUInt32LE(META.magic) !== MAGIC) return undefined;
  // The library does not check these fields, and would crash on wrong ones.
  if (bytes.readUInt32LE(META.version) !== VERSION || bytes.readBigUInt64LE(META.address) !== 0n) return undefined;
  if (bytes.readUInt16LE(META.free + TREE.flags) !== FREE_FLAGS) return undefined;
  if (bytes.readUInt16LE(META.main + TREE.flags) !== MAIN_FLAGS) return undefined;
  const pageSize = bytes.readUInt32LE(META.pageSize);
  if (!isPageSize(pageSize)) return undefined;
  if (bytes.readBigUInt64LE(PAGE.number) !== BigInt(position / pageSize)) return undefined;
  const roots = [bytes.readBigUInt64LE(META.free + TREE.root), bytes.readBigUInt64LE(META.main + TREE.root)];
  const lastPage = bytes.readBigUInt64LE(META.lastPage);
  if (roots.some((root) => root !== NO_ROOT && root > lastPage)) return undefined;
  return {
    pageSize,
    roots,
    transaction: bytes.readBigUInt64LE(META.transaction),
  };
}
