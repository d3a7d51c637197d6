/** What a build is called in texts. */

import type { BuildRecord } from '../core/storage.ts';

export const buildName = ({ id, tags = [] }: Pick<BuildRecord, 'id' | 'tags'>): string =>
  tags.length === 0 ? `build ${id}` : `build ${id} (${tags.join(', ')})`;
