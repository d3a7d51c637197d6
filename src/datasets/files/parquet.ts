/** Columns of a Parquet file, nested ones as objects. */

import { type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { SourceError } from '../../core/kind.ts';

interface ParquetRows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** The file's top-level columns, decoded or not. */
  readonly columns: readonly string[];
}

/**
 * @param choose says which of the file's top-level columns are decoded
 * @throws SourceError when the file cannot be read.
 */
export async function readParquet(
  bytes: Uint8Array,
  choose: (columns: readonly string[]) => string[],
): Promise<ParquetRows> {
  // hyparquet wants a buffer of its own; a view of a larger one has to be copied, which a Buffer's slice does not do.
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  const file = (whole ? bytes.buffer : new Uint8Array(bytes).buffer) as ArrayBuffer;
  let metadata: FileMetaData;
  try {
    metadata = await parquetMetadataAsync(file);
  } catch (error) {
    throw new SourceError(`this Parquet file cannot be read: ${(error as Error).message}`, {
      hint: 'It may have been cut short: fetch it again.',
    });
  }
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const chosen = choose(columns);
  try {
    // Only what is packed otherwise than with Snappy needs them, and they are large.
    const packed = metadata.row_groups.some((group) =>
      group.columns.some((column) => !['UNCOMPRESSED', 'SNAPPY', undefined].includes(column.meta_data?.codec)),
    );
    const more = packed ? { compressors: (await import('hyparquet-compressors')).compressors } : {};
    return { rows: await parquetReadObjects({ file, metadata, columns: chosen, ...more }), columns };
  } catch (error) {
    throw new SourceError(`this Parquet file cannot be read: ${(error as Error).message}`, {
      hint: 'Snappy, ZSTD, GZIP, Brotli, LZ4 and uncompressed files are read; write it anew with one of those.',
    });
  }
}
