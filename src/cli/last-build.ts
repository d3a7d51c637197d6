/**
 * The fast path: says that a build has nothing to do without loading yaml, zod, clipanion, lmdb or openai.
 *
 * A finished build remembers, by its command line, the stat of every file that it consulted (and every path that was
 * absent), of every blob that its targets depend on, and of every copy under `out/`. If all still look the same, so is
 * the answer. Whatever writes a build record or removes anything from the cache forgets what is remembered first.
 */

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type FileStat, fileStatOf, isRacy, sameFileStat } from '../store/disk/file-stat.ts';
import { type TerminalLook, terminalLook } from './terminal-look.ts';

/** Size −1: absent. */
interface SeenFile extends FileStat {
  readonly path: string;
}

interface LastBuild {
  readonly seen: readonly SeenFile[];
  /** Blobs by path and size: their names are their digests, so they need no time. */
  readonly blobs: readonly (readonly [path: string, size: number])[];
  /** The file of records and replies: the same, and not cut short. Other builds make it longer. */
  readonly records: readonly [path: string, inode: string, size: number];
  /** What is printed. */
  readonly text: string;
}

type LastBuilds = Record<string, LastBuild>;

/** More command lines than this are not worth remembering. */
const MEMORIES = 16;
const ABSENT: FileStat = { size: -1, modified: '', changed: '', inode: '' };

export function seenFile(path: string): SeenFile {
  try {
    return { path, ...fileStatOf(statSync(path, { bigint: true })) };
  } catch {
    // Nothing there, or nothing that can be reached: a folder on the way may have become a file.
    return { path, ...ABSENT };
  }
}

export const isAsSeen = (seen: SeenFile): boolean => sameFileStat(seenFile(seen.path), seen);

const memoryFile = (cache: string) => join(cache, 'fast-path.json');

/** The command line as it is remembered. What a terminal shows depends on its colours and width, so they are part. */
function memoryKey(buildDigest: string, args: readonly string[], terminal: TerminalLook): string {
  return JSON.stringify([buildDigest, process.cwd(), args, terminal.color, terminal.width]);
}

/** The folder of the pipeline that a command line names, without parsing more of it than that. */
function rootOf(args: readonly string[]): string {
  for (const [index, arg] of args.entries()) {
    if (arg === '-f' || arg === '--file') return dirname(resolve(args[index + 1] ?? ''));
    if (arg.startsWith('--file=')) return dirname(resolve(arg.slice('--file='.length)));
  }
  return process.cwd();
}

/** What to print when nothing has changed since the remembered build; undefined when anything has, or may have. */
export function remembered(buildDigest: string, args: readonly string[]): string | undefined {
  const cache = join(rootOf(args), '.cache');
  let lastBuild: LastBuild | undefined;
  try {
    const lastBuilds = JSON.parse(readFileSync(memoryFile(cache), 'utf8')) as LastBuilds;
    lastBuild = lastBuilds[memoryKey(buildDigest, args, terminalLook(args))];
  } catch {
    return undefined;
  }
  if (lastBuild === undefined) return undefined;
  if (!lastBuild.seen.every(isAsSeen)) return undefined;
  for (const [path, size] of lastBuild.blobs) {
    if (seenFile(path).size !== size) return undefined;
  }
  const [path, inode, size] = lastBuild.records;
  const records = seenFile(path);
  if (records.inode !== inode || records.size < size) return undefined;
  return lastBuild.text;
}

/** What a finished build depended on. */
export interface Fingerprint {
  /**
   * Files that people edit, and paths that were looked for and not found, as they were when the pipeline was read: an
   * edit during the build must show.
   */
  readonly consulted: readonly SeenFile[];
  /** When they were read, milliseconds since the epoch. */
  readonly readAt: number;
  /** Copies under `out/`; written by the build itself. */
  readonly copies: readonly string[];
  readonly blobs: LastBuild['blobs'];
  /** The file of records and replies. */
  readonly records: string;
}

/** Remembers a build, unless a consulted file was so young when it was read that a further edit might not show. */
export function remember(
  cache: string,
  buildDigest: string,
  args: readonly string[],
  footing: Fingerprint,
  text: string,
): void {
  const { consulted, readAt } = footing;
  if (consulted.some((file) => file.size >= 0 && isRacy(file, readAt))) return;
  const seen = [...consulted, ...footing.copies.map(seenFile)];
  const { blobs } = footing;
  const { size, inode } = seenFile(footing.records);
  const records: LastBuild['records'] = [footing.records, inode, size];
  const lastBuilds = readMemories(cache);
  const key = memoryKey(buildDigest, args, terminalLook(args));
  delete lastBuilds[key];
  const kept = Object.entries(lastBuilds).slice(1 - MEMORIES);
  const file = memoryFile(cache);
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(cache, { recursive: true });
    writeFileSync(temporary, JSON.stringify(Object.fromEntries([...kept, [key, { seen, blobs, records, text }]])));
    renameSync(temporary, file);
  } catch {
    // A last build that cannot be remembered costs the next build a second, nothing else.
    rmSync(temporary, { force: true });
  }
}

/** Forgets everything; called before a build record is written and before anything is removed from the cache. */
export function forget(cache: string): void {
  rmSync(memoryFile(cache), { force: true });
}

function readMemories(cache: string): LastBuilds {
  try {
    return JSON.parse(readFileSync(memoryFile(cache), 'utf8')) as LastBuilds;
  } catch {
    return {};
  }
}
