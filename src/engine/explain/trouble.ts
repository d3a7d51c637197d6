/** What keeps an experiment from going on, and what earlier builds did not come to say. */

import type { BuildLog, CallStore, IntentStore } from '../../core/storage.ts';
import { unresolvedIntents } from '../../replies/intents.ts';

export interface Trouble {
  /** Why the copies under `out/` are not all there. */
  readonly uncopied?: string;
  /** What builds left behind that wrote down no end, and that may have been billed. */
  readonly unresolved?: { readonly requests: number; readonly dollars: number };
  /** The disk has no room for a build. */
  readonly full?: boolean;
}

/** @param running whether a build is under way: what it has not written down is no trouble. */
export function troubleOf(store: Books, { running, full }: TroubleNow): Trouble {
  return { ...(running ? {} : brokenOff(store)), ...(full ? { full } : {}) };
}

interface Books {
  readonly builds: Pick<BuildLog, 'list'>;
  readonly intents: Pick<IntentStore, 'list'>;
  readonly calls: Pick<CallStore, 'get' | 'failure'>;
}

interface TroubleNow {
  readonly running: boolean;
  readonly full: boolean;
}

/** What the last build could not copy, and what one left behind that could not even write down how it ended. */
function brokenOff({ builds, intents, calls }: Books): Trouble {
  const [last] = builds.list(1);
  const left = unresolvedIntents(intents, calls);
  const dollars = left.reduce((sum, { intent }) => sum + intent.dollars, 0);
  return {
    ...(last?.uncopied === undefined ? {} : { uncopied: last.uncopied }),
    ...(left.length === 0 ? {} : { unresolved: { requests: left.length, dollars } }),
  };
}
