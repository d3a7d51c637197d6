/** A plan: what a build would run, buy and cost, node by node and in sum. */

import type { KeyedCall } from '../../core/call.ts';
import type { BuildRecord } from '../../core/storage.ts';
import type { Again } from '../again.ts';
import type { Cause, Requests } from '../cause.ts';
import type { PartChange } from '../keys.ts';
import type { Ports } from '../ports.ts';
import type { RequestDifference } from '../requests.ts';
import type { BatchedCalls, PlannedCalls } from './plan-cost.ts';

/** Digests of a node's own parts by name, with the names of upstream nodes in place of their outputs. */
export type PartDigests = Readonly<Record<string, string>>;

export type PlanPorts = Pick<Ports, 'kinds' | 'store' | 'sources' | 'prices' | 'protocols'>;

export interface PlannedNode {
  readonly node: string;
  readonly stage: string;
  readonly kind: string;
  readonly action: 'cached' | 'run';
  /** Why it is not up to date, or that it is. */
  readonly why: Cause;
  /** What its items ask; absent where they ask nothing, or none of them is known. */
  readonly requests?: Requests;
  /** Null while the outputs that it depends on are not known. */
  readonly key: string | null;
  /** Parts of the key that differ from the last build's, as far as they are known. */
  readonly changes: readonly PartChange[];
  /** Digests of the node's own parts, so that a saved plan knows what it was made from. */
  readonly parts: PartDigests;
  /** Upstream nodes whose outputs are not known before they run. */
  readonly waitsFor: readonly string[];
  readonly items: number;
  /** Items that ask something which is not stored, as far as their requests can be built. */
  readonly unsettled: number;
  /** Distinct calls that the store answers. */
  readonly hits: number;
  /** Calls to buy; one that an earlier node of the plan would buy is not counted again. */
  readonly calls: number;
  /** False where `calls` is a bound: the requests depend on replies that are not bought yet. */
  readonly exact: boolean;
  readonly models: readonly PlannedCalls[];
}

interface PlannedDollars {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
  /** What the calls cannot pass; null where a request cannot be built yet. */
  readonly atMost: number | null;
}

export interface Plan {
  readonly experiment: string;
  readonly profile: string;
  readonly targets: readonly string[];
  readonly nodes: readonly PlannedNode[];
  readonly calls: number;
  readonly exact: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly dollars: PlannedDollars | null;
  /** Dollars of `dollars.expected` that are not simulated. */
  readonly realDollars: number | null;
  /** Minutes at the configured limits of the slowest provider; 0 where none has a limit. */
  readonly minutes: number;
  /** Those of the calls that can be bought in batches; absent where none can. */
  readonly batch?: BatchedCalls;
  /** Totals by provider and model. */
  readonly models: readonly PlannedCalls[];
  /** Models that would be asked and have no price. */
  readonly unpriced: readonly string[];
  /** Some requests that change, beside those of the last build. */
  readonly examples: readonly RequestDifference[];
}

export interface PlanOptions extends Again {
  /** Compare with this build instead of the last. */
  readonly since?: BuildRecord;
  /** Keep what was evaluated in memory after the plan is made. */
  readonly keepRows?: boolean;
  /** Count calls from the sizes of inputs alone, without building a request: quick, and too many where replies are stored. */
  readonly fromSizes?: boolean;
  /** How many changed requests to show; 0 unless told. */
  readonly examples?: number;
}

/** An item whose request is not stored, and that request. */
export interface MissingItem {
  readonly node: string;
  readonly item: string;
  readonly call: KeyedCall;
}
