/** The settings that every estimator has. An ablation file writes them with underscores; `kinds/files/ablation` derives it. */

import { z } from 'zod';
import type { Covariate } from '../data/data.ts';

/**
 * A field with a default here has the same one in every mode; the defaults of the others depend on the mode or the
 * estimator, see `configOf`.
 */
export const COMMON_OPTIONS = z.strictObject({
  /**
   * `recommended` is ours. `parity` follows cje-eval to the letter, defects included, so that its published results can
   * be reproduced; docs/statistics.md lists every difference.
   */
  mode: z.enum(['recommended', 'parity']).default('recommended'),
  /** How judge scores become rewards on the oracle's scale; `none` takes the judge at its word. */
  rewardCalibration: z.enum(['auto', 'monotone', 'two-stage', 'none']).default('auto'),
  /** Covariates of the calibration; any covariate implies two-stage. */
  covariates: z.array(z.enum(['response_length'])).default([]),
  /**
   * Scores and labels are preferences against the same other side, ½ a tie: each label also counts the other way round, so
   * that the calibration is antisymmetric, f(1 − s) = 1 − f(s).
   */
  antisymmetric: z.boolean().default(false),
  /** Self-normalised weights are clipped here, then renormalised; null for no clip. */
  weightClip: z.number().positive().nullable(),
  /** Cross-fitting folds K. */
  folds: z.int().min(2).max(50).default(5),
  /** Seed of the prompt-hash folds. */
  seed: z.int().min(0).default(42),
  /** Intervals cover 1 − alpha. */
  alpha: z.number().gt(0).lt(1).default(0.05),
  /** Add the oracle-uncertainty (jackknife) variance where rewards are calibrated. */
  oracleUncertainty: z.boolean(),
  /** Groups of that jackknife, at most; null jackknifes over the cross-fitting folds, as the library does. */
  jackknifeGroups: z.int().min(2).nullable(),
  /** Standard errors from influence functions, or from a bootstrap that refits the calibration on resampled prompts. */
  inference: z.enum(['analytic', 'bootstrap']).default('analytic'),
  /** Bootstrap replicates. */
  replicates: z.int().min(100).max(100_000).default(2000),
  /** Report the judge's own score variance as a component beside the sampling variance. */
  judgeUncertainty: z.boolean(),
  /** Drop a row for the policy that lacks its log probability, or (`list-wise`) for all policies. */
  deletion: z.enum(['per-policy', 'list-wise']),
  /** What to do with a response that has no judge score: refuse the estimate, or drop the row. */
  onMissingJudgeScore: z.enum(['refuse', 'drop']).default('refuse'),
  /** What doubly robust estimators do with a logged prompt that a policy did not answer. */
  onMissingFreshDraw: z.enum(['refuse', 'drop']).default('refuse'),
});

type Parsed = z.infer<typeof COMMON_OPTIONS>;

export type CommonOptions = Readonly<Omit<Parsed, 'covariates'>> & { readonly covariates: readonly Covariate[] };
export type Mode = CommonOptions['mode'];
export type InferenceKind = CommonOptions['inference'];
