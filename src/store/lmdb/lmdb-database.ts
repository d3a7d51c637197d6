/** A {@link Database} in LMDB. */

import { asBinary } from 'lmdb';
import type { Disk } from '../disk/disk.ts';
import { LAST_ROOM, LEAST_ROOM } from '../disk/room.ts';
import { Commits } from './commits.ts';
import { replaceByCopy } from './compaction.ts';
import { type Connection, connect } from './connection.ts';
import { type DataFileState, inspectDataFile, inspectPages, isSmall } from './data-file.ts';
import type {
  Change,
  Database,
  StoredEntry,
  StoredValue,
  TableName,
  TextTable,
  TransactionTable,
  WriteOptions,
} from './database.ts';
import { TABLES } from './database.ts';
import { damagedFileProblem, databaseProblem, readProblem, unreadableProblem } from './errors.ts';
import { readTuple } from './message-pack.ts';
import { databaseFolder, dataFileOf, fileIn, findPlace } from './place.ts';
import { Remapping } from './remapping.ts';
import type { Resident } from './resident.ts';
import type { OpenTable } from './schema.ts';

/** Removals that wait for one commit. */
const REMOVALS = 1000;

interface TableStats {
  readonly entryCount: number;
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

interface DatabaseOptions {
  readonly readOnly: boolean;
  readonly disk: Disk;
  /** How much memory the process holds. */
  readonly resident: () => Resident;
}

export class LmdbDatabase implements Database {
  readonly folder: string;
  readonly readOnly: boolean;
  readonly #disk: Disk;
  readonly #commits: Commits;
  readonly #remapping: Remapping;
  #connection: Connection | undefined;
  /** True once the pages were checked: a process checks them once, because it reopens only what it has read before. */
  #inspected = false;
  #closed = false;

