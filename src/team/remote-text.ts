/** What is said of a shared cache. */

import type { PackCounts } from '../store/pack/format.ts';
import { counted } from '../text/plural.ts';

export const takenText = ({ replies, actions }: Pick<PackCounts, 'replies' | 'actions'>): string =>
  `took ${counted(replies, 'reply', 'replies')} and ${counted(actions, 'finished node')}`;

export const givenText = ({ replies, actions, blobs }: Pick<PackCounts, 'replies' | 'actions' | 'blobs'>): string =>
  `gave ${counted(replies, 'reply', 'replies')}, ${counted(actions, 'finished node')} and ${counted(blobs, 'output')}`;

export const differentText = (different: number): string =>
  `${counted(different, 'entry is', 'entries are')} here already with other contents, which stay`;
