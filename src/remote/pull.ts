/**
 * Takes what others have put into a shared cache. An index is believed by its writer's signature, a segment by its index;
 * whatever is not believed is named and left alone, and nothing that the store holds is replaced.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { inspectPack, sha256 } from '../store/pack/inspect.ts';
import { type Merged, PackMerge } from '../store/pack/merge.ts';
import type { LocalStore } from '../store/store.ts';
import { eachOf, type RefusedObject, type Remote } from './remote.ts';
import { isIndexName, LONGEST_INDEX, readIndex, type SegmentIndex, segmentName } from './segment-index.ts';

/** Indexes that are fetched at once. */
const AT_ONCE = 8;

interface Seen {
  readonly refused: readonly RefusedObject[];
  /** Segments in the place that are believed. */
  readonly segments: readonly SegmentIndex[];
}

/** Reads the indexes that are new. */
export async function lookAround(remote: Remote): Promise<Seen> {
  const { objects, known, trusted } = remote;
  const refused: RefusedObject[] = [];
  const fresh: string[] = [];
  const segments: SegmentIndex[] = [];
  for (const { name, bytes } of await objects.list('index/')) {
    const seen = known.indexes().get(name);
    if (!isIndexName(name)) refused.push({ name, reason: 'no index has such a name' });
    else if (bytes > LONGEST_INDEX) refused.push({ name, reason: 'it is too long for an index' });
    else if (seen === undefined) fresh.push(name);
    else if (trusted.has(seen.writer)) segments.push(seen);
    else refused.push({ name, reason: `its writer is not trusted: ${seen.writer}` });
  }
  await eachOf(fresh, AT_ONCE, async (name) => {
    const bytes = await objects.get(name, LONGEST_INDEX);
    // Somebody has just removed it.
    if (bytes === undefined) return;
    if ('unreadable' in bytes) {
      refused.push({ name, reason: bytes.unreadable });
      return;
    }
    const read = readIndex(name, bytes, (key) => trusted.has(key));
    if (!read.ok) {
      refused.push({ name, reason: read.reason });
      return;
    }
    known.remember(read.index, bytes);
    segments.push(read.index);
  });
  return { refused: refused.sort((a, b) => (a.name < b.name ? -1 : 1)), segments: newestFirst(segments) };
}

/** The newest answer to a call is the one to have, so what came later goes first. */
export const newestFirst = (segments: readonly SegmentIndex[]): readonly SegmentIndex[] =>
  [...segments].sort((a, b) => b.createdAt - a.createdAt || (a.segment < b.segment ? -1 : 1));

interface Pulled extends Merged {
  /** Segments that were fetched and merged. */
  readonly segments: number;
  readonly bytes: number;
  readonly refused: readonly RefusedObject[];
  /** Segments that an index names and that are gone. */
  readonly gone: number;
}

/** Only for the holder of the build lock. @throws ProblemError where the place cannot be reached */
export async function pull(store: LocalStore, remote: Remote): Promise<Pulled> {
  remote.known.removePartials();
  const { refused, segments } = await lookAround(remote);
  return mergeSegments(store, remote, wantedOf(segments, remote), refused);
}

/** Segments that are not merged yet; each once, whoever signed it too. */
function wantedOf(segments: readonly SegmentIndex[], { known }: Remote): SegmentIndex[] {
  const wanted = new Map(segments.map((index) => [index.segment, index]));
  return [...wanted.values()].filter(({ segment }) => !known.isMerged(segment));
}

/** Only for the holder of the build lock. */
export async function mergeSegments(
  store: LocalStore,
  remote: Remote,
  wanted: readonly SegmentIndex[],
  refusedBefore: readonly RefusedObject[],
): Promise<Pulled> {
  const refused = [...refusedBefore];
  const merging = new PackMerge(store);
  const merged: SegmentIndex[] = [];
  let gone = 0;
  let bytes = 0;
  let told = 0;
  const total = wanted.reduce((sum, index) => sum + index.bytes, 0);
  for (const index of wanted) {
    const path = remote.known.partial(index.segment);
    try {
      const fetched = await fetchSegment(remote, index, path);
      if (fetched.type === 'gone') gone++;
      else if (fetched.type === 'refused') refused.push({ name: segmentName(index.segment), reason: fetched.reason });
      else {
        await merging.add(path, fetched.inspection);
        merged.push(index);
        bytes += index.bytes;
        const tenths = Math.floor((10 * bytes) / total);
        // There may be hundreds of small segments.
        if (wanted.length > 1 && tenths > told) remote.note(`shared cache: ${mega(bytes)} of ${mega(total)} MB`);
        told = Math.max(told, tenths);
      }
    } finally {
      rmSync(path, { force: true });
    }
  }
  await merging.finish();
  remote.known.markMerged(merged.map(({ segment }) => segment));
  return { ...merging.result, segments: merged.length, bytes, refused, gone };
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(1);

type FetchedSegment =
  | { readonly type: 'fetched'; readonly inspection: ReturnType<typeof inspectPack> }
  | { readonly type: 'gone' }
  | { readonly type: 'refused'; readonly reason: string };

/** Fetches a segment into a file, and checks all of it before anything is used. */
export async function fetchSegment(
  { objects, trusted }: Remote,
  index: SegmentIndex,
  path: string,
): Promise<FetchedSegment> {
  const refused = (reason: string): FetchedSegment => ({ type: 'refused', reason });
  if (!trusted.has(index.writer)) return refused(`its writer is not trusted: ${index.writer}`);
  const content = await objects.get(segmentName(index.segment), index.bytes);
  if (content === undefined) return { type: 'gone' };
  if ('unreadable' in content) return refused(content.unreadable);
  if (content.length < index.bytes) return refused(`it was cut short: ${content.length} of ${index.bytes} bytes`);
  if (content.length > index.bytes) return refused('there is more than its index says');
  if (sha256(content) !== index.segment) return refused('its bytes do not have the SHA-256 that is its name');
  writeFileSync(path, content);
  const inspection = inspectPack(path);
  const [fault] = inspection.faults;
  if (inspection.newer !== undefined) return refused('it was made by a newer cje: update cje');
  if (inspection.foreign) return refused('it is not a pack');
  if (fault !== undefined) return refused(`${fault.name}: ${fault.reason}`);
  return { type: 'fetched', inspection };
}
