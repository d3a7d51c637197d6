/**
 * Imports a pack of one build into the cache. The pack is read twice: first all of it is checked, then it is written,
 * records last, so that it is imported as a whole or not at all. What the cache already holds stays as it is.
 */

import { EXIT, ProblemError } from '../../core/problem.ts';
import type { BuildRecord } from '../../core/storage.ts';
import type { LocalStore } from '../store.ts';
import { type Inspection, inspectPack } from './inspect.ts';
import { type Merged, PackMerge } from './merge.ts';

export interface Imported extends Merged {
  readonly digest: string;
  readonly record: BuildRecord;
}

/** @param expected `sha256:` and 64 hex digits; undefined: any pack that is whole. @throws ProblemError */
function checkPack(path: string, expected: string | undefined): Inspection & { readonly record: BuildRecord } {
  const inspection = inspect(path);
  const { digest, faults, record, manifest } = inspection;
  const facts: [string, string][] = faults.slice(0, 10).map(({ name, reason }) => [name, reason]);
  if (faults.length > 10) facts.push(['…', `and ${faults.length - 10} more`]);
  if (expected !== undefined && expected.toLowerCase() !== digest) {
    throw new ProblemError(
      {
        id: 'CJE-PACK-UNEXPECTED',
        headline: `this is not the pack that was expected: ${path}`,
        facts: [['expected', expected], ['found', digest], ...facts],
        hint: 'nothing was imported; fetch the pack again, or ask who made it for its digest',
      },
      EXIT.damaged,
    );
  }
  if (inspection.foreign) {
    throw new ProblemError({
      id: 'CJE-NOT-A-PACK',
      headline: `this is not a pack: ${path}`,
      hint: '`cje cache export` makes one',
    });
  }
  if (inspection.newer !== undefined) {
    throw new ProblemError({
      id: 'CJE-PACK-NEWER',
      headline: `the pack was made by a newer cje: ${path}`,
      facts: [['its version', String(inspection.newer)]],
      hint: 'update cje',
    });
  }
  if (faults.length === 0 && manifest !== undefined && record === undefined) {
    throw new ProblemError({
      id: 'CJE-NOT-A-PACK',
      headline: `this is a segment of a shared cache, not the pack of a build: ${path}`,
      hint: '`cje cache pull` takes segments, and proves who wrote them',
    });
  }
  if (faults.length > 0 || record === undefined || manifest === undefined) {
    throw new ProblemError(
      {
        id: 'CJE-PACK-DAMAGED',
        headline: `the pack is damaged: ${path}`,
        facts,
        hint: 'nothing was imported; fetch the pack again',
      },
      EXIT.damaged,
    );
  }
  return { ...inspection, record };
}

function inspect(path: string): Inspection {
  try {
    return inspectPack(path);
  } catch (error) {
    throw new ProblemError({
      id: 'CJE-FILE-UNREADABLE',
      headline: `the pack cannot be read: ${path}`,
      facts: [['reason', error instanceof Error ? error.message : String(error)]],
    });
  }
}

/** Only for the holder of the build lock. @throws ProblemError where the pack is not sound, before anything is written. */
export async function importPack(store: LocalStore, path: string, expected: string | undefined): Promise<Imported> {
  const inspection = checkPack(path, expected);
  const { digest, record } = inspection;
  const merge = new PackMerge(store);
  await merge.add(path, inspection);
  await merge.finish();
  if (store.builds.get(record.id) === undefined) await store.builds.put(record);
  return { digest, record, ...merge.result };
}
