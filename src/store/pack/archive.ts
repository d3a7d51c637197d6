/** Reads a pack file by file, without looking into the files. */

import { closeSync, openSync, readSync } from 'node:fs';
import { LARGEST_PART } from './format.ts';
import { BLOCK, padding, readTarHeader } from './tar.ts';

const BEGINNING = 'the beginning';

/** One thing that is wrong with a pack. */
export interface PackFault {
  /** The file in the pack. */
  readonly name: string;
  readonly reason: string;
}

export interface PackEntry {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The files of an archive in order; a fault ends it. It holds one file at a time in memory.
 *
 * @param seen gets all bytes of the archive in their order.
 */
export function* packEntries(path: string, seen: (bytes: Buffer) => void): Generator<PackEntry, PackFault | undefined> {
  const descriptor = openSync(path, 'r');
  const take = reader(descriptor, seen);
  try {
    let last = BEGINNING;
    for (;;) {
      const block = take(BLOCK);
      if (block.length < BLOCK) return { name: `after ${last}`, reason: 'the pack was cut short' };
      const header = readTarHeader(block);
      // Zeros without end, such as a device gives, would else be read for ever.
      if (header.type === 'end' && last === BEGINNING) return { name: BEGINNING, reason: 'there is no file in it' };
      if (header.type === 'end') return endFault(`after ${last}`, take);
      if (header.type === 'damaged' || header.size > LARGEST_PART) {
        return { name: `after ${last}`, reason: 'the header of the next file is damaged' };
      }
      const content = take(header.size);
      const fill = take(padding(header.size));
      if (content.length < header.size || fill.length < padding(header.size)) {
        return { name: header.name, reason: 'the pack was cut short in it' };
      }
      if (!fill.every((byte) => byte === 0)) {
        return { name: `after ${header.name}`, reason: 'there is something between it and the next file' };
      }
      last = header.name;
      yield { name: header.name, content };
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Reads on: so many bytes, or fewer at the end of the file. */
function reader(descriptor: number, seen: (bytes: Buffer) => void): (length: number) => Buffer {
  let position = 0;
  return (length) => {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const got = readSync(descriptor, bytes, filled, length - filled, position + filled);
      if (got === 0) break;
      filled += got;
    }
    position += filled;
    const taken = bytes.subarray(0, filled);
    seen(taken);
    return taken;
  };
}

/** What follows the first of the two closing blocks belongs to the archive's digest, and must be zeros. */
function endFault(name: string, take: (length: number) => Buffer): PackFault | undefined {
  let zeros = 0;
  for (let rest = take(1 << 16); rest.length > 0; rest = take(1 << 16)) {
    if (!rest.every((byte) => byte === 0)) return { name, reason: 'there is more than a pack has' };
    zeros += rest.length;
  }
  return zeros >= BLOCK ? undefined : { name, reason: 'the pack was cut short' };
}
