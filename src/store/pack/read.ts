/** Reads a pack file by file, and finds what is wrong with it before anything of it is used. */

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Digest, type DigestStream, digestStream, digestText, isDigest } from '../../core/digest.ts';
import { isJsonObject } from '../../core/json.ts';
import { type Action, type BuildRecord, blobsOf, type StoredCall, type StoredFailure } from '../../core/storage.ts';
import {
  LARGEST_PART,
  type Manifest,
  manifestText,
  PACK_VERSION,
  type PackedFile,
  type PartName,
  readPartName,
} from './format.ts';
import { BLOCK, padding, readTarHeader } from './tar.ts';

/** One thing that is wrong with a pack. */
export interface PackFault {
  /** The file in the pack. */
  readonly name: string;
  readonly reason: string;
}

export interface Inspection {
  /** Of the whole file: `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly bytes: number;
  /** Undefined where the file is no pack, or its end is missing. */
  readonly manifest: Manifest | undefined;
  readonly record: BuildRecord | undefined;
  readonly faults: readonly PackFault[];
  /** True for a file that does not begin like a pack. */
  readonly foreign: boolean;
  /** Set for a pack of a version that is not known here. */
  readonly newer: number | undefined;
}

export interface PackEntry {
  readonly name: string;
  readonly content: Buffer;
}

