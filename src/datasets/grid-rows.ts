/** What a grid of estimates on subsets of a labelled dataset says: one row a cell and policy. */

type GridCellName = {
  readonly ablation: string;
  readonly estimator: string;
  readonly reward_calibration: string;
  /** Covariates of the calibration, joined by `+`; empty for none. */
  readonly covariates: string;
  /** Prompts of the cell. */
  readonly sample_size: number;
  /** Share of them whose label the estimator saw. */
  readonly oracle_coverage: number;
  readonly seed: number;
};

/** A row of a `grid` node. */
export type GridRow = GridCellName & {
  readonly policy: string;
  /** The mean of all held labels of the policy's own responses: what the estimate is for. */
  readonly held: number;
  /** The standard error of that mean. */
  readonly held_error: number;
} & (
    | {
        readonly status: 'ok';
        readonly estimate: number;
        readonly standard_error: number;
        readonly lower: number;
        readonly upper: number;
        readonly covered: boolean;
        readonly n: number;
      }
    | { readonly status: 'refused'; readonly gate: string }
  );

/** How a method did over many cells. Means are over (cell, policy) pairs that were estimated; null where there is none. */
export type GridScore = {
  readonly cells: number;
  /** Share of (cell, policy) pairs that were refused. */
  readonly refused: number;
  readonly bias: number | null;
  readonly rmse: number | null;
  /** √ of the mean squared error less what the held labels' own error puts into it. */
  readonly rmseDebiased: number | null;
  readonly coverage: number | null;
  readonly meanWidth: number | null;
  /** Width plus 2/α times what a missed value lies outside: small for short intervals that cover. */
  readonly intervalScore: number | null;
  /** Geometric mean of the standard errors. */
  readonly standardError: number | null;
  /** Mean of Kendall's tau-b of a cell's estimated policies against the held order. */
  readonly kendallTau: number | null;
  /** Share of pairs of estimated policies in the held order; equal held values do not count. */
  readonly pairwiseAccuracy: number | null;
  /** Share of cells whose highest estimate is that of the truly best policy; a refused best policy counts as missed. */
  readonly topOneAccuracy: number | null;
};

export type MethodName = {
  readonly ablation: string;
  readonly estimator: string;
  readonly reward_calibration: string;
  readonly covariates: string;
};

export type MethodScore = MethodName & GridScore;
export type CellScore = MethodName & Pick<GridRow, 'sample_size' | 'oracle_coverage'> & GridScore;
