/** `out/`: copies of outputs for people, made again when they are missing or changed. They are no links to the originals. */

import { readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, ProblemError } from '../core/problem.ts';
import { type BlobStore, DamageError, type OutputRef } from '../core/storage.ts';
import { isFull } from '../core/system-problem.ts';
import { type Disk, errorCode, nodeDisk } from './disk/disk.ts';
import { isOutOfRoom } from './disk/room.ts';

/** The stat of a copy when it was made: while it is the same, so is the copy. */
interface CopyStat {
  readonly digest: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/** By path below `out/`. */
type Copies = Record<string, CopyStat>;

/** Where copies are written, and what they are copies of. */
interface OutPlaces {
  readonly folder: string;
  readonly blobs: BlobStore;
  readonly disk: Disk;
}

interface OutNode {
  readonly name: string;
  readonly outputs: Readonly<Record<string, OutputRef>>;
}

/**
 * @param folder the `out` folder.
 * @param manifest the file that remembers the copies; without it all of them are made anew.
 */
export function outFolder(folder: string, manifest: string, blobs: BlobStore, disk: Disk = nodeDisk) {
  const places = { folder, blobs, disk };
  return {
    /** @throws DamageError when an output is damaged, once all other copies are made; the output is set aside then. */
    async sync(nodes: readonly OutNode[], graphNodes: ReadonlySet<string>): Promise<void> {
      const before = readManifest(manifest);
      const { copies, changed, damage } = copyOutputs(places, nodes, before);
      const removed = removeOthers(folder, nodes, graphNodes, before, copies);
      if (changed || removed) writeManifest(disk, manifest, copies);
      if (damage !== undefined) throw damage;
    },
  };
}

interface Copied {
  readonly copies: Copies;
  readonly changed: boolean;
  /** The first that was met. */
  readonly damage: DamageError | undefined;
}

/** Copies every output whose copy is missing or changed. */
function copyOutputs(places: OutPlaces, nodes: readonly OutNode[], before: Copies): Copied {
  const copies: Copies = {};
  let changed = false;
  let damage: DamageError | undefined;
  for (const { name, outputs } of nodes) {
    for (const [file, ref] of Object.entries(outputs)) {
      const path = `${name}/${file}`;
      const known = before[path];
      if (known !== undefined && known.digest === ref.digest && looksLike(places, path, known)) {
        copies[path] = known;
        continue;
      }
      changed = true;
      try {
        copies[path] = copy(places, path, ref);
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        places.blobs.setAside(ref);
        damage ??= error;
      }
    }
  }
  return { copies, changed, damage };
}

/**
 * Removes the copies that no node has any more, and adds those of nodes that were not synced to the given ones.
 *
 * @returns true when one was removed.
 */
function removeOthers(
  folder: string,
  nodes: readonly OutNode[],
  graphNodes: ReadonlySet<string>,
  before: Copies,
  copies: Copies,
): boolean {
  const synced = new Set(nodes.map((node) => node.name));
  let removed = false;
  for (const [path, known] of Object.entries(before)) {
    if (path in copies) continue;
    const node = path.slice(0, path.lastIndexOf('/'));
    if (graphNodes.has(node) && !synced.has(node)) {
      copies[path] = known;
      continue;
    }
    remove(folder, path);
    removed = true;
  }
  return removed;
}

function readManifest(manifest: string): Copies {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')) as Copies;
  } catch {
    return {};
  }
}

function looksLike({ folder, disk }: OutPlaces, path: string, known: CopyStat): boolean {
  try {
    const stat = disk.statSync(join(folder, path));
    return stat.size === known.size && stat.mtimeMs === known.modified;
  } catch {
    // Whether it can be made is told when it is.
    return false;
  }
}

function copy({ folder, blobs, disk }: OutPlaces, path: string, ref: OutputRef): CopyStat {
  const target = join(folder, path);
  const temporary = `${target}.partial`;
  try {
    disk.mkdirSync(dirname(target), { recursive: true });
    // As with all else, the last room on the disk is left.
    if (isOutOfRoom(disk, folder, ref.size)) throw noRoom(folder);
    writeChunks(disk, temporary, blobs.chunks(ref));
    disk.renameSync(temporary, target);
    const stat = disk.statSync(target);
    return { digest: ref.digest, size: stat.size, modified: stat.mtimeMs };
  } catch (error) {
    removeIfThere(temporary);
    if (error instanceof DamageError || error instanceof ProblemError) throw error;
    if (isFull(errorCode(error))) throw noRoom(folder);
    throw new ProblemError(
      {
        id: 'CJE-CANNOT-WRITE',
        headline: `cannot write the copy ${target}`,
        facts: [['reason', error instanceof Error ? error.message : String(error)]],
        hint: 'the results are safe in the cache; make room or give write permission, and build again',
      },
      EXIT.failed,
    );
  }
}

const noRoom = (folder: string): ProblemError =>
  new ProblemError(
    {
      id: 'CJE-CACHE-FULL',
      headline: `no space left for the copies under ${folder}`,
      hint: 'the results are safe in the cache; free some space, and build again',
    },
    EXIT.failed,
  );

function writeChunks(disk: Disk, path: string, chunks: Iterable<Uint8Array>): void {
  const descriptor = disk.openSync(path, 'w');
  try {
    for (const chunk of chunks) {
      let written = 0;
      while (written < chunk.length) written += disk.writeSync(descriptor, chunk, written, chunk.length - written);
    }
  } finally {
    disk.closeSync(descriptor);
  }
}

/** What cannot be removed is not there, or in a folder that is none or may not be written: whoever writes there says so. */
function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

/** Removes a copy, and the folders that become empty. */
function remove(folder: string, path: string): void {
  removeIfThere(join(folder, path));
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    try {
      rmdirSync(join(folder, parent));
    } catch {
      return;
    }
  }
}

function writeManifest(disk: Disk, manifest: string, copies: Readonly<Copies>): void {
  const temporary = `${manifest}.partial`;
  disk.mkdirSync(dirname(manifest), { recursive: true });
  writeFileSync(temporary, JSON.stringify(copies));
  disk.renameSync(temporary, manifest);
}
