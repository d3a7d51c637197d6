/** Writes everything that one build depends on into one file. */

import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Digest } from '../../core/digest.ts';
import { EXIT, ProblemError } from '../../core/problem.ts';
import { type BuildRecord, DamageError } from '../../core/storage.ts';
import type { LocalStore } from '../store.ts';
import { Reach } from '../upkeep/reach.ts';
import { BUILD, HEAD, MANIFEST, manifestText, numbered, PACK_VERSION, PART, type PackCounts } from './format.ts';
import { padding, tarHeader } from './tar.ts';

const compress = promisify(gzip);

interface Exported extends PackCounts {
  /** Of the whole file: `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly bytes: number;
}

/** @throws ProblemError where the build is no longer whole in the cache, or the file cannot be written. */
export async function exportPack(store: LocalStore, record: BuildRecord, target: string): Promise<Exported> {
  const reach = wholeReach(store, record);
  const partial = `${target}.partial`;
  let file: PackFile | undefined;
  try {
    file = new PackFile(partial);
    const exported = await write(file, store, record, reach);
    file.close();
    renameSync(partial, target);
    return exported;
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

/** @throws ProblemError naming what is missing. */
function wholeReach(store: LocalStore, record: BuildRecord): Reach {
  const reach = new Reach(store);
  const lacking: string[] = [];
  for (const [node, { key, outputs }] of Object.entries(record.nodes)) {
    if (key === null) continue;
    const action = store.actions.get(key);
    if (action === undefined || madeOthers(action.outputs, outputs)) lacking.push(`${node} (no longer as it was)`);
    else reach.action(action);
    if (reach.unlisted.has(key)) lacking.push(`${node} (its list of replies)`);
  }
  for (const ref of reach.blobs.values()) if (store.blobs.locate(ref) === undefined) lacking.push(`blob ${ref.digest}`);
  let replies = 0;
  for (const key of reach.calls) {
    if (store.calls.get(key) === undefined && store.calls.failure(key) === undefined) replies++;
  }
  if (replies > 0) lacking.push(`${replies} of ${reach.calls.size} replies`);
  if (lacking.length === 0) return reach;
  throw new ProblemError(
    {
      id: 'CJE-BUILD-NOT-WHOLE',
      headline: `build ${record.id} is not whole in the cache, so it cannot be packed`,
      facts: [['missing', lacking.length > 5 ? `${lacking.slice(0, 5).join('\n')}\n…` : lacking.join('\n')]],
      hint: '`cje cache verify` says whether something is damaged; build again, then export that build',
    },
    EXIT.failed,
  );
}

/** True where the record was replaced since: its outputs are no longer those of the build. */
function madeOthers(now: BuildRecord['nodes'][string]['outputs'], then: typeof now): boolean {
  return Object.entries(then).some(([file, { digest }]) => now[file]?.digest !== digest);
}

async function write(file: PackFile, store: LocalStore, record: BuildRecord, reach: Reach): Promise<Exported> {
  await file.add(HEAD, Buffer.from(`${JSON.stringify({ type: 'cje-pack', version: PACK_VERSION })}\n`));
  for (const digest of [...reach.blobs.keys()].sort()) {
    await file.addBlob(digest, store.blobs.chunks(reach.blobs.get(digest)!));
  }
  const keys = [...reach.calls].sort();
  const counts = {
    replies: await file.addLines('calls', callLines(store, keys)),
    failures: await file.addLines('failures', failureLines(store, keys)),
    actions: await file.addLines('actions', actionLines(reach)),
    blobs: reach.blobs.size,
  };
  await file.add(BUILD, await compress(Buffer.from(JSON.stringify(record))));
  await file.add(MANIFEST, Buffer.from(manifestText(record, counts, file.files)));
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

function* actionLines(reach: Reach): Generator<string> {
  for (const key of [...reach.actions.keys()].sort()) yield JSON.stringify(reach.actions.get(key));
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
  async addLines(folder: 'calls' | 'failures' | 'actions', lines: Iterable<string>): Promise<number> {
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
