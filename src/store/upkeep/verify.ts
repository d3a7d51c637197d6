/**
 * Looks at everything that is stored: entries against their digests and keys, records against their blobs, blobs against
 * their names. What is damaged is copied to the quarantine and taken out, so that the next build buys it or makes it again.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Digest, digestText } from '../../core/digest.ts';
import { type Action, blobsOf, DamageError, type OutputRef } from '../../core/storage.ts';
import { quarantineBytes, quarantineFile } from '../blobs/quarantine.ts';
import { errorCode } from '../disk/disk.ts';
import type { TextTable } from '../lmdb/environment.ts';
import type { LocalStore } from '../store.ts';
import { callKeys } from '../tables/call-keys.ts';
import { unseal } from '../tables/checksummed.ts';

export type DamagedKind =
  | 'data file'
  | 'reply'
  | 'failure'
  | 'action'
  | 'build record'
  | 'blob'
  | 'download'
  | 'memory';

/** One thing that was not as it was written, or that lacks what it stands on. */
export interface Damage {
  readonly kind: DamagedKind;
  /** Its key, digest or id. */
  readonly name: string;
  readonly reason: string;
  /** The node that it belongs to, where that is known. */
  readonly node?: string;
}

export interface Verification {
  readonly checked: Readonly<Record<'replies' | 'failures' | 'actions' | 'builds' | 'blobs' | 'downloads', number>>;
  /** Bytes that were read and hashed. */
  readonly bytes: number;
  readonly damaged: readonly Damage[];
}

/** The same for an interrupted verification: what was looked at so far holds. */
export interface VerifyOptions {
  /** Called now and then, with the bytes read so far. */
  readonly progress?: (bytes: number) => void;
}

/** Only for the one who holds the build lock, and once the data file's tree is known to be whole. */
export async function verifyStore(store: LocalStore, options: VerifyOptions = {}): Promise<Verification> {
  return new Verifier(store, options).run();
}

const isText = (key: unknown): key is string => typeof key === 'string';
/** A name for a file, of whatever a damaged key looks like. */
const fileName = (text: string) => text.replace(/[^0-9A-Za-z_-]/g, '_').slice(0, 80);

class Verifier {
  readonly #store: LocalStore;
  readonly #options: VerifyOptions;
  readonly #damaged: Damage[] = [];
  readonly #checked = { replies: 0, failures: 0, actions: 0, builds: 0, blobs: 0, downloads: 0 };
  #bytes = 0;

  constructor(store: LocalStore, options: VerifyOptions) {
    this.#store = store;
    this.#options = options;
  }

  async run(): Promise<Verification> {
    // Records are taken out before what they stand on: a process that dies in between leaves a record too few, never one
    // too many.
    const calls = this.#findCalls();
    const failures = this.#findFailures();
    const blobs = this.#findBlobs();
    await this.#repairActions(new Set([...calls, ...failures]), blobs);
    await this.#remove('calls', calls);
    await this.#remove('failures', failures);
    for (const ref of blobs) this.#store.blobs.setAside(ref);
    await this.#repairBuilds();
    await this.#repairMemories();
    this.#repairDownloads();
    return { checked: this.#checked, bytes: this.#bytes, damaged: this.#damaged };
  }

  #findCalls(): Digest[] {
    const damaged: Digest[] = [];
    for (const { key, value } of this.#store.calls.scan()) {
      this.#checked.replies++;
      if (value === undefined) {
        damaged.push(key);
        this.#damaged.push({ kind: 'reply', name: String(key), reason: 'it is not what was stored under its key' });
      } else {
        this.#read(value.request.length + value.raw.length);
      }
    }
    return damaged;
  }

