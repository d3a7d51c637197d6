/** Replaces the data file by a copy without free pages. */

import { rmSync } from 'node:fs';
import { type Disk, flushFolder } from '../disk/disk.ts';
import type { Connection } from './connection.ts';
import { databaseProblem } from './errors.ts';
import { databaseFolder, fileIn, replacedFolder } from './place.ts';

/** The connection is closed before the files change places. @throws ProblemError; the data file is then as it was. */
export async function replaceByCopy(
  connection: Connection,
  close: () => Promise<void>,
  { folder, disk }: { readonly folder: string; readonly disk: Disk },
): Promise<void> {
  const place = databaseFolder(folder);
  const replaced = replacedFolder(folder);
  const copy = `${place}.new`;
  try {
    rmSync(copy, { recursive: true, force: true });
    disk.mkdirSync(copy, { recursive: true });
    await connection.copyTo(copy);
    await flushFile(disk, fileIn(copy));
    await flushFolder(disk, copy);
    await close();
    disk.renameSync(connection.path, replaced);
    disk.renameSync(copy, place);
    await flushFolder(disk, folder);
    rmSync(replaced, { recursive: true, force: true });
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    throw databaseProblem(folder, error);
  }
}

async function flushFile(disk: Disk, path: string): Promise<void> {
  const descriptor = disk.openSync(path, 'r+');
  try {
    await disk.flush(descriptor);
  } finally {
    disk.closeSync(descriptor);
  }
}
