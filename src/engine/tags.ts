/** Names that people give to builds. A tag is on one build; given again, it moves. */

import { ProblemError } from '../core/problem.ts';
import type { BuildLog, BuildRecord } from '../core/storage.ts';

/** @throws ProblemError on a name that could be taken for something else. */
export function checkTag(tag: string): void {
  if (/^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(tag) && tag !== 'last') return;
  throw new ProblemError({
    id: 'CJE-BAD-OPTION',
    headline: `${JSON.stringify(tag)} cannot be the name of a build`,
    hint: 'a letter, then letters, digits, dots, underscores and dashes; not `last`',
  });
}

/**
 * Tags a build, and takes the tag off any other.
 *
 * @param id the build's id; null for the newest: a build that found nothing to do is the one before.
 */
export async function tagBuild(builds: BuildLog, tag: string, id: string | null): Promise<void> {
  let tagged: BuildRecord | undefined = id === null ? undefined : builds.get(id);
  for (const record of [...builds.list()]) {
    tagged ??= record;
    const { tags = [] } = record;
    if (record.id !== tagged.id && tags.includes(tag)) {
      await builds.put({ ...record, tags: tags.filter((other) => other !== tag) });
    }
  }
  if (tagged === undefined || tagged.tags?.includes(tag)) return;
  await builds.put({ ...tagged, tags: [...(tagged.tags ?? []), tag] });
}
