/**
 * The LMDB environment in the cache folder, opened when it is first needed: a reader of a folder without a cache finds
 * every table empty and creates nothing; the first write creates folder and tables.
 */

import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { ProblemError } from '../../core/problem.ts';
import { type Disk, damagedFileProblem, flushFolder, isLmdbDamage, writeProblem } from '../disk/disk.ts';
import { muteCommitErrors } from './commit-errors.ts';
import { inspectDataFile, inspectPages, isSmall } from './data-file.ts';
import { type Resident, residentMemory } from './resident.ts';

/** Raised when the meaning of what is stored changes. A cache of a higher version is left alone. */
export const SCHEMA_VERSION = 1;

/** Tables of sealed JSON text; `calls` alone holds msgpack. */
const TEXT_TABLES = ['failures', 'actions', 'builds', 'files', 'lock'] as const;
export type TextTable = (typeof TEXT_TABLES)[number];
export type TableName = TextTable | 'calls';
export const TABLES: readonly TableName[] = ['calls', ...TEXT_TABLES];

export const DATA_FILE = 'data.mdb';

/** Removals that wait for one commit. */
const REMOVALS = 1000;

/** Bytes that the process may hold before the file is mapped anew, with none of its pages. */
const RESIDENT_AT_MOST = 500 << 20;
/** Mapped bytes that are not worth it: the program itself is mapped too. */
const MAPPED_AT_LEAST = 160 << 20;
/** Values read between two looks at what is held. */
const READS = 128;

/** Milliseconds that LMDB has to say why a commit failed. */
const CAUSE_WAIT = 100;

const SCHEMA_TABLE = 'schema';
const SCHEMA_KEY = 'version';

interface TableStats {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

interface Opened {
  readonly root: RootDatabase;
  /** The folder that was opened. */
  readonly path: string;
  /** The data file's inode when it was opened. */
  readonly inode: number;
  readonly tables: Map<TableName, Database<unknown, string>>;
  readonly unmute: () => void;
}

/** Folders open in this process, by mode: LMDB cannot give a folder both in that order. */
const openReadOnly = new Map<string, number>();

export interface EnvironmentOptions {
  readonly readOnly: boolean;
  readonly disk: Disk;
  readonly resident?: () => Resident;
}

export class Environment {
  readonly folder: string;
  readonly readOnly: boolean;
  readonly #disk: Disk;
  readonly #path: string;
  /** Where the data lies while a compacted copy takes its place. */
  readonly #aside: string;
  #opened: Opened | undefined;
  #inspected = false;
  #closed = false;
  #failure: ProblemError | undefined;
  #cause: Promise<ProblemError> | undefined;
  readonly #resident: () => Resident;
  #reads = 0;
  /** Writes that are not committed, and ranges that are not read to their end: each needs what is open to stay so. */
  #writes = 0;
  #ranges = 0;
  /** Set while writes wait for the file to be mapped anew. */
  #pause: Promise<void> | undefined;

  constructor(folder: string, options: EnvironmentOptions) {
    this.folder = folder;
    this.#resident = options.resident ?? residentMemory;
    this.readOnly = options.readOnly;
    this.#disk = options.disk;
    this.#path = resolve(folder, 'lmdb');
    this.#aside = `${this.#path}.old`;
  }

  get disk(): Disk {
    return this.#disk;
  }

