/** What `stat` says of a file: while it says the same, the file is taken to be unchanged. */

/** Nanoseconds and inode are decimal text, which JSON keeps exactly. */
export interface FileStat {
  readonly size: number;
  readonly modified: string;
  readonly changed: string;
  readonly inode: string;
}

/** Milliseconds of the coarsest time stamp that file systems in use keep (FAT). */
const GRANULARITY = 2000;

export function fileStatOf(found: {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}): FileStat {
  return {
    size: Number(found.size),
    modified: String(found.mtimeNs),
    changed: String(found.ctimeNs),
    inode: String(found.ino),
  };
}

export const sameFileStat = (a: FileStat, b: FileStat): boolean =>
  a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode;

/**
 * Git's rule for racy time stamps: a file that was read within two seconds of its last change may change again without
 * a new time stamp, so its stat proves nothing.
 *
 * @param readAt milliseconds since the epoch.
 */
export function isRacy({ modified, changed }: FileStat, readAt: number): boolean {
  const last = BigInt(modified) > BigInt(changed) ? modified : changed;
  return Number(BigInt(last) / 1_000_000n) + GRANULARITY >= readAt;
}
