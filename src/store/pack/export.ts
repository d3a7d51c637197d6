/** Writes everything that one build depends on into one file. */

import { EXIT, ProblemError } from '../../core/problem.ts';
import type { BuildRecord } from '../../core/storage.ts';
import type { LocalStore } from '../store.ts';
import { Reach } from '../upkeep/reach.ts';
import { type WrittenPack, writePack } from './pack-file.ts';

/** @throws ProblemError where the build is no longer whole in the cache, or the file cannot be written. */
export async function exportPack(store: LocalStore, record: BuildRecord, target: string): Promise<WrittenPack> {
  const { actions, blobs, calls } = wholeReach(store, record);
  return writePack(store, { actions: [...actions.values()], blobs, calls, record }, target);
}

/** @throws ProblemError naming what is missing. */
function wholeReach(store: LocalStore, record: BuildRecord): Reach {
  const reach = new Reach(store);
  const lacking: string[] = [];
  for (const [node, { key, outputs }] of Object.entries(record.nodes)) {
    if (key === null) continue;
    const action = store.actions.get(key);
    if (action === undefined || madeOthers(action.outputs, outputs)) lacking.push(`${node} (no longer as it was)`);
    else reach.action(action);
    if (reach.unlisted.has(key)) lacking.push(`${node} (its list of replies)`);
  }
  for (const ref of reach.blobs.values()) if (store.blobs.locate(ref) === undefined) lacking.push(`blob ${ref.digest}`);
  let replies = 0;
  for (const key of reach.calls) {
    if (store.calls.get(key) === undefined && store.calls.failure(key) === undefined) replies++;
  }
  if (replies > 0) lacking.push(`${replies} of ${reach.calls.size} replies`);
  if (lacking.length === 0) return reach;
  throw new ProblemError(
    {
      id: 'CJE-BUILD-NOT-WHOLE',
      headline: `build ${record.id} is not whole in the cache, so it cannot be packed`,
      facts: [['missing', lacking.length > 5 ? `${lacking.slice(0, 5).join('\n')}\n…` : lacking.join('\n')]],
      hint: '`cje cache verify` says whether something is damaged; build again, then export that build',
    },
    EXIT.failed,
  );
}

/** True where the record was replaced since: its outputs are no longer those of the build. */
function madeOthers(now: BuildRecord['nodes'][string]['outputs'], then: typeof now): boolean {
  return Object.entries(then).some(([file, { digest }]) => now[file]?.digest !== digest);
}