  /** The table as it is now, or undefined while nothing was ever written. */
  reading(table: TableName): Database<unknown, string> | undefined {
    const found = this.#opened?.tables.get(table);
    if (found !== undefined) return found;
    if (this.#closed) throw new Error('Internal error: the store was used after it was closed');
    if (this.#opened === undefined) {
      const place = this.#place();
      if (this.#inspect(place) === 'absent') return undefined;
      this.#opened = this.#open(place);
    }
    // A reader may have come while a writer was creating the tables.
    if (this.readOnly && !this.#opened.tables.has(table)) this.#openTables(this.#opened);
    return this.#opened.tables.get(table);
  }

  /**
   * What a look into the table gives; undefined while nothing was ever written.
   *
   * @throws ProblemError where LMDB finds that its file is broken.
   */
  look<T>(table: TableName, into: (opened: Database<unknown, string>) => T): T | undefined {
    const opened = this.reading(table);
    if (opened === undefined) return undefined;
    try {
      return into(opened);
    } catch (error) {
      throw this.readProblem(error);
    }
  }

  /** An error of LMDB that means damage, as the user's problem; any other is passed on. */
  readProblem(error: unknown): unknown {
    return isLmdbDamage(error) ? writeProblem(this.folder, error) : error;
  }

  /** The table, created if need be. @throws ProblemError where the folder does not let us write. */
  writing(table: TableName): Database<unknown, string> {
    if (this.#failure !== undefined) throw this.#failure;
    const found = this.#opened?.tables.get(table);
    if (this.readOnly) throw new Error('Internal error: a read-only store was written to');
    if (found !== undefined) return found;
    if (this.#closed) throw new Error('Internal error: the store was used after it was closed');
    const place = this.#place();
    this.#inspect(place);
    try {
      this.#disk.mkdirSync(place, { recursive: true });
    } catch (error) {
      throw writeProblem(this.folder, error);
    }
    this.#opened = this.#open(place);
    return this.#opened.tables.get(table)!;
  }

  /** Looks at every page, as after a process that ended in the middle of its work. @throws ProblemError */
  inspect(): void {
    const file = join(this.#path, DATA_FILE);
    const found = inspectPages(this.#disk, file);
    if (found.state === 'damaged') throw damagedFileProblem(file, found.reason);
  }

  /** False when another process has put a compacted copy in the place of the data file that is open here. */
  isCurrent(): boolean {
    const opened = this.#opened;
    if (opened === undefined) return true;
    return this.#disk.statSync(join(opened.path, DATA_FILE), { throwIfNoEntry: false })?.ino === opened.inode;
  }

  /** Closes what is open; the next use opens what is there then. */
  async reopen(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) return;
    if (this.readOnly) openReadOnly.set(opened.path, openReadOnly.get(opened.path)! - 1);
    await opened.root.close();
    opened.unmute();
  }

  /** The entries of a table in the order of keys; those that are added meanwhile may be among them. */
  *entries(
    table: TableName,
    options: { readonly reverse?: boolean } = {},
  ): Generator<{ readonly key: string; readonly value: unknown }> {
    const opened = this.reading(table);
    if (opened === undefined) return;
    this.#ranges++;
    try {
      yield* opened.getRange({ snapshot: false, ...options });
    } catch (error) {
      throw this.readProblem(error);
    } finally {
      this.#ranges--;
    }
  }

  /** The keys alone. */
  *keys(table: TableName): Generator<string> {
    const opened = this.reading(table);
    if (opened === undefined) return;
    this.#ranges++;
    try {
      yield* opened.getKeys({ snapshot: false });
    } catch (error) {
      throw this.readProblem(error);
    } finally {
      this.#ranges--;
    }
  }

  /**
   * To be called for each of many values that are read: now and then it has the file mapped anew, so that the pages of
   * those before do not count as this process's memory. Nobody may keep a table over a visit to the event loop but by the
   * functions here.
   */
  countRead(): void {
    if (++this.#reads % READS !== 0 || this.#pause !== undefined) return;
    const { all, mapped } = this.#resident();
    if (all <= RESIDENT_AT_MOST || mapped < MAPPED_AT_LEAST) return;
    this.#pause = this.#mapAnew().finally(() => {
      this.#pause = undefined;
    });
  }

  /** Waits for the writes that are on their way, lets no other begin, then closes; the next use opens again. */
  async #mapAnew(): Promise<void> {
    for (;;) {
      // In a turn of its own: closing takes a few steps, and nobody whose turn it is should open in between.
      await new Promise<void>((resume) => setImmediate(resume));
      // Whoever reads a range may write before its end, and must not wait for us.
      if (this.#closed || this.#failure !== undefined || this.#ranges > 0) return;
      if (this.#writes === 0) return this.reopen();
    }
  }

  /** An entry's bytes as they lie in the table. */
  bytes(table: TableName, key: string): Uint8Array | undefined {
    return this.look(table, (opened) => opened.getBinary(key));
  }

  async remove(table: TableName, keys: Iterable<string>): Promise<void> {
    await this.#write(table, async (opened) => {
      let batch: PromiseLike<boolean>[] = [];
      const settle = async () => {
        for (const removal of batch) await this.#commit(removal);
        batch = [];
      };
      for (const key of keys) if (batch.push(opened.remove(key)) >= REMOVALS) await settle();
      await settle();
    });
  }

  /** Runs work that needs the table to stay open over visits to the event loop. */
  async #write(table: TableName, work: (opened: Database<unknown, string>) => Promise<void>): Promise<void> {
    while (this.#pause !== undefined) await this.#pause;
    if (this.#cause !== undefined) throw await this.#cause;
    const opened = this.writing(table);
    this.#writes++;
    try {
      await work(opened);
    } finally {
      this.#writes--;
    }
  }

  /** Bytes of the data file, and how many of them hold entries, by table. */
  usage(): { readonly file: number; readonly tables: ReadonlyMap<TableName, number> } {
    const tables = new Map<TableName, number>();
    for (const name of TABLES) {
      const stats = this.look(name, (opened) => opened.getStats() as TableStats);
      if (stats === undefined) continue;
      const pages = stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages;
      tables.set(name, pages * stats.pageSize);
    }
    const path = join(this.#opened?.path ?? this.#path, DATA_FILE);
    return { file: this.#disk.statSync(path, { throwIfNoEntry: false })?.size ?? 0, tables };
  }

  /**
   * Puts a copy without free pages in the place of the data file: LMDB never gives a page back by itself. Only for the
   * one who holds the build lock; whoever has the old file open notices by {@link isCurrent}.
   */
  async compact(): Promise<void> {
    while (this.#pause !== undefined) await this.#pause;
    this.writing('lock');
    const { root, path } = this.#opened!;
    this.#writes++;
    const copy = `${this.#path}.new`;
    try {
      rmSync(copy, { recursive: true, force: true });
      this.#disk.mkdirSync(copy, { recursive: true });
      await root.backup(copy, true);
      const descriptor = this.#disk.openSync(join(copy, DATA_FILE), 'r+');
      try {
        await this.#disk.flush(descriptor);
      } finally {
        this.#disk.closeSync(descriptor);
      }
      await flushFolder(this.#disk, copy);
      await this.reopen();
      this.#disk.renameSync(path, this.#aside);
      this.#disk.renameSync(copy, this.#path);
      await flushFolder(this.#disk, this.folder);
      rmSync(this.#aside, { recursive: true, force: true });
    } catch (error) {
      rmSync(copy, { recursive: true, force: true });
      throw writeProblem(this.folder, error);
    } finally {
      this.#writes--;
    }
  }

  /** Where the data lies: beside its place when a process died between the two renames of a compaction. */
  #place(): string {
    const there = (folder: string) => this.#disk.existsSync(join(folder, DATA_FILE));
    if (there(this.#path) || !there(this.#aside)) return this.#path;
    if (this.readOnly) return this.#aside;
    try {
      this.#disk.renameSync(this.#aside, this.#path);
      return this.#path;
    } catch (error) {
      if (there(this.#path)) return this.#path;
      throw writeProblem(this.folder, error);
    }
  }

  /**
   * Writes an entry; resolves when it is committed and there: LMDB's library reports a commit as done also where one
   * write of it found no room.
   */
  async put(table: TableName, key: string, value: string | readonly string[]): Promise<void> {
    await this.#write(table, async (opened) => {
      await this.#commit(opened.put(key, value));
      if (this.look(table, (now) => now.doesExist(key)) !== true)
        throw await this.#fail(new Error('what was written is not there'));
    });
    this.countRead();
  }

  /** Commits the write; a failed commit is the user's problem. */
  async #commit(write: PromiseLike<boolean>): Promise<void> {
    try {
      await write;
    } catch (error) {
      throw await this.#fail(error);
    }
  }

  /** True once a commit has failed: nothing more is written then. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** LMDB must not be asked to write again after a failed commit: what it holds in memory is no longer sound. */
  async #fail(error: unknown): Promise<ProblemError> {
    this.#failure ??= writeProblem(this.folder, error);
    // All that fails after it fails for the same cause, and is told in the same words.
    this.#cause ??= commitCause(error).then((cause) => {
      this.#failure = writeProblem(this.folder, cause);
      return this.#failure;
    });
    return this.#cause;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.reopen();
  }

  #inspect(place: string): 'absent' | 'sound' {
    const file = join(place, DATA_FILE);
    let found: ReturnType<typeof inspectDataFile>;
    try {
      found = inspectDataFile(this.#disk, file);
      // Once a process is enough; it opens again only what it has read before.
      if (found.state === 'sound' && !this.#inspected && isSmall(this.#disk, file)) {
        found = inspectPages(this.#disk, file);
      }
      this.#inspected = true;
    } catch (error) {
      throw unreadable(this.folder, error);
    }
    if (found.state !== 'damaged') return found.state;
    throw damagedFileProblem(file, found.reason);
  }

  #open(path: string): Opened {
    if (!this.readOnly && (openReadOnly.get(path) ?? 0) > 0) {
      throw new Error('Internal error: the cache is open for reading in this process; close that store first');
    }
    let root: RootDatabase;
    try {
      root = open({
        path,
        noSubdir: false,
        readOnly: this.readOnly,
        // Commits then resolve after the flush, at no cost that one can measure: a resolved put survives a power cut.
        overlappingSync: false,
        // Its batches keep a promise to themselves, whose rejection on a full disk would end the process.
        eventTurnBatching: false,
      });
    } catch (error) {
      throw this.readOnly && !isLmdbDamage(error) ? unreadable(this.folder, error) : writeProblem(this.folder, error);
    }
    if (this.readOnly) openReadOnly.set(path, (openReadOnly.get(path) ?? 0) + 1);
    const inode = this.#disk.statSync(join(path, DATA_FILE)).ino;
    const unmute = this.readOnly ? () => {} : muteCommitErrors();
    const opened: Opened = { root, path, inode, tables: new Map(), unmute };
    try {
      this.#openTables(opened);
    } catch (error) {
      if (this.readOnly) openReadOnly.set(path, openReadOnly.get(path)! - 1);
      void root.close();
      unmute();
      throw this.readOnly ? this.readProblem(error) : writeProblem(this.folder, error);
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
  const told = cause.then(
    () => error,
    (reason: unknown) => reason,
  );
  // It is not always settled; that the write failed is known without it.
  return Promise.race([told, new Promise((resolve) => setTimeout(resolve, CAUSE_WAIT, error))]);
}
