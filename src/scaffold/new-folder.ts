/** The folder of a new experiment: never one that has an experiment already. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ProblemError } from '../core/problem.ts';

/** What is made again, and is in no repository. */
export const IGNORED = '.cache/\n.engine/\nout/\n';

/** @throws ProblemError where an experiment is already. */
export function newFolder(name: string): string {
  const folder = resolve(name);
  for (const path of [join(folder, 'pipeline.yaml'), join(folder, 'configs')]) {
    if (!existsSync(path)) continue;
    throw new ProblemError({
      id: 'CJE-FOLDER-TAKEN',
      headline: `${path} is there already`,
      hint: 'name another folder; nothing was written',
    });
  }
  return folder;
}

/**
 * Writes what is not there yet: a person's `.gitignore` stays, and a file of data that lies here already is that file.
 *
 * @throws ProblemError where a file that comes along would take the place of another one
 */
export function writeNew(folder: string, files: Iterable<readonly [path: string, content: string | Uint8Array]>): void {
  const absent = [...files].filter(([path, content]) => {
    const target = join(folder, path);
    if (!existsSync(target)) return true;
    if (typeof content === 'string' || readFileSync(target).equals(content)) return false;
    throw new ProblemError({
      id: 'CJE-FOLDER-TAKEN',
      headline: `${target} is there already, and is another file`,
      hint: 'name another folder; nothing was written',
    });
  });
  for (const [path, content] of absent) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content, { flag: 'wx' });
  }
}
