/** The database of a cache folder, as the tables use it. */

/** Tables whose values are text; those of `calls` are tuples of texts. */
const TEXT_TABLES = [
  'failures',
  'superseded',
  'removed',
  'intents',
  'batches',
  'batched',
  'actions',
  'builds',
  'files',
  'lock',
] as const;
export type TextTable = (typeof TEXT_TABLES)[number];
export type TableName = TextTable | 'calls';
export const TABLES: readonly TableName[] = ['calls', ...TEXT_TABLES];

export type StoredValue = string | readonly string[];

/** A value to be put under a key of a table, or the very bytes of one; undefined: the entry is removed. */
export type Change = readonly [table: TableName, key: string, value: StoredValue | Buffer | undefined];

export interface StoredEntry {
  readonly key: string;
  /** Undefined where the bytes are no value of ours. */
  readonly value: StoredValue | undefined;
}

export interface WriteOptions {
  /** It is what a build writes down as it ends: some room is left for that on a disk that is full for all else. */
  readonly last?: boolean;
}

/** A table within one transaction. */
export interface TransactionTable {
  get(key: string): StoredValue | undefined;
  put(key: string, value: string): void;
  remove(key: string): void;
}

/**
 * Opened when it is first used: reading a folder without a cache finds every table empty and creates nothing; the first
 * write creates folder and tables. Every method throws a ProblemError where LMDB finds its file damaged or cannot write.
 */
export interface Database {
  /** The absolute path of the cache folder. */
  readonly folder: string;
  readonly readOnly: boolean;
  /** True once a commit has failed: nothing more is written then. */
  readonly failed: boolean;
  /** Whether the disk has no room even for what a build writes down as it ends. */
  readonly full: boolean;
  /** The value; undefined where there is none, or where the bytes are no value of ours. */
  get(table: TableName, key: string): StoredValue | undefined;
  /** The value's bytes, without a copy: valid until the next read. */
  bytes(table: TableName, key: string): Buffer | undefined;
  /** How many entries a table has. */
  count(table: TableName): number;
  /** The entries in the order of keys. Entries that are added during the scan may be among them. */
  scan(table: TableName, options?: { readonly reverse?: boolean }): Generator<StoredEntry>;
  /** Resolves when the entry is committed. A value that is made is made when its commit begins. */
  put(
    table: TableName,
    key: string,
    value: StoredValue | Buffer | (() => StoredValue),
    options?: WriteOptions,
  ): Promise<void>;
  /**
   * Resolves when all are committed, in one commit, or throws and none is: thousands cost a fraction of what as many puts
   * do, but nothing else is done while they are written.
   */
  change(changes: readonly Change[]): Promise<void>;
  /** Resolves when the removals are committed. */
  remove(table: TableName, keys: Iterable<string>, options?: WriteOptions): Promise<void>;
  /** Runs the work in one transaction that no other process can come between; it is committed on return. */
  transact<T>(table: TextTable, work: (table: TransactionTable) => T, options?: WriteOptions): T;
  /** Creates folder and tables where they are missing. */
  create(): void;
  /** Checks every page of the data file, as is due after a process that ended in the middle of a write. */
  inspect(): void;
  /** False when another process has replaced the data file that is open here by a compacted copy. */
  isCurrent(): boolean;
  /** Closes the file; the next use opens the one that is there then. */
  reopen(): Promise<void>;
  /** Bytes of the data file, and of the pages that hold entries, by table. */
  usage(): { readonly file: number; readonly tables: ReadonlyMap<TableName, number> };
  /**
   * Replaces the data file by a copy without free pages, because LMDB never gives a page back to the system. Only for
   * the holder of the build lock; other processes notice by {@link isCurrent}.
   */
  compact(): Promise<void>;
  close(): Promise<void>;
}
