/** Reads a pack from end to end and finds what is wrong with it, before anything of it is used. */

import { createHash, type Hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type Digest, type DigestStream, digestStream } from '../../core/digest.ts';
import { isJsonObject } from '../../core/json.ts';
import { type Action, type BuildRecord, blobsOf } from '../../core/storage.ts';
import { isBuildRecord } from '../tables/entry-shapes.ts';
import { type PackEntry, type PackFault, packEntries } from './archive.ts';
import {
  BUILD,
  isManifest,
  LARGEST_PART,
  type Manifest,
  manifestText,
  PACK_VERSION,
  type PackedFile,
  type PartName,
  type RowsType,
  readPartName,
} from './format.ts';
import { parseJson, readActions, readCalls, readFailures, readSuperseded } from './rows.ts';

export interface Inspection {
  /** Of the whole file: `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly bytes: number;
  /** Undefined where the file is no pack, or its end is missing. */
  readonly manifest: Manifest | undefined;
  /** Undefined for a segment, too. */
  readonly record: BuildRecord | undefined;
  readonly faults: readonly PackFault[];
  /** True for a file that does not begin like a pack. */
  readonly foreign: boolean;
  /** Set for a pack of a version that is not known here. */
  readonly newer: number | undefined;
}

/** How far the reading is; `foreign` and `newer` end it, because nothing more can be learned. */
type State =
  | { readonly type: 'first file' | 'in the pack' | 'foreign' }
  | { readonly type: 'newer'; readonly version: number };

/** A blob whose parts are being read. */
interface OpenBlob {
  readonly digest: Digest;
  readonly stream: DigestStream;
  size: number;
  /** The number of its next part. */
  next: number;
}

/** What was read so far. */
interface Reading {
  state: State;
  readonly hash: Hash;
  bytes: number;
  /** All but the manifest, by name. */
  readonly files: Map<string, PackedFile>;
  readonly faults: PackFault[];
  manifest: { readonly content: Manifest; readonly text: string } | undefined;
  record: BuildRecord | undefined;
  blob: OpenBlob | undefined;
  /** Sizes of the blobs whose bytes have their digest. */
  readonly blobs: Map<Digest, number>;
  readonly actions: Action[];
  /** Lines of the other entries. */
  readonly rows: Record<Exclude<RowsType, 'actions'>, number>;
}

