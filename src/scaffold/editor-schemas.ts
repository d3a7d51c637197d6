/** Where editors find the JSON Schemas of an experiment's files: a path that is right on every machine. */

import { cpSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the experiment's folder, for an experiment that is not in one project with the program. */
const KEPT = '.cache/schemas';

const shipped = (bundle: URL): string => realpathSync(fileURLToPath(new URL('schemas', new URL('.', bundle))));

/**
 * The path from an experiment's folder to the schemas: to those of the program, where both are in one project, which is
 * moved as a whole; else to a copy that builds keep.
 */
export function schemasPath(folder: string, bundle: URL): string {
  const schemas = shipped(bundle);
  const at = resolve(folder);
  const project = projectOf(at);
  if (project === undefined) return KEPT;
  const root = realpathSync(project);
  return schemas.startsWith(`${root}${sep}`) ? join(relative(at, project), relative(root, schemas)) : KEPT;
}

/** The nearest folder above that is a repository or a package; undefined where none is. */
function projectOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git')) || existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** Makes the copy that a pipeline file names, where it is not there or another version's. */
export function keepSchemas(file: string, bundle: URL, version: string): void {
  try {
    if (!readFileSync(file, 'utf8').includes(`$schema=${KEPT}/`)) return;
    const folder = join(dirname(resolve(file)), KEPT);
    const note = join(folder, 'version');
    if (existsSync(note) && readFileSync(note, 'utf8') === version) return;
    cpSync(shipped(bundle), folder, { recursive: true });
    writeFileSync(note, version);
  } catch {
    // An editor without schemas is no reason not to build.
  }
}
