/** What a build is told beside its targets. */

import type { PipelineSettings } from '../core/storage.ts';
import type { BudgetLimits } from '../replies/budget.ts';
import type { Again } from './again.ts';
import type { BatchOptions } from './ports.ts';

export interface BuildOptions extends Again {
  /** Calls in flight and items in hand at once. */
  readonly jobs: number;
  /** `stop-new`: start nothing more, finish what runs. `continue`: go on with what does not depend on the failure. */
  readonly onFailure: 'stop-new' | 'continue';
  readonly offline: boolean;
  readonly limits: BudgetLimits;
  /** Absent: everything is bought online, and what is out in batches is waited for. */
  readonly batches?: BatchOptions;
  /** For the lock, so that another build can say who holds it. */
  readonly command: string;
  /** How this build reads its pipeline, for who looks at it meanwhile. */
  readonly settings?: PipelineSettings;
  /** Passes the time between two looks at a lock that another build holds; absent: it is not waited for. */
  readonly pause?: () => Promise<void>;
  /** Aborted on the first interrupt: admit nothing new, keep what lands. */
  readonly interrupt: AbortSignal;
  /** Aborted on the second: drop the calls in flight. */
  readonly kill: AbortSignal;
  /** Present for a look of a gate, with the id of the first look; null for that one. */
  readonly look?: { readonly of: string | null };
  /** Nodes that the user named; refused whole, they fail the build. */
  readonly named: ReadonlySet<string>;
}
