/** Reads entries out of a data file whose trees are broken. */

import type { Disk } from '../disk/disk.ts';
import type { StoredValue } from './database.ts';
import { NODE_FLAG, PAGE, PAGE_FLAG, PAGE_HEADER } from './layout.ts';
import { readTuple } from './message-pack.ts';
import { PageFile, readableNodes } from './pages.ts';

/**
 * Every entry that can still be read, of any table, also on pages that no tree reaches any more. Its value may be
 * damaged or outdated: the caller must check its digest.
 */
export function* entriesOfPages(
  disk: Disk,
  path: string,
): Generator<{ readonly key: string; readonly value: StoredValue }> {
  const descriptor = disk.openSync(path, 'r');
  try {
    const file = new PageFile(disk, descriptor);
    for (let number = 0; number < file.pages; number++) {
      const header = file.read(number * file.pageSize, PAGE_HEADER);
      if (header === undefined || header.readUInt16LE(PAGE.flags) !== PAGE_FLAG.leaf) continue;
      const page = file.page(number);
      if (page === undefined) continue;
      for (const node of readableNodes(page)) {
        if ((node.flags & NODE_FLAG.tree) !== 0) continue;
        const bytes = file.value(node);
        if (bytes === undefined) continue;
        yield { key: node.key.toString('latin1'), value: readTuple(bytes) ?? bytes.toString('utf8') };
      }
    }
  } finally {
    disk.closeSync(descriptor);
  }
}
