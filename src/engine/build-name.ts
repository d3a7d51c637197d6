/** Builds as people name them: `last`, `last~1`, a tag, an id or its beginning. */

import { EXIT, ProblemError } from '../core/problem.ts';
import type { BuildLog, BuildRecord } from '../core/storage.ts';

/** Newest first; the looks of a gate are no builds that anybody counts, and go by their ids. */
const countedBuilds = (builds: BuildLog): BuildRecord[] => [...builds.list()].filter(({ gate }) => gate === undefined);

/** @throws ProblemError where no build, or more than one, is meant. */
export function findBuild(builds: BuildLog, name: string): BuildRecord {
  const back = /^last(?:~(\d+))?$/.exec(name);
  if (back !== null) {
    const wanted = Number(back[1] ?? 0);
    const records = countedBuilds(builds);
    const record = records[wanted];
    if (record !== undefined) return record;
    throw new ProblemError({
      id: 'CJE-UNKNOWN-BUILD',
      headline: records.length === 0 ? 'no build is recorded yet' : `there is no build ${name}`,
      facts: records.length === 0 ? [] : [['recorded', `${records.length} builds`]],
      hint: records.length === 0 ? 'cje build' : 'the oldest is last~'.concat(String(records.length - 1)),
    });
  }
  const exact = builds.get(name);
  if (exact !== undefined) return exact;
  const matching = [...builds.list()].filter(
    (record) => record.tags?.includes(name) || (name.length >= 4 && record.id.startsWith(name)),
  );
  const [first, second] = matching;
  if (first !== undefined && second === undefined) return first;
  throw new ProblemError({
    id: 'CJE-UNKNOWN-BUILD',
    headline:
      first === undefined
        ? `there is no build ${JSON.stringify(name)}`
        : `several builds are called ${JSON.stringify(name)}`,
    facts: matching.slice(0, 5).map(({ id, targets }) => [id, targets.join(' ')] as const),
    hint: 'name it by its id, or last, last~1 and so on',
  });
}

/** @throws ProblemError where nothing of the build is there to pack. */
export function checkPackable(builds: BuildLog, { id, exit, nodes }: BuildRecord): void {
  if (exit === EXIT.built || Object.values(nodes).some(({ key }) => key !== null)) return;
  throw new ProblemError(
    {
      id: 'CJE-BUILD-NOT-WHOLE',
      headline: `build ${id} ended with exit ${exit} and finished no node, so there is nothing to pack`,
      hint: wholeBuild(builds),
    },
    EXIT.failed,
  );
}

/** Which build to pack in the place of one that did not finish. */
export function wholeBuild(builds: BuildLog): string {
  const back = countedBuilds(builds).findIndex(({ exit }) => exit === EXIT.built);
  if (back < 0) return 'No build has finished yet: build again, then export.';
  return `The last one that finished is \`--build ${back === 0 ? 'last' : `last~${back}`}\`.`;
}
