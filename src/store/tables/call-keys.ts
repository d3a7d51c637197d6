/** The list of calls that a finished node depends on: a blob of call keys, one a line. */

import { type Digest, isDigest } from '../../core/digest.ts';
import { type BlobStore, DamageError, type OutputRef } from '../../core/storage.ts';
import { readLines } from '../blobs/lines.ts';

/** @throws DamageError */
export function* callKeys(blobs: BlobStore, ref: OutputRef): Generator<Digest> {
  for (const line of readLines(blobs.chunks(ref) as Iterable<Buffer>)) {
    if (!isDigest(line)) throw new DamageError(`blob ${ref.digest}`, `blob ${ref.digest} is no list of calls`, ref);
    yield line;
  }
}