  #findFailures(): Digest[] {
    const damaged: Digest[] = [];
    for (const { key, value } of this.#store.calls.scanFailures()) {
      this.#checked.failures++;
      if (value !== undefined && digestText(value.request) === key) continue;
      damaged.push(key);
      this.#damaged.push({ kind: 'failure', name: String(key), reason: 'it is not what was stored under its key' });
    }
    return damaged;
  }

  /** Blobs whose bytes do not have the digest that is their name. */
  #findBlobs(): OutputRef[] {
    const damaged: OutputRef[] = [];
    for (const ref of this.#store.blobs.scan()) {
      this.#checked.blobs++;
      try {
        for (const chunk of this.#store.blobs.chunks(ref)) this.#read(chunk.length);
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        damaged.push(ref);
        this.#damaged.push({
          kind: 'blob',
          name: ref.digest,
          reason: 'its bytes do not have the digest that is its name',
        });
      }
    }
    return damaged;
  }

  /** Takes out records that are damaged, and those that stand on something that is damaged or gone. */
  async #repairActions(damagedCalls: ReadonlySet<Digest>, damagedBlobs: readonly OutputRef[]): Promise<void> {
    const nodes = this.#nodesByKey();
    const broken = new Set(damagedBlobs.map(({ digest }) => digest));
    const out: string[] = [];
    for (const { key, value } of this.#store.actions.scan()) {
      this.#checked.actions++;
      const reason = value === undefined ? 'it is not as it was written' : this.#lacks(value, broken, damagedCalls);
      if (reason === undefined) continue;
      const node = nodes.get(key);
      this.#damaged.push({ kind: 'action', name: String(key), reason, ...(node === undefined ? {} : { node }) });
      out.push(key);
    }
    await this.#remove('actions', out);
  }

  #lacks(action: Action, brokenBlobs: ReadonlySet<Digest>, damagedCalls: ReadonlySet<Digest>): string | undefined {
    for (const ref of blobsOf(action)) {
      if (brokenBlobs.has(ref.digest)) return `it stands on the damaged blob ${ref.digest}`;
      if (this.#store.blobs.locate(ref) === undefined) return `its blob ${ref.digest} is missing`;
    }
    if (action.calls === undefined || damagedCalls.size === 0) return undefined;
    for (const key of callKeys(this.#store.blobs, action.calls)) {
      if (damagedCalls.has(key)) return `it stands on the damaged reply ${key}`;
    }
    return undefined;
  }

  async #repairBuilds(): Promise<void> {
    const out: string[] = [];
    for (const { key, value } of this.#store.builds.scan()) {
      this.#checked.builds++;
      if (value !== undefined) continue;
      this.#damaged.push({ kind: 'build record', name: String(key), reason: 'it is not as it was written' });
      out.push(key);
    }
    await this.#remove('builds', out);
  }

  /** Digests of source files are only remembered: losing one costs another look at the file. */
  async #repairMemories(): Promise<void> {
    const out: string[] = [];
    for (const { key, value } of this.#store.environment.entries('files')) {
      if (unseal(value) !== undefined) continue;
      this.#damaged.push({
        kind: 'memory',
        name: String(key),
        reason: 'the remembered digest of a file is not as it was written',
      });
      out.push(key);
    }
    await this.#remove('files', out);
  }

  /** Fetched sources lie under their sha256. */
  #repairDownloads(): void {
    const { disk } = this.#store.environment;
    const folder = join(this.#store.folder, 'downloads');
    let names: string[] = [];
    try {
      names = disk.readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
    for (const name of names) {
      this.#checked.downloads++;
      const path = join(folder, name);
      const hash = createHash('sha256');
      const descriptor = disk.openSync(path, 'r');
      try {
        const buffer = Buffer.allocUnsafe(1 << 20);
        for (;;) {
          const length = disk.readSync(descriptor, buffer, 0, buffer.length, null);
          if (length === 0) break;
          hash.update(buffer.subarray(0, length));
          this.#read(length);
        }
      } finally {
        disk.closeSync(descriptor);
      }
      if (hash.digest('hex') === name) continue;
      this.#damaged.push({ kind: 'download', name, reason: 'its bytes do not have the sha256 that is its name' });
      quarantineFile(disk, this.#store.folder, path, `download-${name}`);
    }
  }

  /** Keeps a copy of each entry, then takes it out of its table. */
  async #remove(table: TextTable | 'calls', keys: readonly string[]): Promise<void> {
    const { environment, folder } = this.#store;
    for (const key of keys) {
      const bytes = isText(key) ? environment.bytes(table, key) : undefined;
      if (bytes !== undefined) quarantineBytes(environment.disk, folder, bytes, fileName(`${table}-${key}`));
    }
    if (keys.length > 0) await environment.remove(table, keys);
  }

  #nodesByKey(): Map<Digest, string> {
    const nodes = new Map<Digest, string>();
    for (const { value } of this.#store.builds.scan()) {
      for (const [name, { key }] of Object.entries(value?.nodes ?? {})) if (key !== null) nodes.set(key, name);
    }
    return nodes;
  }

  #read(bytes: number): void {
    const before = this.#bytes;
    this.#bytes += bytes;
    if (before >> 24 !== this.#bytes >> 24) this.#options.progress?.(this.#bytes);
  }
}
