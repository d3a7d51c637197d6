/**
 * Checks everything that is stored: entries against their digests and keys, records against their blobs, blobs against
 * their names. What is damaged is copied to the quarantine and removed, so that the next build makes or buys it again.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Digest, digestText } from '../../core/digest.ts';
import { type Action, blobsOf, DamageError, type OutputRef } from '../../core/storage.ts';
import { quarantineBytes, quarantineFile } from '../blobs/quarantine.ts';
import { errorCode } from '../disk/disk.ts';
import type { TableName } from '../lmdb/open.ts';
import type { LocalStore } from '../store.ts';
import { callKeys } from '../tables/call-keys.ts';
import { readChecksummed } from '../tables/checksummed.ts';
import { DOWNLOADS } from './cache-size.ts';

type DamagedKind =
  | 'data file'
  | 'reply'
  | 'failure'
  | 'superseded answer'
  | 'action'
  | 'build record'
  | 'blob'
  | 'download'
  | 'memory';

/** One thing that is not what was written, or that lacks what it depends on. */
export interface Damage {
  readonly kind: DamagedKind;
  /** Its key, digest or id. */
  readonly name: string;
  readonly reason: string;
  /** The node that it belongs to, where that is known. */
  readonly node?: string;
}

export interface Verification {
  readonly checked: Readonly<Record<CheckedKind, number>>;
  /** Bytes that were read and hashed. */
  readonly bytes: number;
  readonly damaged: readonly Damage[];
}

type CheckedKind = 'replies' | 'failures' | 'actions' | 'builds' | 'blobs' | 'downloads';

interface VerifyOptions {
  /** Called now and then, with the bytes read so far. */
  readonly progress?: (bytes: number) => void;
}

/** Only for the holder of the build lock, and once the data file's trees are known to be sound. */
export async function verifyStore(store: LocalStore, options: VerifyOptions = {}): Promise<Verification> {
  const findings = new Findings(options);
  const calls = findCalls(store, findings);
  const failures = findFailures(store, findings);
  const blobs = findBlobs(store, findings);
  // Records are removed before the blobs and replies that they depend on: a process that dies in between leaves no record
  // without them.
  await repairActions(store, findings, { calls: new Set([...calls, ...failures]), blobs });
  await remove(store, 'calls', calls);
  await remove(store, 'failures', failures);
  await store.database.remove('superseded', findSuperseded(store, findings));
  for (const ref of blobs) store.blobs.setAside(ref);
  await repairBuilds(store, findings);
  await repairMemories(store, findings);
  repairDownloads(store, findings);
  return findings.result();
}

/** Bytes between two reports of progress, as a power of two. */
const PROGRESS = 24;

