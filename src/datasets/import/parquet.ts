/** Rows of a Parquet file: the columns that are asked for, nested ones as objects. */

import { type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { SourceError } from '../../core/kind.ts';
import type { Table } from './records.ts';

/**
 * @param wanted names of top-level columns; the others are not decoded
 * @throws SourceError when the file cannot be read.
 */
export async function readParquet(
  bytes: Uint8Array,
  file: string,
  wanted: (column: string) => boolean,
): Promise<Table> {
  // hyparquet wants a buffer of its own; a view of a larger one has to be copied, which a Buffer's slice does not do.
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  const buffer = (whole ? bytes.buffer : new Uint8Array(bytes).buffer) as ArrayBuffer;
  let metadata: FileMetaData;
  try {
    metadata = await parquetMetadataAsync(buffer);
  } catch (error) {
    throw new SourceError(`this Parquet file cannot be read: ${(error as Error).message}`, {
      hint: 'It may have been cut short: fetch it again.',
    });
  }
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  try {
    const rows = await parquetReadObjects({ file: buffer, metadata, columns: columns.filter(wanted) });
    const records = rows.map((fields, row) => ({ at: { file, line: undefined, row }, fields }));
    return { records, faults: [], columns };
  } catch (error) {
    throw new SourceError(`this Parquet file cannot be read: ${(error as Error).message}`, {
      hint: 'Snappy and uncompressed files are read; write it anew with one of those.',
    });
  }
}
