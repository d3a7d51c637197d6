/** An ablation file: which estimator, with which settings. */

import { z } from 'zod';
import type { Gates } from '../../datasets/gates-file.ts';
import { ESTIMATOR_NAMES, type EstimatorSettings, resolveConfig } from '../../stats/index.ts';

export const ablationSchema = z
  .strictObject({
    estimator: z.enum(ESTIMATOR_NAMES),
    /** `recommended` is ours; `parity` follows the published library to the letter. */
    mode: z.enum(['recommended', 'parity']).default('recommended'),
    /** How judge scores become rewards on the oracle's scale; `none` takes the judge at its word. */
    reward_calibration: z.enum(['auto', 'monotone', 'two-stage', 'none']).default('auto'),
    covariates: z.array(z.enum(['response_length'])).default([]),
    weights: z.enum(['raw', 'calibrated']).optional(),
    weight_clip: z.number().positive().nullable().optional(),
    cross_fit_weights: z.boolean().optional(),
    mrdr_weighting: z.enum(['w', 'w2', 'snips']).optional(),
    tmle_link: z.enum(['logit', 'identity']).optional(),
    folds: z.int().min(2).max(50).default(5),
    seed: z.int().min(0).default(42),
    alpha: z.number().gt(0).lt(1).default(0.05),
    /** Add the calibration's own variance to the sampling variance. */
    oracle_uncertainty: z.boolean().optional(),
    /** Groups of the jackknife behind that variance, at most; null takes the cross-fitting folds. */
    jackknife_groups: z.int().min(2).nullable().optional(),
    /** `bootstrap` refits the calibration on resampled prompts; with `direct` and `direct-augmented` only. */
    inference: z.enum(['analytic', 'bootstrap']).default('analytic'),
    /** Resamples of that bootstrap. */
    replicates: z.int().min(100).max(100_000).default(2000),
    /** Show what the judge's own stated variance would add; absent: where the judge states one. */
    judge_uncertainty: z.boolean().optional(),
    /** Drop a row for the policy that lacks its log probability, or, as the library does, for all policies. */
    deletion: z.enum(['per-policy', 'list-wise']).optional(),
    /** What to do with a response that has no judge score: refuse the estimate, or drop the row and count it. */
    on_missing_judge_score: z.enum(['refuse', 'drop']).default('refuse'),
    /** What doubly robust estimators do with a prompt that a policy did not answer. */
    on_missing_fresh_draw: z.enum(['refuse', 'drop']).default('refuse'),
  })
  .superRefine((ablation, context) => {
    try {
      resolveConfig(estimatorSettings(ablation as Ablation, undefined, false));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

export type Ablation = z.infer<typeof ablationSchema>;

/** The settings in the words of `stats`. */
export function estimatorSettings(
  ablation: Ablation,
  gates: Gates['overlap'] | undefined,
  judgeUncertainty: boolean,
): EstimatorSettings {
  return {
    estimator: ablation.estimator,
    mode: ablation.mode,
    rewardCalibration: ablation.reward_calibration,
    covariates: ablation.covariates,
    folds: ablation.folds,
    seed: ablation.seed,
    alpha: ablation.alpha,
    onMissingJudgeScore: ablation.on_missing_judge_score,
    onMissingFreshDraw: ablation.on_missing_fresh_draw,
    inference: ablation.inference,
    replicates: ablation.replicates,
    judgeUncertainty: ablation.judge_uncertainty ?? judgeUncertainty,
    ...defined({
      weights: ablation.weights,
      weightClip: ablation.weight_clip,
      crossFitWeights: ablation.cross_fit_weights,
      mrdrWeighting: ablation.mrdr_weighting,
      tmleLink: ablation.tmle_link,
      oracleUncertainty: ablation.oracle_uncertainty,
      jackknifeGroups: ablation.jackknife_groups,
      deletion: ablation.deletion,
    }),
    gates: defined({
      minimumRows: gates?.minimum_rows,
      minimumOwnLabels: gates?.minimum_own_labels,
      minimumEss: gates?.minimum_ess,
      minimumEssFraction: gates?.minimum_ess_fraction,
      warnEssFraction: gates?.warn_ess_fraction,
      minimumTailIndex: gates?.minimum_tail_index,
      warnTailIndex: gates?.warn_tail_index,
      maximumRowShare: gates?.maximum_row_share,
      maximumLogMeanWeight: gates?.maximum_log_mean_weight,
      warnOutOfRange: gates?.warn_out_of_range,
      maximumOutOfRange: gates?.maximum_out_of_range,
      maximumIdentificationWidth: gates?.maximum_identification_width,
      minimumLabelSupport: gates?.minimum_label_support,
      warnLabelSupport: gates?.warn_label_support,
      warnSaturation: gates?.warn_saturation,
      maximumStabilisationShift: gates?.maximum_stabilisation_shift,
      transportMargin: gates?.transport_margin,
    }),
  };
}

/** The members that are set; `exactOptionalPropertyTypes` tells absent from undefined. */
function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
