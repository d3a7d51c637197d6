/** Digests of source files, taken once and remembered by what `stat` says of the file. */

import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Digest, digestStream, digestText } from '../../core/digest.ts';
import type { FileDigests } from '../../core/storage.ts';
import type { Environment } from '../lmdb/environment.ts';
import { seal, unseal } from './checksummed.ts';

const CHUNK = 1 << 20;
/**
 * Milliseconds of the coarsest time stamp that file systems in use keep (FAT). A file that was hashed within so short a
 * time of its last change may change again without a new time stamp, so what was remembered of it proves nothing.
 */
const GRANULARITY = 2000;

/** What `stat` says of a file; nanoseconds and inode as decimal text, which JSON keeps exactly. */
interface Stamp {
  readonly size: number;
  readonly modified: string;
  readonly changed: string;
  readonly inode: string;
}

interface Remembered extends Stamp {
  readonly path: string;
  readonly digest: Digest;
  /** Milliseconds since the epoch, taken before the file was read. */
  readonly hashedAt: number;
}

export class RememberedFiles implements FileDigests {
  readonly #environment: Environment;
  readonly #now: () => number;

  constructor(environment: Environment, now: () => number) {
    this.#environment = environment;
    this.#now = now;
  }

  /** Rejects with the system's error when the file cannot be read: the caller knows how its path was written. */
  async digest(path: string): Promise<{ readonly digest: Digest; readonly size: number }> {
    const absolute = resolve(path);
    const key = digestText(absolute);
    const remembered = unseal<Remembered>(this.#environment.look('files', (table) => table.get(key)));
    const stamp = await stampOf(absolute);
    if (remembered?.path === absolute && sameStamp(remembered, stamp) && !isRacy(remembered)) {
      return { digest: remembered.digest, size: remembered.size };
    }
    const hashedAt = this.#now();
    const { digest, size } = await digestFile(absolute);
    const settled = sameStamp(stamp, await stampOf(absolute)) && size === stamp.size;
    const entry: Remembered = { path: absolute, ...stamp, digest, hashedAt };
    if (settled && !this.#environment.readOnly && !isRacy(entry)) {
      await this.#environment.put('files', key, seal(entry));
    }
    return { digest, size };
  }
}

/** Git's rule: trust a stamp only when it was already old when the file was read. */
function isRacy(entry: Remembered): boolean {
  const last = BigInt(entry.modified) > BigInt(entry.changed) ? entry.modified : entry.changed;
  return Number(BigInt(last) / 1_000_000n) + GRANULARITY >= entry.hashedAt;
}

function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode;
}

async function stampOf(path: string): Promise<Stamp> {
  const found = await stat(path, { bigint: true });
  return {
    size: Number(found.size),
    modified: String(found.mtimeNs),
    changed: String(found.ctimeNs),
    inode: String(found.ino),
  };
}

async function digestFile(path: string): Promise<{ digest: Digest; size: number }> {
  const file = await open(path, 'r');
  try {
    const digest = digestStream();
    const buffer = Buffer.allocUnsafe(CHUNK);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) break;
      digest.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
    return { digest: digest.finish(), size };
  } finally {
    await file.close();
  }
}
