/** What a report shows: plain values, as the kinds `estimate`, `dataset` and `truth` write them. */

import type { Scale } from './scale.ts';

/** One policy's result of one estimator: a row of `estimates/{scorer}/{estimator}`. */
export type EstimateRow = EstimatedRow | RefusedRow;

type EstimateCell = {
  readonly scorer: string;
  /** The ablation's name, such as `dr-cpo` or `snips-uncalibrated`. */
  readonly ablation: string;
  readonly estimator: string;
  readonly policy: string;
  /** Rows that the estimator used. */
  readonly n: number;
  readonly diagnostics: {
    /** Effective sample size of the weights in use, and of the raw weights; in rows. Null without weights. */
    readonly ess: number | null;
    readonly rawEss: number | null;
    /** Mean of exp(log ratio), 1 in expectation. */
    readonly meanRawWeight: number | null;
    /** Hill index of the upper tail of the raw weights; below 2 the variance is infinite. */
    readonly tailIndex: number | null;
    /** The largest weight's share of the sum. */
    readonly maxWeightShare: number | null;
  };
  /** True where generation was not at temperature 1: the weights are of other policies than those that answered. */
  readonly tempered: boolean;
};

export type EstimatedRow = EstimateCell & {
  readonly status: 'ok';
  /** In the labels' units, as the rest is. */
  readonly estimate: number;
  /** Of sampling, of the oracle slice, of extrapolation and of stabilised weights together; what the interval is made of. */
  readonly standardError: number;
  readonly samplingStandardError: number;
  readonly oracleStandardError: number;
  /**
   * Twice the covariance of these two, from prompts that are evaluated and have labels; a part of `standardError`², and
   * negative where they err against each other.
   */
  readonly sharedVariance: number;
  /** Of scores beyond the labelled ones, where the calibration is held flat; 0 where there are none. */
  readonly extrapolationStandardError: number;
  /** For the bias that stabilised weights may have left; absent where none are stabilised, or they moved nothing. */
  readonly stabilisationStandardError?: number | undefined;
  /** Of the judge's own stated uncertainty; not part of `standardError`. 0 for a deterministic judge. */
  readonly judgeStandardError: number;
  readonly lower: number;
  readonly upper: number;
  readonly degreesOfFreedom: number | null;
  readonly warnings: readonly EstimateWarning[];
};

export type EstimateWarning = {
  /** The gate that warns; null for what is no gate's. */
  readonly gate: string | null;
  /** Whether it is of what is taken for granted and nothing contradicts, as it is wherever there are few own labels. */
  readonly open: boolean;
  /** Goes on after the policy's name and a colon. */
  readonly text: string;
};

export type RefusedRow = EstimateCell & {
  readonly status: 'refused';
  /** The gate or rule that refused, such as `ess` or `no_labels`. */
  readonly gate: string;
  readonly reason: string;
  /** What to collect or change. */
  readonly collect: string;
};

/** `comparisons.json` of an estimate node: its estimated policies against each other. */
export type PolicyComparisons = {
  readonly scorer: string;
  readonly ablation: string;
  /** What the intervals cover, such as 0.95. */
  readonly confidence: number;
  readonly pairs: readonly PairComparison[];
  /** From best to worst; refused policies have no rank. */
  readonly ranks: readonly {
    readonly policy: string;
    readonly rank: number;
    /** Ranks that the paired comparisons leave open. */
    readonly bestRank: number;
    readonly worstRank: number;
    /** Share of draws from the estimates' joint law in which this policy is on top. */
    readonly probabilityOfBest: number;
  }[];
};

export type PairComparison = {
  readonly a: string;
  readonly b: string;
  /** Of a minus b, in the labels' units; paired by prompt. */
  readonly difference: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
  /** The interval that holds together with those of all other pairs. */
  readonly simultaneousLower: number;
  readonly simultaneousUpper: number;
  readonly pValue: number;
  /** Adjusted for the share of false discoveries (Benjamini and Hochberg). */
  readonly discoveryP: number;
  /** Adjusted for the chance of any false separation (max-t). */
  readonly familyP: number;
};

/** Whether the reward calibration, learnt on the logger's labels, holds on one policy's own. */
export type TransportResult = {
  readonly policy: string;
  readonly state: 'not-checked' | 'not-graded' | 'fail' | 'inconclusive' | 'pass';
  readonly labels: number;
  /** Mean of label minus reward, in the labels' units; null without labels, as the rest is. */
  readonly bias: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  /** Largest tolerable |bias|; null where none was declared. */
  readonly margin: number | null;
  /** The bias that an audit of this size finds four times out of five. */
  readonly detectableBias: number | null;
  /** About how many labels a policy without bias needs to pass; null where that cannot be said. */
  readonly labelsToPass: number | null;
  /** The labels are a probe's, which no fit and no estimate reads. */
  readonly probe?: true;
};

