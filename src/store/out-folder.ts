/** `out/`: copies of outputs for people, re-made when they are missing or changed. Never the originals, never links. */

import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, ProblemError } from '../core/problem.ts';
import { type BlobStore, DamageError, type OutputRef } from '../core/storage.ts';

/** What a copy looked like when it was made; a copy that looks the same is still the same. */
interface Stamp {
  readonly digest: string;
  readonly size: number;
  readonly modified: number;
}

export interface OutNode {
  readonly name: string;
  readonly outputs: Readonly<Record<string, OutputRef>>;
}

/**
 * @param folder the `out` folder.
 * @param manifest the file that remembers the stamps; it is a memory, not a truth: without it all copies are made anew.
 */
export function outFolder(folder: string, manifest: string, blobs: BlobStore) {
  return {
    /** @throws DamageError once all other copies are made, where an output is damaged; it is set aside then. */
    async sync(nodes: readonly OutNode[], graphNodes: ReadonlySet<string>): Promise<void> {
      const before = readManifest(manifest);
      const after: Record<string, Stamp> = {};
      let changed = false;
      let damage: DamageError | undefined;
      for (const { name, outputs } of nodes) {
        for (const [file, ref] of Object.entries(outputs)) {
          const path = `${name}/${file}`;
          const stamp = before[path];
          if (stamp !== undefined && stamp.digest === ref.digest && looksLike(join(folder, path), stamp)) {
            after[path] = stamp;
            continue;
          }
          changed = true;
          try {
            after[path] = copy(folder, path, ref, blobs);
          } catch (error) {
            if (!(error instanceof DamageError)) throw error;
            blobs.setAside(ref);
            damage ??= error;
          }
        }
      }
      const synced = new Set(nodes.map((node) => node.name));
      for (const [path, stamp] of Object.entries(before)) {
        if (path in after) continue;
        const node = path.slice(0, path.lastIndexOf('/'));
        if (graphNodes.has(node) && !synced.has(node)) {
          after[path] = stamp;
          continue;
        }
        remove(folder, path);
        changed = true;
      }
      if (changed) writeManifest(manifest, after);
      if (damage !== undefined) throw damage;
    },
  };
}

/** The stamp of every copy, by path below `out/`; what a quick check compares. */
export function readManifest(manifest: string): Record<string, Stamp> {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, Stamp>;
  } catch {
    return {};
  }
}

function looksLike(path: string, stamp: Stamp): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.size === stamp.size && stat.mtimeMs === stamp.modified;
}

function copy(folder: string, path: string, ref: OutputRef, blobs: BlobStore): Stamp {
  const target = join(folder, path);
  const temporary = `${target}.partial`;
  try {
    mkdirSync(dirname(target), { recursive: true });
    writeChunks(temporary, blobs.chunks(ref));
    renameSync(temporary, target);
    const stat = statSync(target);
    return { digest: ref.digest, size: stat.size, modified: stat.mtimeMs };
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof DamageError) throw error;
    throw new ProblemError(
      {
        headline: `cannot write the copy ${target}`,
        facts: [['reason', error instanceof Error ? error.message : String(error)]],
        hint: 'the results are safe in the cache; make room or give write permission, and build again',
      },
      EXIT.failed,
    );
  }
}

function writeChunks(path: string, chunks: Iterable<Uint8Array>): void {
  const descriptor = openSync(path, 'w');
  try {
    for (const chunk of chunks) {
      let written = 0;
      while (written < chunk.length) written += writeSync(descriptor, chunk, written, chunk.length - written);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Removes a copy and the folders that it leaves empty. */
function remove(folder: string, path: string): void {
  rmSync(join(folder, path), { force: true });
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    try {
      rmdirSync(join(folder, parent));
    } catch {
      return;
    }
  }
}

function writeManifest(manifest: string, stamps: Readonly<Record<string, Stamp>>): void {
  const temporary = `${manifest}.partial`;
  mkdirSync(dirname(manifest), { recursive: true });
  writeFileSync(temporary, JSON.stringify(stamps));
  renameSync(temporary, manifest);
}
