/** How far a build is, as it writes it down beside its cache for who looks at it from another process. */

export interface BuildProgress {
  /** The process that builds; what another one left behind is of no build that runs. */
  readonly pid: number;
  readonly nodes: number;
  readonly finished: number;
  readonly bought: number;
  /** Dollars spent so far. */
  readonly cost: number;
  /** Share of the work that is done, in [0, 1]; null while it is not known how much there is. */
  readonly share: number | null;
  /** Milliseconds until the last call is settled, at the rate of lately; null where there is none. */
  readonly remaining: number | null;
  /** Dollars that the build is expected to come to; null where that is not known. */
  readonly expected: number | null;
  /** The nodes that are being made, by name. */
  readonly active: Readonly<Record<string, NodeAtWork>>;
}

export interface NodeAtWork {
  /** Null until the node knows how many items it has. */
  readonly items: number | null;
  readonly done: number;
  readonly bought: number;
  readonly cost: number;
  /** Calls a second, lately; null until there is something to measure. */
  readonly rate: number | null;
  readonly remaining: number | null;
}
