/** LMDB's environment while it is open: one folder, its tables, and what must be undone when it closes. */

import { open, type RootDatabase } from 'lmdb';
import type { Disk } from '../disk/disk.ts';
import { muteCommitErrors } from './commit-errors.ts';
import type { TableName } from './database.ts';
import { databaseProblem, isDamage, readProblem, unreadableProblem } from './errors.ts';
import { fileIn } from './place.ts';
import { type OpenTable, openTables } from './schema.ts';

export interface Connection {
  readonly tables: ReadonlyMap<TableName, OpenTable>;
  /** The folder that was opened. */
  readonly path: string;
  /** Looks for tables that a writer has created since. */
  findTables(): void;
  /** False when another file lies in the place of the one that was opened. */
  isCurrent(): boolean;
  /** Writes a copy without free pages into a folder. */
  copyTo(folder: string): Promise<void>;
  /** @param mayPrint whether LMDB may print the error of a commit after this. */
  close(mayPrint?: boolean): Promise<void>;
}

interface ConnectionOptions {
  /** The cache folder. */
  readonly folder: string;
  readonly readOnly: boolean;
  readonly disk: Disk;
}

/** How often this process has each folder open for reading: LMDB cannot open such a folder for writing as well. */
const readers = new Map<string, number>();

const countReader = (path: string, change: 1 | -1): void => {
  readers.set(path, (readers.get(path) ?? 0) + change);
};

/** @throws ProblemError */
export function connect(path: string, options: ConnectionOptions): Connection {
  const { folder, readOnly, disk } = options;
  if (!readOnly && (readers.get(path) ?? 0) > 0) {
    throw new Error('Internal error: the cache is open for reading in this process; close that store first');
  }
  const root = openRoot(path, options);
  if (readOnly) countReader(path, 1);
  const inode = disk.statSync(fileIn(path)).ino;
  const unmute = readOnly ? () => {} : muteCommitErrors();
  const close = async (mayPrint = false) => {
    if (readOnly) countReader(path, -1);
    await root.close();
    // The library prints the errors of commits under way after its end.
    if (!mayPrint) unmute();
  };
  const tables = new Map<TableName, OpenTable>();
  try {
    openTables(root, tables, options);
  } catch (error) {
    void close();
    throw readOnly ? readProblem(folder, error) : databaseProblem(folder, error);
  }
  return {
    path,
    tables,
    findTables: () => openTables(root, tables, options),
    isCurrent: () => disk.statSync(fileIn(path), { throwIfNoEntry: false })?.ino === inode,
    copyTo: (copy) => root.backup(copy, true),
    close,
  };
}

function openRoot(path: string, { folder, readOnly }: ConnectionOptions): RootDatabase {
  try {
    return open({
      path,
      noSubdir: false,
      readOnly,
      // A commit then resolves after the flush, at no measurable cost, so a resolved put survives a power cut.
      overlappingSync: false,
      // The library's batches hold a promise of their own; when the disk is full its rejection would end the process.
      eventTurnBatching: false,
      maxDbs: 24,
    });
  } catch (error) {
    throw readOnly && !isDamage(error) ? unreadableProblem(folder, error) : databaseProblem(folder, error);
  }
}
