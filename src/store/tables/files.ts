/** Digests of source files, computed once and remembered together with the file's stat. */

import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Digest, digestStream, digestText } from '../../core/digest.ts';
import type { FileDigests } from '../../core/storage.ts';
import { type FileStat, fileStatOf, isRacy, sameFileStat } from '../disk/file-stat.ts';
import type { Database } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';

const CHUNK = 1 << 20;

interface RememberedFile extends FileStat {
  readonly path: string;
  readonly digest: Digest;
  /** Milliseconds since the epoch, taken before the file was read. */
  readonly hashedAt: number;
}

export class RememberedFiles implements FileDigests {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /** Rejects with the system's error when the file cannot be read: the caller knows how its path was written. */
  async digest(path: string): Promise<{ readonly digest: Digest; readonly size: number }> {
    const absolute = resolve(path);
    const key = digestText(absolute);
    const remembered = readChecksummed<RememberedFile>(this.#database.get('files', key));
    const before = await statOf(absolute);
    if (remembered?.path === absolute && sameFileStat(remembered, before) && !isRacy(remembered, remembered.hashedAt)) {
      return { digest: remembered.digest, size: remembered.size };
    }
    const hashedAt = this.#now();
    const { digest, size } = await digestFile(absolute);
    const unchanged = sameFileStat(before, await statOf(absolute)) && size === before.size;
    if (unchanged && !this.#database.readOnly && !isRacy(before, hashedAt)) {
      const entry: RememberedFile = { path: absolute, ...before, digest, hashedAt };
      await this.#database.put('files', key, addChecksum(entry));
    }
    return { digest, size };
  }
}

const statOf = async (path: string): Promise<FileStat> => fileStatOf(await stat(path, { bigint: true }));

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