  constructor(folder: string, options: DatabaseOptions) {
    this.folder = folder;
    this.readOnly = options.readOnly;
    this.#disk = options.disk;
    this.#commits = new Commits(folder, options.disk, (work) =>
      this.#writing('calls').transaction(() => {
        work();
        return true;
      }),
    );
    this.#remapping = new Remapping({
      resident: options.resident,
      reopen: () => this.reopen(),
      ended: () => this.#closed || this.failed,
    });
  }

  get failed(): boolean {
    return this.#commits.failure !== undefined;
  }

  get full(): boolean {
    return this.#commits.lackOfRoom(LAST_ROOM) !== undefined;
  }

  get(table: TableName, key: string): StoredValue | undefined {
    if (table === 'calls') {
      const bytes = this.bytes(table, key);
      return bytes === undefined ? undefined : readTuple(bytes);
    }
    const value = this.#read(table, (opened) => opened.get(key));
    this.#remapping.count(value?.length ?? 0);
    return value;
  }

  bytes(table: TableName, key: string): Buffer | undefined {
    const found = this.#read(table, (opened) => opened.getBinaryFast(key));
    this.#remapping.count(found?.length ?? 0);
    // The library reuses one buffer, which is longer than the value.
    return found && Buffer.from(found.buffer, found.byteOffset, found.length);
  }

  count(table: TableName): number {
    return this.#stats(table)?.entryCount ?? 0;
  }

  *scan(table: TableName, options: { readonly reverse?: boolean } = {}): Generator<StoredEntry> {
    const opened = this.#reading(table);
    if (opened === undefined) return;
    const range = { snapshot: false, ...options };
    try {
      yield* this.#remapping.scan(() =>
        table === 'calls' ? this.#oneByOne(table, opened.getKeys(range)) : opened.getRange(range),
      );
    } catch (error) {
      throw readProblem(this.folder, error);
    }
  }

  /** Reads each value by its key, because the library's own range ends at the first value that it cannot decode. */
  *#oneByOne(table: TableName, keys: Iterable<string>): Generator<StoredEntry> {
    for (const key of keys) yield { key, value: this.get(table, key) };
  }

  put(
    table: TableName,
    key: string,
    value: StoredValue | Buffer | (() => StoredValue),
    { last = false }: WriteOptions = {},
  ): Promise<void> {
    return this.#commit(() => this.#put(table, key, typeof value === 'function' ? value() : value), last);
  }

  async change(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    // In the order of keys, neighbours are written to a page while it is at hand.
    const sorted = changes.toSorted(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
    await this.#commit(() =>
      this.#wholly(() => {
        for (const [table, key, value] of sorted) {
          if (value === undefined) this.#writing(table).removeSync(key);
          else this.#put(table, key, value);
        }
      }),
    );
  }

  async remove(table: TableName, keys: Iterable<string>, { last = false }: WriteOptions = {}): Promise<void> {
    const left = [...keys];
    while (left.length > 0) {
      const some = left.splice(0, REMOVALS);
      await this.#commit(() => {
        for (const key of some) this.#writing(table).removeSync(key);
      }, last);
    }
  }

  transact<T>(table: TextTable, work: (table: TransactionTable) => T, { last = false }: WriteOptions = {}): T {
    const opened = this.#writing(table);
    this.#needRoom(last);
    const within: TransactionTable = {
      get: (key) => opened.get(key),
      put: (key, value) => void opened.putSync(key, value),
      remove: (key) => void opened.removeSync(key),
    };
    try {
      return opened.transactionSync(() => work(within));
    } catch (error) {
      throw databaseProblem(this.folder, error);
    }
  }

  create(): void {
    this.#writing('calls');
  }

  inspect(): void {
    const file = dataFileOf(this.folder);
    refuseDamaged(file, inspectPages(this.#disk, file));
  }

  isCurrent(): boolean {
    return this.#connection?.isCurrent() ?? true;
  }

  async reopen(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close(this.failed);
  }

  usage(): { readonly file: number; readonly tables: ReadonlyMap<TableName, number> } {
    const tables = new Map<TableName, number>();
    for (const name of TABLES) {
      const stats = this.#stats(name);
      if (stats === undefined) continue;
      const pages = stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages;
      tables.set(name, pages * stats.pageSize);
    }
    const file = fileIn(this.#connection?.path ?? databaseFolder(this.folder));
    return { file: this.#disk.statSync(file, { throwIfNoEntry: false })?.size ?? 0, tables };
  }

  compact(): Promise<void> {
    return this.#write(() =>
      replaceByCopy(this.#connection!, () => this.reopen(), { folder: this.folder, disk: this.#disk }),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    // What nobody waits for, such as the end of a try, is written all the same.
    await this.#commits.idle();
    await this.reopen();
  }

  /** What a look into the table gives; undefined while nothing was ever written. */
  #read<T>(table: TableName, look: (opened: OpenTable) => T): T | undefined {
    const opened = this.#reading(table);
    if (opened === undefined) return undefined;
    try {
      return look(opened);
    } catch (error) {
      throw readProblem(this.folder, error);
    }
  }

  #stats(table: TableName): TableStats | undefined {
    return this.#read(table, (opened) => opened.getStats() as TableStats);
  }

  /** The table as it is now; undefined while nothing was ever written. */
  #reading(table: TableName): OpenTable | undefined {
    const found = this.#connection?.tables.get(table);
    if (found !== undefined) return found;
    if (this.#connection === undefined) {
      const place = this.#prepare();
      if (place.state === 'absent') return undefined;
      this.#connection = connect(place.path, { folder: this.folder, readOnly: this.readOnly, disk: this.#disk });
    }
    // This reader may have opened the file while a writer was still creating the tables.
    if (this.readOnly && !this.#connection.tables.has(table)) this.#connection.findTables();
    return this.#connection.tables.get(table);
  }

  #write(work: () => Promise<void>): Promise<void> {
    return this.#remapping.write(async () => {
      if (this.failed) await this.#commits.check();
      this.#writing('calls');
      await work();
    });
  }

  /** Resolves when what `apply` does is committed. */
  #commit(apply: () => void, last = false): Promise<void> {
    return this.#write(() => this.#commits.write(apply, last));
  }

  /** Within a transaction: of several writes all are done, or none where one throws. */
  #wholly(work: () => void): void {
    this.#writing('calls').transactionSync(work);
  }

  /** Within a transaction. */
  #put(table: TableName, key: string, value: StoredValue | Buffer): void {
    this.#writing(table).putSync(key, asWritten(value));
    this.#remapping.count(sizeOf(value));
  }

  #needRoom(last = false): void {
    const lack = this.#commits.lackOfRoom(last ? LAST_ROOM : LEAST_ROOM);
    if (lack !== undefined) throw lack;
  }

  /** The table, created where it is missing. */
  #writing(table: TableName): OpenTable {
    if (this.#commits.failure !== undefined) throw this.#commits.failure;
    if (this.readOnly) throw new Error('Internal error: a read-only store was written to');
    if (this.#connection === undefined) {
      const { path } = this.#prepare();
      this.#needRoom();
      try {
        this.#disk.mkdirSync(path, { recursive: true });
      } catch (error) {
        throw databaseProblem(this.folder, error);
      }
      this.#connection = connect(path, { folder: this.folder, readOnly: false, disk: this.#disk });
    }
    return this.#connection.tables.get(table)!;
  }

  /** Finds the data file and checks it, before LMDB opens it. */
  #prepare(): { readonly path: string; readonly state: 'absent' | 'sound' } {
    if (this.#closed) throw new Error('Internal error: the store was used after it was closed');
    let path: string;
    try {
      path = findPlace(this.#disk, this.folder, this.readOnly);
    } catch (error) {
      throw databaseProblem(this.folder, error);
    }
    const file = fileIn(path);
    let found: DataFileState;
    try {
      found = inspectDataFile(this.#disk, file);
      if (found.state === 'sound' && !this.#inspected && isSmall(this.#disk, file)) {
        found = inspectPages(this.#disk, file);
      }
      this.#inspected = true;
    } catch (error) {
      throw unreadableProblem(this.folder, error);
    }
    return { path, state: refuseDamaged(file, found) };
  }
}

/** The library's type of bytes as they are is that of nothing in particular. */
const asWritten = (value: StoredValue | Buffer): StoredValue =>
  Buffer.isBuffer(value) ? (asBinary(value) as StoredValue) : value;

/** About how many bytes a value takes. */
function sizeOf(value: StoredValue | Buffer): number {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value.length;
  let size = 0;
  for (const text of value) size += text.length;
  return size;
}

function refuseDamaged(file: string, found: DataFileState): 'absent' | 'sound' {
  if (found.state === 'damaged') throw damagedFileProblem(file, found.reason);
  return found.state;
}
