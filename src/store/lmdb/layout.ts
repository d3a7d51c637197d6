/** Where LMDB's fields lie in its data file on a 64-bit little-endian system. All numbers are byte offsets. */

/** Bytes of the header that every page begins with. */
export const PAGE_HEADER = 24;
export const PAGE = { number: 0, flags: 18, lower: 20, upper: 22 } as const;
export const PAGE_FLAG = { branch: 0x01, leaf: 0x02, overflow: 0x04, meta: 0x08 } as const;

/** Bytes of the header that every entry of a page begins with. */
export const NODE_HEADER = 8;
export const NODE_FLAG = { big: 0x01, tree: 0x02 } as const;

/** The description of a tree. */
export const TREE = { bytes: 48, flags: 4, depth: 6, entries: 32, root: 40 } as const;
/** The root of a tree without entries. */
export const NO_ROOT = 0xffff_ffff_ffff_ffffn;

/** One of the two first pages: the file's header. Its two trees are the list of free pages and the list of tables. */
export const META = {
  bytes: 160,
  magic: 24,
  version: 28,
  address: 32,
  pageSize: 48,
  free: 48,
  main: 96,
  lastPage: 144,
  transaction: 152,
} as const;

export const isPageSize = (size: number): boolean => size >= 256 && size <= 65_536 && (size & (size - 1)) === 0;

/** False on systems whose data file looks different: there it is not checked. */
export const isLayoutKnown = (): boolean => process.arch === 'x64' || process.arch === 'arm64';
