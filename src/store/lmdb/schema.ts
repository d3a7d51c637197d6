/** The tables of the database, and the version of what they hold. */

import type { RootDatabase, Database as Table } from 'lmdb';
import { ProblemError } from '../../core/problem.ts';
import { type StoredValue, TABLES, type TableName } from './database.ts';

export type OpenTable = Table<StoredValue, string>;

/** Raised when the meaning of what is stored changes. A cache of a higher version is left as it is. */
const SCHEMA_VERSION = 1;
const SCHEMA_TABLE = 'schema';
const SCHEMA_KEY = 'version';

/** Adds to the open tables those that are there; a writer creates those that are missing. @throws ProblemError */
export function openTables(root: RootDatabase, tables: Map<TableName, OpenTable>, options: SchemaOptions): void {
  if (!checkVersion(root, options)) return;
  for (const name of TABLES) {
    if (tables.has(name)) continue;
    // Undefined for a table that a reader does not find, whatever the library's type says.
    const table: OpenTable | undefined = root.openDB<StoredValue, string>(name, {
      encoding: name === 'calls' ? 'msgpack' : 'string',
    });
    if (table !== undefined) tables.set(name, table);
  }
}

interface SchemaOptions {
  readonly folder: string;
  readonly readOnly: boolean;
}

/** False while a writer has not yet stated the version. */
function checkVersion(root: RootDatabase, { folder, readOnly }: SchemaOptions): boolean {
  const table: Table<string, string> | undefined = root.openDB<string, string>(SCHEMA_TABLE, { encoding: 'string' });
  if (table === undefined) return false;
  let stored = table.get(SCHEMA_KEY);
  if (stored === undefined) {
    if (readOnly) return false;
    stored = String(SCHEMA_VERSION);
    table.putSync(SCHEMA_KEY, stored);
  }
  if (!(Number(stored) > SCHEMA_VERSION)) return true;
  throw new ProblemError({
    id: 'CJE-CACHE-NEWER',
    headline: `the cache was written by a newer cje: ${folder}`,
    facts: [
      ['its version', stored],
      ['known here', String(SCHEMA_VERSION)],
    ],
    hint: 'Update cje, or move the cache folder aside.',
  });
}
