/** Builds whose work a worker cannot do, because they are of other code. */

import type { BuildAbout, Seen } from '../cluster/roster.ts';

/** Seconds after which a build that says nothing is none any more. */
const SILENT = 60;

/** Says once of each build of other code that it will not be served. */
export function strangers(own: string, note: (text: string) => void): (builds: readonly Seen<BuildAbout>[]) => void {
  const told = new Set<string>();
  return (builds) => {
    for (const { code, host, pid, version, seconds } of builds) {
      if (code === own || told.has(code) || seconds > SILENT) continue;
      told.add(code);
      note(
        `a build on ${host} (pid ${pid}, cje ${version}) has work for workers of the code ${code}, and this one is of ${own}: ` +
          'none of it is taken; update cje there or here',
      );
    }
  };
}