/** The files of an archive in order; a fault ends it. Memory: one file at a time. */
export function* packEntries(path: string, seen: (bytes: Buffer) => void): Generator<PackEntry, PackFault | undefined> {
  const descriptor = openSync(path, 'r');
  let position = 0;
  const take = (length: number): Buffer => {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const got = readSync(descriptor, bytes, filled, length - filled, position + filled);
      if (got === 0) break;
      filled += got;
    }
    position += filled;
    const taken = bytes.subarray(0, filled);
    seen(taken);
    return taken;
  };
  try {
    let last = 'the beginning';
    for (;;) {
      const block = take(BLOCK);
      if (block.length < BLOCK) return { name: `after ${last}`, reason: 'the pack was cut short' };
      const header = readTarHeader(block);
      if (header.type === 'end') {
        // The rest belongs to the file's digest, and must be nothing else.
        let zeros = 0;
        for (let rest = take(1 << 16); rest.length > 0; rest = take(1 << 16)) {
          if (!rest.every((byte) => byte === 0))
            return { name: `after ${last}`, reason: 'there is more than a pack has' };
          zeros += rest.length;
        }
        return zeros >= BLOCK ? undefined : { name: `after ${last}`, reason: 'the pack was cut short' };
      }
      if (header.type === 'damaged' || header.size > LARGEST_PART) {
        return { name: `after ${last}`, reason: 'the header of the next file is damaged' };
      }
      const content = take(header.size);
      const fill = take(padding(header.size));
      if (content.length < header.size || fill.length < padding(header.size)) {
        return { name: header.name, reason: 'the pack was cut short in it' };
      }
      if (!fill.every((byte) => byte === 0)) {
        return { name: `after ${header.name}`, reason: 'there is something between it and the next file' };
      }
      last = header.name;
      yield { name: header.name, content };
    }
  } finally {
    closeSync(descriptor);
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Reads a pack from end to end: every file against the manifest, and every entry against its own digest. */
export function inspectPack(path: string): Inspection {
  const inspector = new Inspector();
  const entries = packEntries(path, (bytes) => inspector.bytes(bytes));
  for (;;) {
    const step = entries.next();
    if (step.done) return inspector.finish(step.value);
    inspector.entry(step.value);
    if (inspector.hopeless) return inspector.finish(undefined);
  }
}

class Inspector {
  readonly #hash = createHash('sha256');
  /** All but the manifest, by name. */
  readonly #files = new Map<string, PackedFile>();
  readonly #faults: PackFault[] = [];
  readonly #blobs = new Map<Digest, number>();
  readonly #actions: Action[] = [];
  #replies = 0;
  #failures = 0;
  #size = 0;
  #first = true;
  #foreign = false;
  #newer: number | undefined;
  #manifest: Manifest | undefined;
  #manifestText = '';
  #record: BuildRecord | undefined;
  #blob: { readonly digest: string; readonly stream: DigestStream; size: number; next: number } | undefined;

  /** Set when reading on can tell nothing more. */
  get hopeless(): boolean {
    return this.#foreign || this.#newer !== undefined;
  }

  bytes(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  entry({ name, content }: PackEntry): void {
    const part = readPartName(name);
    if (this.#first) {
      this.#first = false;
      this.#head(part, content);
      if (this.hopeless) return;
    }
    if (this.#files.has(name)) this.#fault(name, 'it is there twice');
    if (part === undefined) this.#fault(name, 'no pack has such a file');
    else if (part.type === 'manifest') this.#readManifest(content);
    else this.#files.set(name, { name, size: content.length, sha256: sha256(content) });
    if (part !== undefined) this.#read(name, part, content);
  }

  finish(end: PackFault | undefined): Inspection {
    this.#endBlob();
    if (this.#first) this.#foreign = true;
    if (end !== undefined) this.#faults.push(end);
    // Of a pack that breaks off nothing more can be said.
    if (!this.hopeless && (end === undefined || this.#manifest !== undefined)) this.#compare();
    return {
      digest: `sha256:${this.#hash.digest('hex')}`,
      bytes: this.#size,
      manifest: this.#manifest,
      record: this.#record,
      faults: this.#faults,
      foreign: this.#foreign,
      newer: this.#newer,
    };
  }

  #fault(name: string, reason: string): void {
    if (!this.#faults.some((fault) => fault.name === name)) this.#faults.push({ name, reason });
  }

  #head(part: PartName | undefined, content: Buffer): void {
    const head = parse(content);
    if (part?.type !== 'head' || !isJsonObject(head) || head.type !== 'cje-pack') {
      this.#foreign = true;
    } else if (typeof head.version === 'number' && head.version > PACK_VERSION) {
      this.#newer = head.version;
    }
  }

  #readManifest(content: Buffer): void {
    const manifest = parse(content);
    const sound =
      isJsonObject(manifest) &&
      manifest.type === 'cje-pack' &&
      Array.isArray(manifest.files) &&
      manifest.files.every((file) => isJsonObject(file) && typeof file.name === 'string');
    if (!sound) {
      this.#fault('manifest.json', 'it is not a manifest');
      return;
    }
    this.#manifest = manifest as unknown as Manifest;
    this.#manifestText = content.toString('utf8');
  }

  #read(name: string, part: PartName, content: Buffer): void {
    if (part.type === 'head' || part.type === 'manifest') return;
    let bytes: Buffer;
    try {
      bytes = gunzipSync(content, { maxOutputLength: LARGEST_PART });
    } catch {
      this.#endBlob();
      this.#fault(name, 'it does not unpack');
      return;
    }
    if (part.type === 'blob') {
      this.#readBlob(name, part, bytes);
      return;
    }
    this.#endBlob();
    if (part.type === 'build') {
      this.#record = readRecord(bytes);
      if (this.#record === undefined) this.#fault(name, 'it is not the record of a build');
      return;
    }
    for (const row of rowsOf(bytes)) {
      const key = readRow(part.type, row);
      if (key === undefined) this.#fault(name, 'a line of it is not what it should be');
      else if (part.type === 'actions') this.#actions.push(row as unknown as Action);
      else if (part.type === 'calls') this.#replies++;
      else this.#failures++;
    }
  }

  #readBlob(name: string, part: Extract<PartName, { type: 'blob' }>, bytes: Buffer): void {
    if (this.#blob?.digest !== part.digest) {
      this.#endBlob();
      this.#blob = { digest: part.digest, stream: digestStream(), size: 0, next: 0 };
    }
    if (part.number !== this.#blob.next++) this.#fault(name, 'a part of the blob before it is missing');
    this.#blob.stream.update(bytes);
    this.#blob.size += bytes.length;
  }

  #endBlob(): void {
    const blob = this.#blob;
    this.#blob = undefined;
    if (blob === undefined) return;
    const digest = blob.digest as Digest;
    if (blob.stream.finish() === digest) this.#blobs.set(digest, blob.size);
    else this.#fault(`blobs/${digest}`, 'its bytes do not have the digest that is its name');
  }

  /** What was read against the manifest, and records against what they stand on. */
  #compare(): void {
    const manifest = this.#manifest;
    if (manifest === undefined) {
      this.#fault('manifest.json', 'it is missing');
      return;
    }
    const listed = new Map(manifest.files.map(({ name, sha256: digest }) => [name, digest]));
    for (const [name, { sha256: digest }] of this.#files) {
      if (!listed.has(name)) this.#fault(name, 'the manifest does not name it');
      else if (listed.get(name) !== digest) this.#fault(name, 'it is not what the manifest says');
    }
    for (const name of listed.keys()) if (!this.#files.has(name)) this.#fault(name, 'it is missing');
    if (this.#faults.length > 0) return;
    if (this.#record === undefined) {
      this.#fault('build.json.gz', 'it is missing');
      return;
    }
    const counts = {
      replies: this.#replies,
      failures: this.#failures,
      actions: this.#actions.length,
      blobs: this.#blobs.size,
    };
    if (manifestText(this.#record, counts, [...this.#files.values()]) !== this.#manifestText)
      this.#fault('manifest.json', 'it does not say what is there');
    for (const action of this.#actions) {
      for (const { digest, size } of blobsOf(action)) {
        if (this.#blobs.get(digest) !== size)
          this.#fault(`blobs/${digest}`, `it is missing, and ${action.key} stands on it`);
      }
    }
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The JSON objects of the lines; null for a line that is none. */
export function* rowsOf(bytes: Buffer): Generator<Record<string, unknown> | null> {
  for (const line of bytes.toString('utf8').split('\n')) {
    if (line === '') continue;
    const row = parse(Buffer.from(line));
    yield isJsonObject(row) ? row : null;
  }
}

/** The key of a line that is sound in itself; undefined otherwise. */
function readRow(type: 'calls' | 'failures' | 'actions', row: Record<string, unknown> | null): Digest | undefined {
  const key = row?.key;
  if (row === null || typeof key !== 'string' || !isDigest(key)) return undefined;
  switch (type) {
    case 'calls': {
      const { request, raw, model, identity, node, boughtAt, usage } = row as unknown as Partial<StoredCall>;
      const texts = [request, raw, model, identity, node].every((text) => typeof text === 'string');
      if (!texts || typeof boughtAt !== 'number' || !isJsonObject(usage)) return undefined;
      return digestText(request!) === key ? key : undefined;
    }
    case 'failures': {
      const { request, failure, failedAt } = row as unknown as Partial<StoredFailure>;
      if (typeof request !== 'string' || !isJsonObject(failure) || typeof failedAt !== 'number') return undefined;
      return digestText(request) === key ? key : undefined;
    }
    case 'actions': {
      const { kind, outputs, summary, finishedAt, calls } = row as unknown as Partial<Action>;
      if (typeof kind !== 'string' || !isJsonObject(outputs) || !isJsonObject(summary)) return undefined;
      if (typeof finishedAt !== 'number') return undefined;
      const refs = [...Object.values(outputs), ...(calls === undefined ? [] : [calls])] as unknown[];
      return refs.every(isRef) ? key : undefined;
    }
  }
}

const isRef = (ref: unknown): boolean =>
  isJsonObject(ref) && typeof ref.digest === 'string' && isDigest(ref.digest) && typeof ref.size === 'number';

function readRecord(bytes: Buffer): BuildRecord | undefined {
  const record = parse(bytes);
  if (!isJsonObject(record) || typeof record.id !== 'string' || !/^[\w.-]{1,100}$/.test(record.id)) return undefined;
  return isJsonObject(record.nodes) && isJsonObject(record.totals) && Array.isArray(record.targets)
    ? (record as unknown as BuildRecord)
    : undefined;
}
