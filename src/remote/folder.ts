/** A shared cache in a folder that several machines mount. */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EXIT, ProblemError } from '../core/problem.ts';
import type { ListedObject, ObjectStore, Unreadable } from './object-store.ts';

/** Where objects are written before they get their names; the same file system, so that a link can be made. */
const TEMPORARY = 'tmp';

export function folderStore(folder: string): ObjectStore {
  return {
    place: folder,
    list: (prefix) => told(folder, () => list(folder, prefix)),
    get: (name, longest) => told(folder, () => read(join(folder, name), longest)),
    putIfAbsent: (name, bytes) => told(folder, () => putIfAbsent(folder, name, bytes)),
    remove: (name) => told(folder, () => absentIsFine(unlink(join(folder, name)))),
    close: async () => {},
  };
}

async function list(folder: string, prefix: string): Promise<ListedObject[]> {
  // The folder itself must be there: a mount that is gone would else look like an empty cache.
  await stat(folder);
  const names = await absentIsFine(readdir(join(folder, prefix)));
  const listed: ListedObject[] = [];
  for (const file of names ?? []) {
    const found = await absentIsFine(unreadableIsFine(stat(join(folder, prefix, file))));
    if (found === undefined || (!('unreadable' in found) && found.isDirectory())) continue;
    // What is no file is refused when it is read, by its name.
    const { size, mtimeMs } = 'unreadable' in found ? { size: 0, mtimeMs: 0 } : found;
    listed.push({ name: `${prefix}${file}`, bytes: size, modified: mtimeMs });
  }
  return listed;
}

async function read(path: string, longest: number): Promise<Buffer | Unreadable | undefined> {
  // A pipe in its place would else be waited for.
  const file = await absentIsFine(unreadableIsFine(open(path, constants.O_RDONLY | constants.O_NONBLOCK)));
  if (file === undefined || 'unreadable' in file) return file;
  try {
    const found = await file.stat();
    if (!found.isFile()) return { unreadable: 'it is not a file' };
    const buffer = Buffer.allocUnsafe(Math.min(longest + 1, found.size));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await file.close();
  }
}

async function putIfAbsent(folder: string, name: string, bytes: Buffer): Promise<'stored' | 'there'> {
  await stat(folder);
  const target = join(folder, name);
  await mkdir(join(folder, TEMPORARY), { recursive: true });
  await mkdir(dirname(target), { recursive: true });
  const temporary = join(folder, TEMPORARY, randomUUID());
  try {
    await using(open(temporary, 'wx'), async (file) => {
      await file.writeFile(bytes);
      await file.sync();
    });
    const stored = await nameIfFree(temporary, target);
    if (stored) await using(open(dirname(target), 'r'), (parent) => parent.sync());
    return stored ? 'stored' : 'there';
  } finally {
    await absentIsFine(unlink(temporary));
  }
}

/** A link fails where the name is taken, on network file systems too. */
async function nameIfFree(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw error;
    // A file system without links. Names are digests, so whoever comes between writes the same bytes.
    if ((await absentIsFine(stat(target))) !== undefined) return false;
    await rename(temporary, target);
    return true;
  }
}

async function using(opened: Promise<FileHandle>, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await opened;
  try {
    await work(file);
  } finally {
    await file.close();
  }
}

async function absentIsFine<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** One object that may not be read is no reason not to read the others. */
async function unreadableIsFine<T>(work: Promise<T>): Promise<T | Unreadable> {
  try {
    return await work;
  } catch (error) {
    const reason = UNREADABLE.get(String(codeOf(error)));
    if (reason === undefined) throw error;
    return { unreadable: reason };
  }
}

const UNREADABLE: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'it may not be read by this user'],
  ['EPERM', 'it may not be read by this user'],
  ['ELOOP', 'it is a link that leads nowhere'],
  ['ENXIO', 'it is not a file'],
  ['EISDIR', 'it is not a file'],
  ['ENOTDIR', 'it is not a file'],
]);

const codeOf = (error: unknown) => (error as { readonly code?: unknown }).code;

async function told<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new ProblemError(
      {
        id: 'CJE-REMOTE-UNREACHABLE',
        headline: `the shared cache cannot be reached: ${folder}`,
        facts: [['reason', error instanceof Error ? error.message : String(error)]],
        hint: 'is the folder mounted, and may you write to it? A new one is made by hand, once (`mkdir`), since a mount that is missing looks the same. What was bought stays in .cache, and a later push carries it',
      },
      EXIT.failed,
    );
  }
}
