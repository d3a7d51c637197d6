/**
 * Imports a pack into the cache. The pack is read twice: first all of it is checked, then it is written, records last, so
 * that it is imported as a whole or not at all. What the cache already holds stays as it is.
 */

import { gunzipSync } from 'node:zlib';
import type { Digest } from '../../core/digest.ts';
import { EXIT, ProblemError } from '../../core/problem.ts';
import type { BlobWriter, BuildRecord } from '../../core/storage.ts';
import type { LocalStore } from '../store.ts';
import { packEntries } from './archive.ts';
import { LARGEST_PART, type PackCounts, readPartName } from './format.ts';
import { type Inspection, inspectPack, sha256 } from './inspect.ts';
import { readActions, readCalls, readFailures } from './rows.ts';

export interface Imported {
  readonly digest: string;
  readonly record: BuildRecord;
  /** Entries that were new. */
  readonly added: PackCounts;
  /** Replies and records that the cache already holds with another content; the cache keeps its own. */
  readonly different: number;
}

/** @param expected `sha256:` and 64 hex digits; undefined: any pack that is whole. @throws ProblemError */
function checkPack(path: string, expected: string | undefined): Inspection & { readonly record: BuildRecord } {
  const inspection = inspect(path);
  const { digest, faults, record, manifest } = inspection;
  const facts: [string, string][] = faults.slice(0, 10).map(({ name, reason }) => [name, reason]);
  if (faults.length > 10) facts.push(['…', `and ${faults.length - 10} more`]);
  if (expected !== undefined && expected.toLowerCase() !== digest) {
    throw new ProblemError(
      {
        id: 'CJE-PACK-UNEXPECTED',
        headline: `this is not the pack that was expected: ${path}`,
        facts: [['expected', expected], ['found', digest], ...facts],
        hint: 'nothing was imported; fetch the pack again, or ask who made it for its digest',
      },
      EXIT.damaged,
    );
  }
  if (inspection.foreign) {
    throw new ProblemError({
      id: 'CJE-NOT-A-PACK',
      headline: `this is not a pack: ${path}`,
      hint: '`cje cache export` makes one',
    });
  }
  if (inspection.newer !== undefined) {
    throw new ProblemError({
      id: 'CJE-PACK-NEWER',
      headline: `the pack was made by a newer cje: ${path}`,
      facts: [['its version', String(inspection.newer)]],
      hint: 'update cje',
    });
  }
  if (faults.length > 0 || record === undefined || manifest === undefined) {
    throw new ProblemError(
      {
        id: 'CJE-PACK-DAMAGED',
        headline: `the pack is damaged: ${path}`,
        facts,
        hint: 'nothing was imported; fetch the pack again',
      },
      EXIT.damaged,
    );
  }
  return { ...inspection, record };
}

function inspect(path: string): Inspection {
  try {
    return inspectPack(path);
  } catch (error) {
    throw new ProblemError({
      id: 'CJE-FILE-UNREADABLE',
      headline: `the pack cannot be read: ${path}`,
      facts: [['reason', error instanceof Error ? error.message : String(error)]],
    });
  }
}

/** Only for the holder of the build lock. @throws ProblemError where the pack is not sound, before anything is written. */
export async function importPack(store: LocalStore, path: string, expected: string | undefined): Promise<Imported> {
  const { digest, record, manifest } = checkPack(path, expected);
  const sums = new Map(manifest!.files.map((file) => [file.name, file.sha256]));
  const importer = new Importer(store);
  for (const { name, content } of packEntries(path, () => {})) {
    const part = readPartName(name);
    if (part === undefined || part.type === 'head' || part.type === 'manifest') continue;
    if (sums.get(name) !== sha256(content)) throw changed(path);
    const bytes = gunzipSync(content, { maxOutputLength: LARGEST_PART });
    switch (part.type) {
      case 'blob':
        await importer.blob(part.digest, bytes);
        break;
      case 'calls':
        await importer.calls(bytes);
        break;
      case 'failures':
        await importer.failures(bytes);
        break;
      case 'actions':
        await importer.actions(bytes);
        break;
      case 'build':
        break;
    }
  }
  await importer.record(record);
  return { digest, record, added: importer.added, different: importer.different };
}

function changed(path: string): ProblemError {
  return new ProblemError(
    {
      id: 'CJE-PACK-CHANGED',
      headline: `the pack changed while it was imported: ${path}`,
      hint: 'import it again when it is complete',
    },
    EXIT.damaged,
  );
}

/** The rows of a part that was inspected before. */
function* checked<T>(rows: Iterable<T | undefined>): Generator<T> {
  for (const row of rows) {
    if (row === undefined) throw new Error('Internal error: a line of a pack was checked and is no entry');
    yield row;
  }
}

class Importer {
  readonly added = { replies: 0, failures: 0, actions: 0, blobs: 0 };
  different = 0;
  readonly #store: LocalStore;
  #blob: { readonly digest: Digest; readonly writer: BlobWriter; size: number } | undefined;

  constructor(store: LocalStore) {
    this.#store = store;
  }

  async blob(digest: Digest, bytes: Buffer): Promise<void> {
    if (this.#blob?.digest !== digest) {
      await this.#finishBlob();
      this.#blob = { digest, writer: this.#store.blobs.writer(), size: 0 };
    }
    this.#blob.writer.write(bytes);
    this.#blob.size += bytes.length;
  }

  async calls(bytes: Buffer): Promise<void> {
    await this.#finishBlob();
    const puts: Promise<void>[] = [];
    for (const { key, value: call } of checked(readCalls(bytes))) {
      const here = this.#store.calls.get(key);
      if (here === undefined) {
        this.added.replies++;
        puts.push(this.#store.calls.put(key, call));
      } else if (here.raw !== call.raw) {
        this.different++;
      }
    }
    await Promise.all(puts);
  }

  async failures(bytes: Buffer): Promise<void> {
    await this.#finishBlob();
    for (const { key, value: failure } of checked(readFailures(bytes))) {
      if (this.#store.calls.get(key) !== undefined || this.#store.calls.failure(key) !== undefined) continue;
      this.added.failures++;
      await this.#store.calls.putFailure(key, failure);
    }
  }

  async actions(bytes: Buffer): Promise<void> {
    await this.#finishBlob();
    for (const action of checked(readActions(bytes))) {
      const here = this.#store.actions.get(action.key);
      if (here === undefined) {
        this.added.actions++;
        await this.#store.actions.put(action);
      } else if (Object.entries(action.outputs).some(([file, { digest }]) => here.outputs[file]?.digest !== digest)) {
        this.different++;
      }
    }
  }

  async record(record: BuildRecord): Promise<void> {
    await this.#finishBlob();
    if (this.#store.builds.get(record.id) === undefined) await this.#store.builds.put(record);
  }

  async #finishBlob(): Promise<void> {
    const blob = this.#blob;
    this.#blob = undefined;
    if (blob === undefined) return;
    if (this.#store.blobs.locate(blob) === undefined) this.added.blobs++;
    const { digest } = await blob.writer.finish();
    if (digest !== blob.digest) throw new Error(`Internal error: blob ${blob.digest} was checked and is another`);
  }
}
