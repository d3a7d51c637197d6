/** What a build is called in texts. */

import type { BuildRecord } from '../core/storage.ts';

/** Where it is plain that a build is meant. */
export const buildLabel = ({ id, tags = [] }: Pick<BuildRecord, 'id' | 'tags'>): string =>
  tags.length === 0 ? id : `${id} (${tags.join(', ')})`;

export const buildName = (record: Pick<BuildRecord, 'id' | 'tags'>): string => `build ${buildLabel(record)}`;