/** A gate and the value that it judged. */
export type GateResult = {
  readonly gate: string;
  readonly policy: string | null;
  readonly passed: boolean;
  readonly value: number | null;
  /** Such as `≥ 0.95`. */
  readonly bound: string;
  readonly note?: string;
};

/** Intervals are over prompts, 95 %. */
export type PositionBias = {
  readonly policy: string;
  readonly prompts: number;
  /** Mean preference for the policy where it stands first less where it stands second: 0 for a judge that minds no position. */
  readonly bias: number;
  readonly lower: number;
  readonly upper: number;
  /** Share of comparisons in which both orders prefer the same. */
  readonly consistent: number;
  readonly consistentLower: number;
  readonly consistentUpper: number;
};

/** `quality.json` of a dataset node. */
export type DatasetQuality = {
  readonly scorer: string;
  /** The logging policy; null for data without a log. */
  readonly logger: string | null;
  /** Target policies in the pipeline's order. */
  readonly targets: readonly string[];
  readonly prompts: number;
  /** Rows of the log; without a log, fresh draws. */
  readonly rows: number;
  /**
   * The lowest and the highest label: the units of rewards, labels and audits here, and of the estimates made from this
   * dataset. Absent for [0, 1].
   */
  readonly scale?: Scale;
  /** Labels that the calibration is learnt on, and those on target policies' own responses that check it. */
  readonly labels: { readonly calibration: number; readonly validation: Readonly<Record<string, number>> };
  /** Counts of rows that lack something, by what they lack. */
  readonly missing: Readonly<Record<string, number>>;
  /** Of each policy whose log probabilities were measured. */
  readonly logprobs: readonly {
    readonly policy: string;
    readonly usable: number;
    readonly zeroRate: number;
    readonly statuses: Readonly<Record<string, number>>;
    readonly tempered: boolean;
    /** The law that they are of, where it is not the model's own, and the most that a row may be off, nats. */
    readonly asSampled?: { readonly temperature: number; readonly topP: number; readonly bound: number };
  }[];
  /** Forced beside generated log probabilities, of each policy for which there are both; absent where nothing was kept. */
  readonly consistency?: readonly {
    readonly policy: string;
    readonly rows: number;
    /** Tokens that tell something: generation found them uncertain. */
    readonly informative: number;
    /** Of forced on generated, over these; null where there is none. */
    readonly slope: number | null;
    /** Nats a token: the median over rows of each row's median, and the largest of all. */
    readonly median: number;
    readonly largest: number;
    /** Rows by how the two agree. */
    readonly agreements: Readonly<Record<string, number>>;
  }[];
  /** Importance weights of each target policy over the usable rows. */
  readonly weights: readonly {
    readonly policy: string;
    readonly n: number;
    readonly mean: number;
    readonly meanLower: number;
    readonly meanUpper: number;
    readonly ess: number;
    /**
     * The share of logged responses that are typical of the target, and the factor by which that and unequal weights there
     * raise the least possible standard error; surprisal is per word. Null where lengths are unknown.
     */
    readonly typicality: { readonly coverage: number; readonly factor: number } | null;
    /** Quantiles 0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1 of the log ratio, nats. */
    readonly logRatioQuantiles: readonly number[];
    /** Counts of log ratios in equal bins from `histogramFrom` to `histogramTo`, nats. */
    readonly histogram: readonly number[];
    readonly histogramFrom: number;
    readonly histogramTo: number;
  }[];
  readonly scores: readonly {
    readonly policy: string;
    readonly n: number;
    readonly mean: number;
    readonly standardDeviation: number;
    readonly unparseable: number;
    /** Counts in 20 equal bins of [0, 1]. */
    readonly histogram: readonly number[];
  }[];
  /** Of a pairwise judge: how far it prefers whoever stands first; absent for judges that look at one response alone. */
  readonly positions?: readonly PositionBias[];
  /** The fitted reward calibration at its breakpoints, and the labelled points it was fitted to. */
  readonly calibration: {
    readonly mode: string;
    readonly curve: readonly (readonly [score: number, reward: number])[];
    readonly points: readonly (readonly [score: number, label: number])[];
    readonly rmse: number;
  } | null;
  /** The calibration on each target policy's own labels; empty without a log that it was learnt on. */
  readonly transport: readonly TransportResult[];
  readonly gates: readonly GateResult[];
};

/** The file of a truth node. */
export const TRUTH = 'truth.json';

/** `truth.json`: exact policy values where the world is simulated. */
export type Truth = {
  readonly available: boolean;
  /** Whether values are over the law of prompts or over the prompts of this run. */
  readonly population: 'prompt law' | 'these prompts' | null;
  readonly values: Readonly<Record<string, number>>;
};
