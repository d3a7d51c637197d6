/** Writes a pack: beside its place first, so that nobody meets half of one. */

import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Digest } from '../../core/digest.ts';
import { EXIT, ProblemError } from '../../core/problem.ts';
import { type Action, type BuildRecord, DamageError, type OutputRef } from '../../core/storage.ts';
import type { LocalStore } from '../store.ts';
import {
  BUILD,
  HEAD,
  MANIFEST,
  manifestText,
  numbered,
  PACK_VERSION,
  PART,
  type PackCounts,
  type RowsType,
} from './format.ts';
import { padding, tarHeader } from './tar.ts';

const compress = promisify(gzip);

/** What goes into a pack. */
interface PackContents {
  readonly actions: readonly Action[];
  readonly blobs: ReadonlyMap<Digest, OutputRef>;
  /** Keys of the calls whose answers are packed, earlier ones included. */
  readonly calls: Iterable<Digest>;
  /** Absent in a segment. */
  readonly record?: BuildRecord;
}

export interface WrittenPack extends PackCounts {
  /** Of the whole file: `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly bytes: number;
}

/** @throws ProblemError where the file cannot be written. */
export async function writePack(store: LocalStore, contents: PackContents, target: string): Promise<WrittenPack> {
  const partial = `${target}.partial`;
  let file: PackFile | undefined;
  try {
    file = new PackFile(partial);
    const written = await write(file, store, contents);
    file.close();
    renameSync(partial, target);
    return written;
  } catch (error) {
    file?.abandon();
    rmSync(partial, { force: true });
    if (error instanceof ProblemError || error instanceof DamageError) throw error;
    throw new ProblemError(
      {
        id: 'CJE-CANNOT-WRITE',
        headline: `the pack cannot be written: ${target}`,
        facts: [['reason', error instanceof Error ? error.message : String(error)]],
        hint: 'name another file with -o, or make room',
      },
      EXIT.failed,
    );
  }
}

async function write(file: PackFile, store: LocalStore, contents: PackContents): Promise<WrittenPack> {
  const { blobs, record } = contents;
  await file.add(HEAD, Buffer.from(`${JSON.stringify({ type: 'cje-pack', version: PACK_VERSION })}\n`));
  for (const digest of [...blobs.keys()].sort()) await file.addBlob(digest, store.blobs.chunks(blobs.get(digest)!));
  const keys = [...contents.calls].sort();
  const actions = [...contents.actions].sort((a, b) => (a.key < b.key ? -1 : 1));
  const counts = {
    replies: await file.addLines('calls', callLines(store, keys)),
    failures: await file.addLines('failures', failureLines(store, keys)),
    superseded: await file.addLines('superseded', supersededLines(store, keys)),
    actions: await file.addLines(
      'actions',
      actions.map((action) => JSON.stringify(action)),
    ),
    blobs: blobs.size,
  };
  if (record !== undefined) await file.add(BUILD, await compress(Buffer.from(JSON.stringify(record))));
  await file.add(MANIFEST, Buffer.from(manifestText({ version: PACK_VERSION, record, counts, files: file.files })));
  return { ...counts, ...file.finish() };
}

function* callLines(store: LocalStore, keys: readonly Digest[]): Generator<string> {
  for (const key of keys) {
    const call = store.calls.get(key);
    if (call !== undefined) yield JSON.stringify({ key, ...call });
  }
}

/** Failures of the calls that have no reply. */
function* failureLines(store: LocalStore, keys: readonly Digest[]): Generator<string> {
  for (const key of keys) {
    const failure = store.calls.get(key) === undefined ? store.calls.failure(key) : undefined;
    if (failure !== undefined) yield JSON.stringify({ key, ...failure });
  }
}

function* supersededLines(store: LocalStore, keys: readonly Digest[]): Generator<string> {
  for (const key of keys) {
    const answers = store.calls.superseded(key);
    if (answers.length > 0) yield JSON.stringify({ key, answers });
  }
}

/** The archive as it grows. */
class PackFile {
  readonly files: { name: string; size: number; sha256: string }[] = [];
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #open = true;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'w');
  }

  async add(name: string, content: Buffer): Promise<void> {
    this.files.push({ name, size: content.length, sha256: createHash('sha256').update(content).digest('hex') });
    this.#write(tarHeader(name, content.length));
    this.#write(content);
    this.#write(Buffer.alloc(padding(content.length)));
  }

  /** @param chunks each needs to stay valid only until the next is taken. */
  async addBlob(digest: Digest, chunks: Iterable<Uint8Array>): Promise<void> {
    let held: Buffer[] = [];
    let size = 0;
    let number = 0;
    const cut = async () => {
      await this.add(`blobs/${digest}.${numbered(number++)}.gz`, await compress(Buffer.concat(held)));
      held = [];
      size = 0;
    };
    for (const chunk of chunks) {
      held.push(Buffer.from(chunk));
      size += chunk.length;
      if (size >= PART) await cut();
    }
    if (size > 0 || number === 0) await cut();
  }

  /** Adds lines in numbered parts. @returns how many there were. */
  async addLines(folder: RowsType, lines: Iterable<string>): Promise<number> {
    let held: string[] = [];
    let size = 0;
    let number = 0;
    let count = 0;
    const cut = async () => {
      const text = `${held.join('\n')}\n`;
      held = [];
      size = 0;
      await this.add(`${folder}/${numbered(number++)}.jsonl.gz`, await compress(Buffer.from(text)));
    };
    for (const line of lines) {
      count++;
      held.push(line);
      size += line.length;
      if (size >= PART) await cut();
    }
    if (held.length > 0) await cut();
    return count;
  }

  /** Ends the archive. */
  finish(): { readonly digest: string; readonly bytes: number } {
    this.#write(Buffer.alloc(1024));
    fsyncSync(this.#descriptor);
    return { digest: `sha256:${this.#hash.digest('hex')}`, bytes: this.#bytes };
  }

  close(): void {
    this.#open = false;
    closeSync(this.#descriptor);
  }

  abandon(): void {
    if (this.#open) this.close();
  }

  #write(bytes: Buffer): void {
    this.#hash.update(bytes);
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(this.#descriptor, bytes, written, bytes.length - written);
    }
    this.#bytes += bytes.length;
  }
}
