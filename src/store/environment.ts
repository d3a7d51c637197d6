/**
 * The LMDB environment in the cache folder, opened when it is first needed: a reader of a folder without a cache finds
 * every table empty and creates nothing; the first write creates folder and tables.
 */

import { join, resolve } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { EXIT, ProblemError } from '../core/problem.ts';
import { inspectDataFile } from './data-file.ts';
import { type Disk, writeProblem } from './disk.ts';

/** Raised when the meaning of what is stored changes. A cache of a higher version is left alone. */
export const SCHEMA_VERSION = 1;

/** Tables of sealed JSON text; `calls` alone holds msgpack. */
const TEXT_TABLES = ['failures', 'actions', 'builds', 'files', 'lock'] as const;
export type TextTable = (typeof TEXT_TABLES)[number];
export type TableName = TextTable | 'calls';
const TABLES: readonly TableName[] = ['calls', ...TEXT_TABLES];

const SCHEMA_TABLE = 'schema';
const SCHEMA_KEY = 'version';

interface Opened {
  readonly root: RootDatabase;
  readonly tables: Map<TableName, Database<unknown, string>>;
}

/** Folders open in this process, by mode: LMDB cannot give a folder both in that order. */
const openReadOnly = new Map<string, number>();

export class Environment {
  readonly folder: string;
  readonly readOnly: boolean;
  readonly #disk: Disk;
  readonly #path: string;
  #opened: Opened | undefined;
  #closed = false;

  constructor(folder: string, options: { readonly readOnly: boolean; readonly disk: Disk }) {
    this.folder = folder;
    this.readOnly = options.readOnly;
    this.#disk = options.disk;
    this.#path = resolve(folder, 'lmdb');
  }

  /** The table as it is now, or undefined while nothing was ever written. */
  reading(table: TableName): Database<unknown, string> | undefined {
    const found = this.#opened?.tables.get(table);
    if (found !== undefined) return found;
    if (this.#closed) throw new Error('Internal error: the store was used after it was closed');
    if (this.#opened === undefined) {
      if (this.#inspect() === 'absent') return undefined;
      this.#opened = this.#open();
    }
    // A reader may have come while a writer was creating the tables.
    if (this.readOnly && !this.#opened.tables.has(table)) this.#openTables(this.#opened);
    return this.#opened.tables.get(table);
  }

  /** The table, created if need be. @throws ProblemError where the folder does not let us write. */
  writing(table: TableName): Database<unknown, string> {
    const found = this.#opened?.tables.get(table);
    if (this.readOnly) throw new Error('Internal error: a read-only store was written to');
    if (found !== undefined) return found;
    if (this.#closed) throw new Error('Internal error: the store was used after it was closed');
    this.#inspect();
    try {
      this.#disk.mkdirSync(this.#path, { recursive: true });
    } catch (error) {
      throw writeProblem(this.folder, error);
    }
    this.#opened = this.#open();
    return this.#opened.tables.get(table)!;
  }

  /** Commits the write; a failed commit is the user's problem. */
  async commit(write: PromiseLike<boolean>): Promise<void> {
    try {
      await write;
    } catch (error) {
      throw writeProblem(this.folder, await commitCause(error));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) return;
    if (this.readOnly) openReadOnly.set(this.#path, openReadOnly.get(this.#path)! - 1);
    await opened.root.close();
  }

  #inspect(): 'absent' | 'sound' {
    const file = join(this.#path, 'data.mdb');
    let found: ReturnType<typeof inspectDataFile>;
    try {
      found = inspectDataFile(this.#disk, file);
    } catch (error) {
      throw unreadable(this.folder, error);
    }
    if (found.state !== 'damaged') return found.state;
    throw new ProblemError(
      {
        headline: `the cache is damaged: ${file}`,
        facts: [['reason', found.reason]],
        hint: `Restore ${this.folder} from a copy, or move it aside: what was bought into it is then bought again.`,
      },
      EXIT.damaged,
    );
  }

  #open(): Opened {
    if (!this.readOnly && (openReadOnly.get(this.#path) ?? 0) > 0) {
      throw new Error('Internal error: the cache is open for reading in this process; close that store first');
    }
    let root: RootDatabase;
    try {
      root = open({
        path: this.#path,
        noSubdir: false,
        readOnly: this.readOnly,
        // Commits then resolve after the flush, at no cost that one can measure: a resolved put survives a power cut.
        overlappingSync: false,
      });
    } catch (error) {
      throw this.readOnly ? unreadable(this.folder, error) : writeProblem(this.folder, error);
    }
    if (this.readOnly) openReadOnly.set(this.#path, (openReadOnly.get(this.#path) ?? 0) + 1);
    const opened: Opened = { root, tables: new Map() };
    try {
      this.#openTables(opened);
    } catch (error) {
      if (this.readOnly) openReadOnly.set(this.#path, openReadOnly.get(this.#path)! - 1);
      void root.close();
      throw error instanceof ProblemError || this.readOnly ? error : writeProblem(this.folder, error);
    }
    return opened;
  }

  #openTables(opened: Opened): void {
    if (!this.#checkSchema(opened.root)) return;
    for (const name of TABLES) {
      if (opened.tables.has(name)) continue;
      const table: Database<unknown, string> | undefined = opened.root.openDB(
        name,
        name === 'calls' ? { encoding: 'msgpack' } : { encoding: 'string' },
      );
      if (table !== undefined) opened.tables.set(name, table);
    }
  }

  /** False while a writer has not got as far as stating the version. */
  #checkSchema(root: RootDatabase): boolean {
    const table: Database<unknown, string> | undefined = root.openDB(SCHEMA_TABLE, { encoding: 'string' });
    if (table === undefined) return false;
    let stored = table.get(SCHEMA_KEY);
    if (stored === undefined) {
      if (this.readOnly) return false;
      stored = String(SCHEMA_VERSION);
      table.putSync(SCHEMA_KEY, stored);
    }
    if (!(Number(stored) > SCHEMA_VERSION)) return true;
    throw new ProblemError({
      headline: `the cache was written by a newer cje: ${this.folder}`,
      facts: [
        ['its version', String(stored)],
        ['known here', String(SCHEMA_VERSION)],
      ],
      hint: 'Update cje, or move the cache folder aside.',
    });
  }
}

function unreadable(folder: string, error: unknown): ProblemError {
  return new ProblemError({
    headline: `the cache folder is not readable: ${folder}`,
    facts: [['reason', error instanceof Error ? error.message : String(error)]],
    hint: 'Give yourself read and write permission on it; LMDB keeps a table of readers in it.',
  });
}

/** LMDB rejects with a stand-in whose `commitError` promise holds the cause. */
async function commitCause(error: unknown): Promise<unknown> {
  const cause = (error as { commitError?: unknown } | null)?.commitError;
  if (!(cause instanceof Promise)) return error;
  return cause.then(
    () => error,
    (reason: unknown) => reason,
  );
}
