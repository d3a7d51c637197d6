/** How the command is typed where it was typed: `cje` where that is this program, else the way that leads to it. */

import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Typed {
  readonly path: string | undefined;
  /** Set by npm for what `npx` runs, whose folders are on the path of nobody else. */
  readonly npmCommand: string | undefined;
}

/** @param bundle where the program is */
export function commandName(bundle: URL, { path = '', npmCommand }: Typed): string {
  const program = realpathSync(fileURLToPath(new URL('cje.js', new URL('.', bundle))));
  if (npmCommand === 'exec') return 'npx cje';
  const found = path.split(delimiter).some((folder) => folder !== '' && realPath(join(folder, 'cje')) === program);
  return found ? 'cje' : `node ${/[^\w./@+-]/.test(program) ? JSON.stringify(program) : program}`;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
