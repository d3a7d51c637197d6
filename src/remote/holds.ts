/**
 * What each cache folder says it needs of a shared cache, so that nobody's clean-up takes it away: a signed list of the
 * segments behind its kept builds. A new list is written before the old one is removed.
 */

import { z } from 'zod';
import { sha256 } from '../store/pack/inspect.ts';
import { parseJson } from '../store/pack/rows.ts';
import type { LocalStore } from '../store/store.ts';
import { keptBuilds } from '../store/upkeep/candidates.ts';
import { open, seal } from './envelope.ts';
import type { RefusedObject, Remote } from './remote.ts';
import { actionEntry, blobEntry, type SegmentIndex } from './segment-index.ts';
import { keyId } from './signing.ts';

/** Builds whose segments are held, beside tagged ones: as many as `cje cache gc` keeps by default. */
const KEPT_BUILDS = 10;
/** Milliseconds after which an unchanged list is written again, to show that its cache is still in use. */
const RENEWED = 24 * 3600 * 1000;
const LONGEST_HOLD = 16 << 20;

const holdShape = z.strictObject({
  at: z.int().min(0),
  segments: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
});

/** Says what is needed, where that has changed or was said long ago. */
export async function holdKept(store: LocalStore, remote: Remote, random: () => number): Promise<void> {
  const { key, known, now, objects } = remote;
  if (key === undefined) return;
  const segments = neededSegments(store, [...known.indexes().values()]);
  const { held } = known;
  const at = now();
  if (held !== undefined && at - held.at < RENEWED && held.segments.join() === segments.join()) return;
  const content = Buffer.from(JSON.stringify({ at, segments } satisfies z.input<typeof holdShape>));
  const ours = `holds/${keyId(key.public)}.${known.holder(random)}.`;
  const name = `${ours}${sha256(content).slice(0, 16)}`;
  await objects.putIfAbsent(name, seal('hold', content, key));
  for (const old of await objects.list('holds/')) {
    if (old.name.startsWith(ours) && old.name !== name) await objects.remove(old.name);
  }
  known.markHeld(segments, at);
}

/** Segments that hold something which a kept build depends on. */
function neededSegments(store: LocalStore, indexes: readonly SegmentIndex[]): string[] {
  const { reach } = keptBuilds(store, [...store.builds.list()], KEPT_BUILDS);
  const actions = [...reach.actions.values()].map(actionEntry);
  const blobs = [...reach.blobs.keys()].map(blobEntry);
  const calls = [...reach.calls];
  const needed = indexes.filter(
    (index) =>
      actions.some((entry) => index.actions.has(entry)) ||
      blobs.some((entry) => index.blobs.has(entry)) ||
      calls.some((key) => index.answers.hasKey(key)),
  );
  return [...new Set(needed.map(({ segment }) => segment))].sort();
}

interface Holds {
  readonly segments: ReadonlySet<string>;
  /** Lists that have not been renewed for so long that they count no more. */
  readonly expired: readonly string[];
  readonly refused: readonly RefusedObject[];
}

/** All that anybody needs. Whoever signed counts, trusted or not: removing too little breaks nobody. */
export async function readHolds({ objects }: Remote, renewedSince: number): Promise<Holds> {
  const segments = new Set<string>();
  const expired: string[] = [];
  const refused: RefusedObject[] = [];
  for (const { name, modified } of await objects.list('holds/')) {
    const bytes = await objects.get(name, LONGEST_HOLD);
    if (bytes === undefined) continue;
    if ('unreadable' in bytes) {
      refused.push({ name, reason: bytes.unreadable });
      continue;
    }
    const opened = open('hold', bytes, () => true);
    const hold = opened.ok ? holdShape.safeParse(parseJson(opened.content)) : undefined;
    if (!opened.ok || !hold?.success) {
      refused.push({ name, reason: opened.ok ? 'it is not a list of segments' : opened.reason });
    } else if (Math.max(hold.data.at, modified) < renewedSince) {
      expired.push(name);
    } else {
      for (const segment of hold.data.segments) segments.add(segment);
    }
  }
  return { segments, expired, refused };
}
