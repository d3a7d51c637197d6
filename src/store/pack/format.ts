/**
 * A pack: one file with everything that a build depends on, or, as a segment of a shared cache, with whatever was new. It
 * is a tar archive of gzipped parts of a few megabytes, so that neither side needs more memory than that. The last file is
 * the manifest, with the SHA-256 of every part.
 *
 *     pack.json                   what this is
 *     blobs/DIGEST.00000.gz …     the blobs, in parts
 *     calls/00000.jsonl.gz …      replies, one a line with its key
 *     failures/00000.jsonl.gz …   permanent failures likewise
 *     superseded/00000.jsonl.gz … the answers that were there before, oldest first, one call a line
 *     actions/00000.jsonl.gz …    records of finished nodes
 *     build.json.gz               the build's record; a segment has none
 *     manifest.json               names, sizes and digests of all files before it
 */

import { z } from 'zod';
import type { Digest } from '../../core/digest.ts';
import type { BuildRecord } from '../../core/storage.ts';

/** 2: superseded answers, and segments. Packs of version 1 are read as ever. */
export const PACK_VERSION = 2;
export const HEAD = 'pack.json';
export const BUILD = 'build.json.gz';
export const MANIFEST = 'manifest.json';

/** Bytes of a part before it is compressed. Lines are never cut, so a part may be longer by one line. */
export const PART = 4 << 20;
/** A larger part is refused: no reply of a server is that long. */
export const LARGEST_PART = 256 << 20;

/** Folders of parts whose lines are entries of the store. */
export type RowsType = 'calls' | 'failures' | 'superseded' | 'actions';

export type PartName =
  | { readonly type: 'blob'; readonly digest: Digest; readonly number: number }
  | { readonly type: RowsType; readonly number: number }
  | { readonly type: 'head' }
  | { readonly type: 'build' }
  | { readonly type: 'manifest' };

export const numbered = (number: number): string => String(number).padStart(5, '0');

/** The part that a file's name means; undefined for a name that no pack has. */
export function readPartName(name: string): PartName | undefined {
  if (name === HEAD) return { type: 'head' };
  if (name === BUILD) return { type: 'build' };
  if (name === MANIFEST) return { type: 'manifest' };
  const blob = /^blobs\/([0-9a-f]{32})\.(\d{5,})\.gz$/.exec(name);
  if (blob !== null) return { type: 'blob', digest: blob[1] as Digest, number: Number(blob[2]) };
  const rows = /^(calls|failures|superseded|actions)\/(\d{5,})\.jsonl\.gz$/.exec(name);
  if (rows !== null) return { type: rows[1] as RowsType, number: Number(rows[2]) };
  return undefined;
}

export interface PackCounts {
  readonly replies: number;
  readonly failures: number;
  /** Calls that have answers which were superseded. */
  readonly superseded: number;
  readonly actions: number;
  readonly blobs: number;
}

/** The build that a pack was made of, as its manifest names it. */
interface PackedBuild {
  readonly build: string;
  readonly experiment: string;
  readonly profile: string;
  readonly targets: BuildRecord['targets'];
}

export interface Manifest extends Partial<PackedBuild>, Omit<PackCounts, 'superseded'> {
  readonly type: 'cje-pack';
  readonly version: number;
  /** Absent in version 1. */
  readonly superseded?: number;
  readonly files: readonly PackedFile[];
}

export interface PackedFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

const manifestShape: z.ZodType<Manifest> = z.looseObject({
  type: z.literal('cje-pack'),
  version: z.number(),
  build: z.string().exactOptional(),
  experiment: z.string().exactOptional(),
  profile: z.string().exactOptional(),
  targets: z.array(z.string()).exactOptional(),
  replies: z.number(),
  failures: z.number(),
  superseded: z.number().exactOptional(),
  actions: z.number(),
  blobs: z.number(),
  files: z.array(z.looseObject({ name: z.string(), size: z.number(), sha256: z.string() })),
});

export const isManifest = (value: unknown): value is Manifest => manifestShape.safeParse(value).success;

interface ManifestContent {
  readonly version: number;
  /** Undefined for a segment. */
  readonly record: BuildRecord | undefined;
  readonly counts: PackCounts;
  readonly files: readonly PackedFile[];
}

/** The text of a pack's manifest. One content has exactly one text, so no change to it goes unnoticed. */
export function manifestText({ version, record, counts, files }: ManifestContent): string {
  const { replies, failures, superseded, actions, blobs } = counts;
  const manifest: Manifest = {
    type: 'cje-pack',
    version,
    ...(record === undefined ? {} : packedBuild(record)),
    replies,
    failures,
    ...(version === 1 ? {} : { superseded }),
    actions,
    blobs,
    files,
  };
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

const packedBuild = ({ id, experiment, profile, targets }: BuildRecord): PackedBuild => ({
  build: id,
  experiment,
  profile,
  targets,
});
