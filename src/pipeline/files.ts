/** Reads files once, remembers every path that was looked for, and names files as people know them. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { nearest } from '../core/problem.ts';
import type { Facts, Problems } from './problems.ts';
import type { Source, Span } from './source.ts';
import { type Tree, textOf } from './tree.ts';
import { readYaml } from './yaml.ts';

type FileText =
  | { readonly ok: true; readonly source: Source }
  /** `line`: where, for a text that is none. */
  | { readonly ok: false; readonly reason: string; readonly line?: number };

const ABSENT = 'does not exist';

export class Files {
  /** The folder of pipeline.yaml. */
  readonly root: string;
  readonly #cwd: string;
  readonly #problems: Problems;
  readonly #consulted = new Set<string>();
  readonly #readings = new Map<string, FileText>();
  readonly #complained = new Set<string>();
  readonly #trees = new Map<string, Tree | undefined>();

  constructor(cwd: string, root: string, problems: Problems) {
    this.#cwd = cwd;
    this.root = root;
    this.#problems = problems;
  }

  /** Absolute paths of everything that was read or looked for, sorted. */
  consulted(): readonly string[] {
    return [...this.#consulted].sort();
  }

  /** A path as shown to people. */
  shown(path: string): string {
    const short = relative(this.#cwd, path);
    return short !== '' && short.length < path.length ? short : path;
  }

  read(path: string): FileText {
    let reading = this.#readings.get(path);
    if (reading === undefined) {
      this.#consulted.add(path);
      reading = this.#read(path);
      this.#readings.set(path, reading);
    }
    return reading;
  }

  #read(path: string): FileText {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      return { ok: false, reason: reasonOf(error) };
    }
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return { ok: true, source: { kind: 'file', name: this.shown(path), text } };
    } catch {
      const line = firstBadLine(bytes);
      return { ok: false, reason: `is not UTF-8 text: see line ${line}, and save it as UTF-8`, line };
    }
  }

  /** The tree of a YAML file, parsed once; undefined when it has mistakes, which are then reported. */
  yaml(path: string, source: Source, interpolated = false): Tree | undefined {
    if (!this.#trees.has(path)) this.#trees.set(path, readYaml(source, this.#problems, { interpolated }));
    return this.#trees.get(path);
  }

  /**
   * The absolute path that a written one means: relative to pipeline.yaml. One that `--set` gave as a whole is looked for
   * in the current directory first, where its author typed it.
   */
  locate(written: string, tree: Tree): string {
    const beside = resolve(this.root, written);
    const typed = (tree.from?.span ?? tree.span).source.kind === 'argument';
    if (!typed || isAbsolute(written) || this.root === this.#cwd) return beside;
    const here = resolve(this.#cwd, written);
    return this.exists(here) || !this.exists(beside) ? here : beside;
  }

  /** Reads the file that a parameter names. The mistake, if any, is reported at the place of the name. */
  open(tree: Tree, what: string, facts: Facts = []): { path: string; source: Source } | undefined {
    const written = textOf(tree);
    if (written === undefined || written === '') {
      if (tree.type !== 'broken')
        this.#problems.add(tree.span, 'CJE-BAD-VALUE', `This must be the path of ${what}`, { facts });
      return undefined;
    }
    const path = this.locate(written, tree);
    const reading = this.read(path);
    if (reading.ok) return { path, source: reading.source };
    this.complain(tree.span, written, path, reading.reason, facts);
    return undefined;
  }

  /** Reports a file that cannot be used. */
  complain(span: Span, written: string, path: string, reason: string, facts: Facts = []): void {
    // A file that several stages name is one mistake.
    if (this.#complained.has(path)) return;
    this.#complained.add(path);
    const folder = dirname(path);
    // One misspelt folder is one mistake, however many files of it are named.
    const noFolder = reason === ABSENT && this.#stat(folder) === ABSENT;
    this.#problems.add(
      span,
      'CJE-FILE-UNREADABLE',
      noFolder ? `There is no folder '${this.#asWritten(folder)}'` : `'${written}' ${reason}`,
      {
        facts: [['looked for', path], ...facts],
        hint: reason === ABSENT ? this.#hint(path, span) : undefined,
      },
    );
  }

  #hint(path: string, span: Span): string {
    // A path in a config file is easily taken to start from that file's own folder.
    if (span.source.kind === 'file') {
      const sibling = join(dirname(resolve(this.#cwd, span.source.name)), relative(this.root, path));
      if (sibling !== path && this.#stat(sibling) === 'file') {
        return `Paths start from the folder of pipeline.yaml: write '${this.#asWritten(sibling)}'.`;
      }
    }
    const near = nearestFile(path);
    if (near !== undefined) return `Did you mean '${this.#asWritten(near)}'?`;
    return 'Paths start from the folder of pipeline.yaml.';
  }

  #asWritten(path: string): string {
    const short = relative(this.root, path);
    return short.startsWith('..') ? path : short;
  }

  /** Whether a file is there; remembered as consulted. */
  exists(path: string): boolean {
    this.#consulted.add(path);
    return this.#stat(path) !== ABSENT;
  }

  /** Why `path` cannot be read as a file, or undefined when it can. Its bytes are not read. */
  trouble(path: string): string | undefined {
    this.#consulted.add(path);
    const found = this.#stat(path);
    return found === 'file' ? undefined : found;
  }

  #stat(path: string): 'file' | string {
    try {
      return statSync(path).isDirectory() ? 'is a folder, not a file' : 'file';
    } catch (error) {
      return reasonOf(error);
    }
  }
}

/** The first line, from 1, that is not UTF-8. */
function firstBadLine(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  for (let line = 1; ; line++) {
    const newline = bytes.indexOf(10, start);
    try {
      decoder.decode(bytes.subarray(start, newline === -1 ? bytes.length : newline));
    } catch {
      return line;
    }
    if (newline === -1) return line;
    start = newline + 1;
  }
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return ABSENT;
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read';
  return `cannot be read (${String(code ?? error)})`;
}

/** A file of nearly this name in the same folder, or under a folder of nearly this name. */
function nearestFile(path: string): string | undefined {
  const folder = dirname(path);
  const names = listFolder(folder);
  if (names !== undefined) {
    // A Markdown file is not what a YAML file was misspelt for.
    const alike = names.filter((name) => extname(name) === extname(path));
    const near = nearest(basename(path), extname(path) === '' ? names : alike);
    return near === undefined ? undefined : join(folder, near);
  }
  const parent = dirname(folder);
  const nearFolder = nearest(basename(folder), listFolder(parent) ?? []);
  const candidate = nearFolder === undefined ? undefined : join(parent, nearFolder);
  return candidate !== undefined && listFolder(candidate)?.includes(basename(path))
    ? join(candidate, basename(path))
    : undefined;
}

function listFolder(folder: string): string[] | undefined {
  try {
    return readdirSync(folder).sort();
  } catch {
    return undefined;
  }
}
