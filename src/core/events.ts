/**
 * What a build says while it runs: one union, one stream, any number of listeners. `--json` prints these as they are,
 * so a field's name and meaning are stable within a version.
 */

import type { CallFailure } from './call.ts';
import type { ExitCode, Problem } from './problem.ts';
import type { Summary } from './summary.ts';

/** 2: `billed` and a node's `cost` count what usage shows; what may have been billed beside it is `unknown`. */
export const EVENTS_VERSION = 2;

export type NodeOutcome = 'run' | 'cached' | 'failed' | 'refused' | 'skipped';

export interface Totals {
  readonly nodes: Readonly<Record<NodeOutcome, number>>;
  /** `cached` counts the look-ups that this build made: a node whose key is unchanged makes none. */
  readonly calls: { readonly bought: number; readonly cached: number; readonly failed: number };
  readonly cost: {
    /** Dollars billed by this build, by reported usage. */
    readonly billed: number;
    /** Dollars set aside for tries whose outcome is unknown: they may have been billed. Records of old lack it. */
    readonly unknown?: number;
    /** Dollars that cached replies would have cost in the nodes that ran. */
    readonly saved: number;
    /** Dollars that what came in batches cost less than the same online; absent where nothing did. */
    readonly discount?: number;
    /** Dollars to make everything that the targets reach from nothing; null where a price is unknown or a node was not made. */
    readonly reproduce: number | null;
  };
}

/** The totals of a command that has made no node and asked nothing. */
export const NOTHING_DONE: Totals = {
  nodes: { run: 0, cached: 0, failed: 0, refused: 0, skipped: 0 },
  calls: { bought: 0, cached: 0, failed: 0 },
  cost: { billed: 0, unknown: 0, saved: 0, reproduce: null },
};

export type BuildEvent =
  | {
      readonly type: 'started';
      readonly version: typeof EVENTS_VERSION;
      readonly experiment: string;
      readonly profile: string;
      readonly targets: readonly string[];
      /** Nodes that the targets reach. */
      readonly nodes: number;
      /** The same by stage, in the order of the graph; absent where nothing is built. */
      readonly stages?: Readonly<Record<string, number>>;
    }
  | ExpectedWork
  | {
      readonly type: 'node-started';
      readonly node: string;
      readonly stage: string;
      readonly kind: string;
      readonly reason: string;
    }
  | { readonly type: 'node-items'; readonly node: string; readonly items: number }
  | NodeProgress
  | {
      readonly type: 'node-finished';
      readonly node: string;
      readonly stage: string;
      readonly outcome: NodeOutcome;
      /** Present where a cap or an interrupt stopped it, which is no failure: the next build goes on with it. */
      readonly unfinished?: true;
      readonly summary?: Summary;
      /** Why it failed, was refused or skipped. */
      readonly reason?: string;
      readonly calls: { readonly bought: number; readonly cached: number; readonly failed: number };
      /** Dollars billed. */
      readonly cost: number;
      /** Dollars set aside for tries of unknown outcome; absent where there were none. */
      readonly unknown?: number;
      readonly milliseconds: number;
    }
  | WorkersAtWork
  | {
      readonly type: 'work-returned';
      readonly node: string;
      readonly reason: 'worker-gone' | 'given-back' | 'failed';
    }
  | {
      readonly type: 'call-retry';
      readonly node: string;
      readonly failure: CallFailure;
      readonly waitMilliseconds: number;
    }
  | { readonly type: 'call-failed'; readonly node: string; readonly item: string; readonly failure: CallFailure }
  | { readonly type: 'provider-stopped'; readonly identity: string; readonly failure: CallFailure }
  | {
      readonly type: 'budget-reached';
      readonly limit: 'cost' | 'calls';
      readonly spent: number;
      readonly bound: number;
    }
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'note'; readonly text: string }
  | ({
      readonly type: 'finished';
      readonly exit: ExitCode;
      readonly build: string | null;
      readonly milliseconds: number;
    } & Totals);

/** What is left to do as the build begins, from its plan; sent once, and not where everything is up to date. */
export interface ExpectedWork {
  readonly type: 'planned';
  /** Calls to buy, at most. */
  readonly calls: number;
  /** Dollars that they are expected to cost; null where a price is unknown. */
  readonly dollars: number | null;
  /** The nodes that may buy, by name. */
  readonly nodes: Readonly<Record<string, { readonly items: number; readonly dollars: number | null }>>;
}

/** Where heavy work is, of a build that has workers; sent when it changes, at most once a second. */
export interface WorkersAtWork {
  readonly type: 'workers';
  /** Workers of this build's code that were heard of lately, and how many jobs they take at once. */
  readonly workers: number;
  readonly places: number;
  /** Jobs that wait, that workers have in hand, and that came back done. */
  readonly waiting: number;
  readonly inHand: number;
  readonly done: number;
  /** Jobs that are being done by the build itself. */
  readonly here: number;
}

/** Counts of one node so far; sent at most a few times a second. */
export interface NodeProgress {
  readonly type: 'node-progress';
  readonly node: string;
  /** Items whose row is settled. */
  readonly done: number;
  readonly items: number;
  readonly bought: number;
  readonly cached: number;
  readonly failed: number;
  readonly inFlight: number;
  /** Dollars billed. */
  readonly cost: number;
}

export type Listener = (event: BuildEvent) => void;