/** Every file is compared with the manifest, and every entry with its own digest. */
export function inspectPack(path: string): Inspection {
  const reading = begin();
  const entries = packEntries(path, (bytes) => {
    reading.hash.update(bytes);
    reading.bytes += bytes.length;
  });
  for (;;) {
    const step = entries.next();
    if (step.done) return finish(reading, step.value);
    readEntry(reading, step.value);
    if (reading.state.type !== 'in the pack') return finish(reading, undefined);
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function begin(): Reading {
  return {
    state: { type: 'first file' },
    hash: createHash('sha256'),
    bytes: 0,
    files: new Map(),
    faults: [],
    manifest: undefined,
    record: undefined,
    blob: undefined,
    blobs: new Map(),
    actions: [],
    rows: { calls: 0, failures: 0, superseded: 0 },
  };
}

function finish(reading: Reading, end: PackFault | undefined): Inspection {
  endBlob(reading);
  if (reading.state.type === 'first file') reading.state = { type: 'foreign' };
  if (end !== undefined) reading.faults.push(end);
  // Of a pack that was cut short nothing more can be said.
  if (reading.state.type === 'in the pack' && (end === undefined || reading.manifest !== undefined)) compare(reading);
  return {
    digest: `sha256:${reading.hash.digest('hex')}`,
    bytes: reading.bytes,
    manifest: reading.manifest?.content,
    record: reading.record,
    faults: reading.faults,
    foreign: reading.state.type === 'foreign',
    newer: reading.state.type === 'newer' ? reading.state.version : undefined,
  };
}

/** The first fault of each file. */
function addFault(reading: Reading, name: string, reason: string): void {
  if (!reading.faults.some((fault) => fault.name === name)) reading.faults.push({ name, reason });
}

function readEntry(reading: Reading, { name, content }: PackEntry): void {
  const part = readPartName(name);
  if (reading.state.type === 'first file') {
    reading.state = stateAfterHead(part, content);
    if (reading.state.type !== 'in the pack') return;
  }
  if (reading.files.has(name)) addFault(reading, name, 'it is there twice');
  if (part === undefined) {
    addFault(reading, name, 'no pack has such a file');
  } else if (part.type === 'manifest') {
    readManifest(reading, content);
  } else {
    reading.files.set(name, { name, size: content.length, sha256: sha256(content) });
    if (part.type !== 'head') readPart(reading, name, part, content);
  }
}

function stateAfterHead(part: PartName | undefined, content: Buffer): State {
  const head = parseJson(content);
  if (part?.type !== 'head' || !isJsonObject(head) || head.type !== 'cje-pack') return { type: 'foreign' };
  if (typeof head.version === 'number' && head.version > PACK_VERSION) return { type: 'newer', version: head.version };
  return { type: 'in the pack' };
}

function readManifest(reading: Reading, content: Buffer): void {
  const manifest = parseJson(content);
  if (isManifest(manifest)) reading.manifest = { content: manifest, text: content.toString('utf8') };
  else addFault(reading, 'manifest.json', 'it is not a manifest');
}

type ContentPart = Exclude<PartName, { readonly type: 'head' } | { readonly type: 'manifest' }>;

function readPart(reading: Reading, name: string, part: ContentPart, content: Buffer): void {
  let bytes: Buffer;
  try {
    bytes = gunzipSync(content, { maxOutputLength: LARGEST_PART });
  } catch {
    endBlob(reading);
    addFault(reading, name, 'it does not unpack');
    return;
  }
  if (part.type === 'blob') {
    readBlobPart(reading, name, part, bytes);
    return;
  }
  endBlob(reading);
  if (part.type === 'build') {
    const record = parseJson(bytes);
    reading.record = isBuildRecord(record) ? record : undefined;
    if (reading.record === undefined) addFault(reading, name, 'it is not the record of a build');
    return;
  }
  if (!readRows(reading, part.type, bytes)) addFault(reading, name, 'a line of it is not what it should be');
}

/** False where a line is not an entry of that type. */
function readRows(reading: Reading, type: RowsType, bytes: Buffer): boolean {
  let sound = true;
  if (type === 'actions') {
    for (const action of readActions(bytes)) {
      if (action === undefined) sound = false;
      else reading.actions.push(action);
    }
    return sound;
  }
  for (const entry of KEYED_ROWS[type](bytes)) {
    if (entry === undefined) sound = false;
    else reading.rows[type]++;
  }
  return sound;
}

const KEYED_ROWS = { calls: readCalls, failures: readFailures, superseded: readSuperseded } as const;

function readBlobPart(
  reading: Reading,
  name: string,
  part: { readonly digest: Digest; readonly number: number },
  bytes: Buffer,
): void {
  if (reading.blob?.digest !== part.digest) {
    endBlob(reading);
    reading.blob = { digest: part.digest, stream: digestStream(), size: 0, next: 0 };
  }
  const { blob } = reading;
  if (part.number !== blob.next++) addFault(reading, name, 'a part of the blob before it is missing');
  blob.stream.update(bytes);
  blob.size += bytes.length;
}

/** Compares the digest of the blob whose parts were read last, if there is one. */
function endBlob(reading: Reading): void {
  const { blob } = reading;
  reading.blob = undefined;
  if (blob === undefined) return;
  const { digest, stream, size } = blob;
  if (stream.finish() === digest) reading.blobs.set(digest, size);
  else addFault(reading, `blobs/${digest}`, 'its bytes do not have the digest that is its name');
}

/** Compares what was read with the manifest, and records with the blobs that they depend on. */
function compare(reading: Reading): void {
  const { manifest, record, files, faults } = reading;
  if (manifest === undefined) {
    addFault(reading, 'manifest.json', 'it is missing');
    return;
  }
  compareFiles(reading, manifest.content);
  if (faults.length > 0) return;
  const { version, build } = manifest.content;
  if (record === undefined && build !== undefined) {
    addFault(reading, BUILD, 'it is missing');
    return;
  }
  const { rows, actions, blobs } = reading;
  const { calls: replies, failures, superseded } = rows;
  const counts = { replies, failures, superseded, actions: actions.length, blobs: blobs.size };
  if (manifestText({ version, record, counts, files: [...files.values()] }) !== manifest.text)
    addFault(reading, 'manifest.json', 'it does not say what is there');
  // What a record of a segment depends on may be in another one.
  if (record === undefined) return;
  for (const action of actions) {
    for (const { digest, size } of blobsOf(action)) {
      if (blobs.get(digest) !== size)
        addFault(reading, `blobs/${digest}`, `it is missing, and ${action.key} depends on it`);
    }
  }
}

function compareFiles(reading: Reading, manifest: Manifest): void {
  const listed = new Map(manifest.files.map(({ name, sha256: digest }) => [name, digest]));
  for (const [name, { sha256: digest }] of reading.files) {
    if (!listed.has(name)) addFault(reading, name, 'the manifest does not name it');
    else if (listed.get(name) !== digest) addFault(reading, name, 'it is not what the manifest says');
  }
  for (const name of listed.keys()) if (!reading.files.has(name)) addFault(reading, name, 'it is missing');
}