/** What was checked and found so far. */
class Findings {
  readonly checked: Record<CheckedKind, number> = {
    replies: 0,
    failures: 0,
    actions: 0,
    builds: 0,
    blobs: 0,
    downloads: 0,
  };
  readonly #options: VerifyOptions;
  readonly #damaged: Damage[] = [];
  #bytes = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  add(kind: DamagedKind, name: unknown, reason: string, node?: string): void {
    this.#damaged.push({ kind, name: String(name), reason, ...(node === undefined ? {} : { node }) });
  }

  read(bytes: number): void {
    const before = this.#bytes;
    this.#bytes += bytes;
    if (before >> PROGRESS !== this.#bytes >> PROGRESS) this.#options.progress?.(this.#bytes);
  }

  result(): Verification {
    return { checked: this.checked, bytes: this.#bytes, damaged: this.#damaged };
  }
}

/** Replies that are damaged. */
function findCalls(store: LocalStore, findings: Findings): Digest[] {
  const damaged: Digest[] = [];
  for (const { key, value } of store.calls.scan()) {
    findings.checked.replies++;
    if (value === undefined) {
      damaged.push(key);
      findings.add('reply', key, 'it is not what was stored under its key');
    } else {
      findings.read(value.request.length + value.raw.length);
    }
  }
  return damaged;
}

/** Failures that are damaged. */
function findFailures(store: LocalStore, findings: Findings): Digest[] {
  const damaged: Digest[] = [];
  for (const { key, value } of store.calls.scanFailures()) {
    findings.checked.failures++;
    if (value !== undefined && digestText(value.request) === key) continue;
    damaged.push(key);
    findings.add('failure', key, 'it is not what was stored under its key');
  }
  return damaged;
}

/** Keys of superseded answers that are damaged. */
function findSuperseded(store: LocalStore, findings: Findings): string[] {
  const damaged: string[] = [];
  for (const { key, value } of store.calls.scanSuperseded()) {
    if (value !== undefined && key.startsWith(`${digestText(value.request)}/`)) continue;
    damaged.push(key);
    findings.add('superseded answer', key, 'it is not what was stored under its key');
  }
  return damaged;
}

/** Blobs whose bytes do not have the digest that is their name. */
function findBlobs(store: LocalStore, findings: Findings): OutputRef[] {
  const damaged: OutputRef[] = [];
  for (const ref of store.blobs.scan()) {
    findings.checked.blobs++;
    try {
      for (const chunk of store.blobs.chunks(ref)) findings.read(chunk.length);
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      damaged.push(ref);
      findings.add('blob', ref.digest, 'its bytes do not have the digest that is its name');
    }
  }
  return damaged;
}

interface DamagedEntries {
  readonly calls: ReadonlySet<Digest>;
  readonly blobs: readonly OutputRef[];
}

/** Removes records that are damaged, and those that depend on something that is damaged or missing. */
async function repairActions(store: LocalStore, findings: Findings, damaged: DamagedEntries): Promise<void> {
  const nodes = nodesByKey(store);
  const blobs = new Set(damaged.blobs.map(({ digest }) => digest));
  const out: string[] = [];
  for (const { key, value } of store.actions.scan()) {
    findings.checked.actions++;
    const reason = value === undefined ? 'it is not as it was written' : lacks(store, value, blobs, damaged.calls);
    if (reason === undefined) continue;
    findings.add('action', key, reason, nodes.get(key));
    out.push(key);
  }
  await remove(store, 'actions', out);
}

/** Why a record cannot be used any more; undefined: everything that it depends on is there. */
function lacks(
  store: LocalStore,
  action: Action,
  damagedBlobs: ReadonlySet<Digest>,
  damagedCalls: ReadonlySet<Digest>,
): string | undefined {
  for (const ref of blobsOf(action)) {
    if (damagedBlobs.has(ref.digest)) return `it depends on the damaged blob ${ref.digest}`;
    if (store.blobs.locate(ref) === undefined) return `its blob ${ref.digest} is missing`;
  }
  if (action.calls === undefined || damagedCalls.size === 0) return undefined;
  for (const key of callKeys(store.blobs, action.calls)) {
    if (damagedCalls.has(key)) return `it depends on the damaged reply ${key}`;
  }
  return undefined;
}

function nodesByKey(store: LocalStore): Map<Digest, string> {
  const nodes = new Map<Digest, string>();
  for (const { value } of store.builds.scan()) {
    for (const [name, { key }] of Object.entries(value?.nodes ?? {})) if (key !== null) nodes.set(key, name);
  }
  return nodes;
}

async function repairBuilds(store: LocalStore, findings: Findings): Promise<void> {
  const out: string[] = [];
  for (const { key, value } of store.builds.scan()) {
    findings.checked.builds++;
    if (value !== undefined) continue;
    findings.add('build record', key, 'it is not as it was written');
    out.push(key);
  }
  await remove(store, 'builds', out);
}

/** What is remembered beside all that is built: nothing has to be made again for want of it. */
const MEMORIES = [
  ['files', 'the remembered digest of a file is not as it was written'],
  ['removed', 'what replies had cost that were removed is not as it was written'],
] as const;

async function repairMemories(store: LocalStore, findings: Findings): Promise<void> {
  for (const [table, reason] of MEMORIES) {
    const out: string[] = [];
    for (const { key, value } of store.database.scan(table)) {
      if (readChecksummed(value) !== undefined) continue;
      findings.add('memory', key, reason);
      out.push(key);
    }
    await remove(store, table, out);
  }
}

/** The name of a fetched source is its sha256. */
function repairDownloads(store: LocalStore, findings: Findings): void {
  for (const name of downloadsOf(store)) {
    findings.checked.downloads++;
    const path = join(store.folder, DOWNLOADS, name);
    if (sha256Of(store, path, findings) === name) continue;
    findings.add('download', name, 'its bytes do not have the sha256 that is its name');
    quarantineFile(store.disk, store.folder, path, `download-${name}`);
  }
}

function downloadsOf(store: LocalStore): string[] {
  try {
    return store.disk.readdirSync(join(store.folder, DOWNLOADS)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function sha256Of({ disk }: LocalStore, path: string, findings: Findings): string {
  const hash = createHash('sha256');
  const descriptor = disk.openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (;;) {
      const length = disk.readSync(descriptor, buffer, 0, buffer.length, null);
      if (length === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, length));
      findings.read(length);
    }
  } finally {
    disk.closeSync(descriptor);
  }
}

/** Copies each entry to the quarantine, then removes it from its table. */
async function remove(store: LocalStore, table: TableName, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const bytes = isText(key) ? store.database.bytes(table, key) : undefined;
    if (bytes !== undefined) quarantineBytes(store.disk, store.folder, bytes, fileName(`${table}-${key}`));
  }
  if (keys.length > 0) await store.database.remove(table, keys);
}

/** The keys of a damaged page may be of any type. */
const isText = (key: unknown): key is string => typeof key === 'string';

/** A file's name for an entry, whatever its damaged key looks like. */
const fileName = (text: string): string => text.replace(/[^0-9A-Za-z_-]/g, '_').slice(0, 80);
