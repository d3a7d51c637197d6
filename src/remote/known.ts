/**
 * What a cache folder knows of a shared cache: copies of the signed indexes that it has seen, and which of their segments
 * it has merged. It is a memory: without it everything is listed and fetched once more.
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../store/pack/rows.ts';
import { indexName, readIndex, type SegmentIndex } from './segment-index.ts';

interface Memory {
  /** Segments whose entries are in the store, or were. */
  readonly merged: readonly string[];
  /** Tells this cache folder from others of the same key. */
  readonly holder: string;
  /** The segments that it said it needs, and when. */
  readonly held?: { readonly segments: readonly string[]; readonly at: number };
}

export class KnownSegments {
  readonly folder: string;
  #indexes: Map<string, SegmentIndex> | undefined;
  #memory: Memory | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The indexes that were seen so far, by name. A copy that is damaged counts as unseen. */
  indexes(): ReadonlyMap<string, SegmentIndex> {
    return this.#loaded();
  }

  #loaded(): Map<string, SegmentIndex> {
    if (this.#indexes !== undefined) return this.#indexes;
    const indexes = new Map<string, SegmentIndex>();
    for (const file of filesIn(join(this.folder, 'index'))) {
      const name = `index/${file}`;
      // Whom to trust was asked when it came, and is asked again before its segment is used.
      const read = readIndex(name, readFileSync(join(this.folder, 'index', file)), () => true);
      if (read.ok) indexes.set(name, read.index);
    }
    this.#indexes = indexes;
    return indexes;
  }

  /** Keeps a copy of an index that is believed. */
  remember(index: SegmentIndex, bytes: Buffer): void {
    const name = indexName(index.segment, index.writer);
    writeAside(join(this.folder, 'index'), name.slice('index/'.length), bytes);
    this.#loaded().set(name, index);
  }

  isMerged(segment: string): boolean {
    return this.#remembered().merged.includes(segment);
  }

  markMerged(segments: readonly string[]): void {
    if (segments.length === 0) return;
    const memory = this.#remembered();
    this.#write({ ...memory, merged: [...new Set([...memory.merged, ...segments])].sort() });
  }

  /** A name of this cache folder, made when it is first asked for. */
  holder(random: () => number): string {
    const memory = this.#remembered();
    if (memory.holder !== '') return memory.holder;
    const holder = Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
    this.#write({ ...memory, holder });
    return holder;
  }

  /** What was last said to be needed. */
  get held(): Memory['held'] {
    return this.#remembered().held;
  }

  markHeld(segments: readonly string[], at: number): void {
    this.#write({ ...this.#remembered(), held: { segments, at } });
  }

  /** A path for a file on its way, to be removed by the caller. */
  partial(name: string): string {
    mkdirSync(this.folder, { recursive: true });
    return join(this.folder, `${name}.${process.pid}.partial`);
  }

  /** Removes segments that a killed process was fetching. Only for the holder of the build lock. */
  removePartials(): void {
    for (const file of filesIn(this.folder)) {
      if (/^[0-9a-f]{64}\.\d+\.partial$/.test(file)) rmSync(join(this.folder, file), { force: true });
    }
  }

  #remembered(): Memory {
    if (this.#memory !== undefined) return this.#memory;
    let written: Partial<Memory> | undefined;
    try {
      written = parseJson(readFileSync(join(this.folder, 'memory.json'))) as Partial<Memory> | undefined;
    } catch {
      // Nothing was remembered yet.
    }
    this.#memory = { merged: [], holder: '', ...written };
    return this.#memory;
  }

  #write(memory: Memory): void {
    this.#memory = memory;
    writeAside(this.folder, 'memory.json', Buffer.from(JSON.stringify(memory)));
  }
}

function writeAside(folder: string, name: string, bytes: Buffer): void {
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `.${name}.${process.pid}`);
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, join(folder, name));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
