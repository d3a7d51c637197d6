/** Reads sources for the engine: files by their remembered digests, addresses by the digest that the pipeline gives. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Location, SourceFile, SourceReader } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import type { FileDigests } from '../core/storage.ts';

interface SourceOptions {
  readonly files: FileDigests;
  /** Where fetched files are kept, by their sha256. */
  readonly downloads: string;
  readonly secrets: (variable: string) => string | undefined;
  /** How the user wrote a path, for messages. */
  readonly written: (path: string) => string;
  readonly onProgress: (text: string) => void;
}

export function sourceReader(options: SourceOptions): SourceReader {
  return {
    async digest(location) {
      if (location.type === 'url') return location.sha256;
      if (isAbsent(location)) return 'absent';
      try {
        return (await options.files.digest(location.path)).digest;
      } catch (error) {
        throw missingFile(options.written(location.path), error);
      }
    },
    async read(location) {
      if (location.type === 'url') return await fetchOnce(location, options);
      const label = options.written(location.path);
      if (isAbsent(location)) return { bytes: new Uint8Array(), label };
      try {
        return { bytes: readFileSync(location.path), label };
      } catch (error) {
        throw missingFile(label, error);
      }
    },
  };
}

const isAbsent = ({ path, optional }: Extract<Location, { type: 'path' }>): boolean =>
  optional === true && !existsSync(path);

function missingFile(path: string, error: unknown): unknown {
  const { code } = error as { code?: string };
  if (code === 'ENOENT')
    return new ProblemError({
      id: 'CJE-FILE-UNREADABLE',
      headline: `no such file: ${path}`,
      hint: 'check the path; it is relative to pipeline.yaml, or to this folder when given by --set',
    });
  if (code === 'EISDIR')
    return new ProblemError({ id: 'CJE-FILE-UNREADABLE', headline: `${path} is a folder, not a file` });
  if (code === 'EACCES') return new ProblemError({ id: 'CJE-FILE-UNREADABLE', headline: `${path} may not be read` });
  return error;
}

/** A fetched file is kept by its digest and checked again each time it is read. */
async function fetchOnce(
  location: Extract<Location, { type: 'url' }>,
  { downloads, secrets, onProgress }: SourceOptions,
): Promise<SourceFile> {
  const { url, sha256, tokenVariable } = location;
  const kept = join(downloads, sha256);
  if (existsSync(kept)) {
    const bytes = readFileSync(kept);
    if (createHash('sha256').update(bytes).digest('hex') === sha256) return { bytes, label: url };
  }
  const token = tokenVariable === undefined ? undefined : secrets(tokenVariable);
  if (tokenVariable !== undefined && (token ?? '') === '') {
    throw new ProblemError({
      id: 'CJE-NO-KEY',
      headline: `fetching ${url} needs a token, and the environment variable ${tokenVariable} is not set`,
      hint: `set ${tokenVariable} to an access token for that source`,
    });
  }
  const { download } = await import('./download.ts');
  onProgress(`fetching ${url}`);
  const bytes = await download(url, { sha256, ...(token === undefined ? {} : { token }) });
  mkdirSync(dirname(kept), { recursive: true });
  const temporary = `${kept}.${process.pid}`;
  writeFileSync(temporary, bytes);
  renameSync(temporary, kept);
  return { bytes, label: url };
}
