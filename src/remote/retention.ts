/**
 * Removes from a shared cache what is old and what nobody needs: never what a list of {@link readHolds} names, never what
 * is younger than the age that was asked for, and nothing at all unless it is told to.
 */

import { readHolds } from './holds.ts';
import type { ListedObject } from './object-store.ts';
import { lookAround } from './pull.ts';
import type { RefusedObject, Remote } from './remote.ts';
import { indexName, segmentName } from './segment-index.ts';

export interface Retention {
  /** Segments that stay because they are young, and because somebody needs them. */
  readonly young: number;
  readonly held: number;
  /** Objects that were removed, or would be. */
  readonly removed: readonly string[];
  readonly bytes: number;
  readonly refused: readonly RefusedObject[];
}

interface RetentionOptions {
  /** Milliseconds: whatever is younger stays. */
  readonly olderThan: number;
  readonly dryRun: boolean;
}

export async function retain(remote: Remote, { olderThan, dryRun }: RetentionOptions): Promise<Retention> {
  const { objects, now } = remote;
  const before = now() - olderThan;
  const { segments, refused } = await lookAround(remote);
  const holds = await readHolds(remote, before);
  const files = new Map((await objects.list('segments/')).map((file) => [file.name, file]));
  const indexes = await objects.list('index/');
  const modified = new Map(indexes.map((file) => [file.name, file.modified]));

  const removed: string[] = [];
  let [young, held, bytes] = [0, 0, 0];
  const removeFile = (file: ListedObject | undefined) => {
    if (file === undefined) return;
    removed.push(file.name);
    bytes += file.bytes;
  };
  for (const { segment, writer, createdAt } of segments) {
    const index = indexName(segment, writer);
    if (holds.segments.has(segment)) held++;
    else if (Math.max(createdAt, modified.get(index) ?? 0) >= before) young++;
    else {
      // The index first: it promises that its segment is there.
      removed.push(index);
      removeFile(files.get(segmentName(segment)));
    }
  }
  // A push that ended early leaves a segment that no index names; one that is under way is young.
  const named = new Set(indexes.map(({ name }) => segmentName(name.slice('index/'.length).split('.')[0]!)));
  for (const file of files.values()) {
    if (!named.has(file.name) && file.modified < before) removeFile(file);
  }
  for (const folder of ['tmp/', 'work/']) {
    for (const file of await objects.list(folder)) if (file.modified < before) removeFile(file);
  }
  removed.push(...holds.expired);
  if (!dryRun) for (const name of removed) await objects.remove(name);
  return { young, held, removed, bytes, refused: [...refused, ...holds.refused] };
}
