/** Which way a computation goes where the published library goes another than ours. */

import type { ModeRule } from '../calibration/mode-choice.ts';

/** Weights of the doubly robust estimators: self-normalised raw ones, or SIMCal-stabilised ones. */
export type WeightKind = 'raw' | 'calibrated';

/** Versions of cje-eval that an estimator can follow in parity. */
export type LibraryVersion = '0.3' | '0.6';

/** Defaults of settings that depend on whom a computation follows. */
export interface DefaultSettings {
  readonly weights: WeightKind;
  /** Groups of the oracle-uncertainty jackknife, at most; null jackknifes over the cross-fitting folds. */
  readonly jackknifeGroups: number | null;
  readonly deletion: 'per-policy' | 'list-wise';
  /** Whether the weight of the judge in a mean with own labels is tuned. */
  readonly judgeTuning: 'tuned' | 'none';
  /** Whether plain importance sampling adds the oracle-uncertainty term. */
  readonly plainWeightsOracleTerm: boolean;
}

/** One record, made once for an estimator and a mode, so that no function asks for the mode. */
export interface Choices {
  readonly defaults: DefaultSettings;
  /** Whether standard errors may come from the bootstrap. */
  readonly bootstrap: 'offered' | 'not-offered';
  /** Whether a failed gate withholds the number, or only marks it. */
  readonly failedGate: 'refuse' | 'warn';

  /** Whether the policy that wrote the log is estimated beside the others. */
  readonly loggedPolicy: 'estimate' | 'leave-out';

  /** What the calibration is fitted on: never more than the log, or the labelled draws of all policies, pooled. */
  readonly calibrationRows: 'log' | 'pooled-draws';
  /** How `auto` chooses between the calibration's modes. */
  readonly modeRule: ModeRule;
  /** With few labels: fewer folds, down to 2 with 4 labelled prompts; or a refusal below two labels a fold. */
  readonly fewLabels: 'fewer-folds' | 'refuse';
  /** One score on all labelled rows. */
  readonly constantJudge: 'refuse' | 'accept';
  /** The calibration's error in estimators that read it although every logged row has a label. */
  readonly oracleTermOfLabelledLog: 'count' | 'leave-out';

  /** What the boundary card looks at, for an estimator that weighs the log and has draws. */
  readonly boundaryScores: 'own-draws' | 'logged';
  readonly labelSupport: 'measure' | 'leave-out';
  /** Whether labelled rows look like the others. */
  readonly labelBalance: 'test' | 'leave-out';
  /** The interval where labels are nearly all of one value. */
  readonly rareLabels: 'pseudo-labels' | 'ignore';
  /** Whether labels and evaluated rows of one prompt are known to be dependent. */
  readonly sharedPrompts: 'count' | 'ignore';
  /** The variance that scores outside the labelled range leave open. */
  readonly extrapolationVariance: 'add' | 'leave-out';
  /** The variance for the bias that stabilised weights may have left in a level. */
  readonly stabilisationVariance: 'add' | 'leave-out';
  /** The interval of un-normalised weights, which are skewed. */
  readonly skewness: 'correct' | 'ignore';
  /** Of a sum of variances: weighed by their sizes (Welch and Satterthwaite), or the smaller of the two. */
  readonly degreesOfFreedom: 'weighed' | 'smallest';
  /** Influence values of two policies meet by prompt, or by their place in the columns. */
  readonly pairing: 'prompt' | 'position';
  /** Over which prompts two policies are compared: those of both, or of either. */
  readonly pairedPrompts: 'common' | 'union';

  /** Standard errors clustered by prompt, or by the fold of what was cross-fitted, rows independent where nothing was. */
  readonly clusters: 'prompt' | 'fold';
  /** Draws of the direct method are clustered by prompt: always, or only where all policies have the same prompts. */
  readonly drawClusters: 'prompt' | 'prompt-if-shared';
  /** Rewards in the influence values of self-normalised weights: in sample, or cross-fitted beside an oracle term. */
  readonly weightedInfluence: 'in-sample' | 'cross-fitted';
  /** What a jackknife of a doubly robust estimate moves: every term, or all but the outcome model on the log. */
  readonly jackknifeMoves: 'all' | 'all-but-logged-outcome';
  /** Rows that an outcome model of its own is trained on: the policy's, or those with any policy's log probability. */
  readonly outcomeRows: 'policy' | 'any-policy';
  /** Folds of the weighted outcome model: the calibration's, or shuffled row numbers. */
  readonly weightedOutcomeFolds: 'prompt' | 'shuffled';
  /** Rows of a stacked estimate: all, or the last of each prompt. */
  readonly stackedRows: 'all' | 'last-of-prompt';
  /** Rows are summed by prompt, so that no order of a file's rows shows, or as they are given. */
  readonly rowOrder: 'prompt' | 'given';
  /** Inner folds of the weight stabilisation where there is no calibration: by prompt, or shuffled row numbers. */
  readonly stabilisationFolds: 'prompt' | 'shuffled';
}

/** Ours. */
export const RECOMMENDED: Choices = {
  defaults: {
    weights: 'raw',
    jackknifeGroups: 40,
    deletion: 'per-policy',
    judgeTuning: 'tuned',
    plainWeightsOracleTerm: true,
  },
  bootstrap: 'offered',
  failedGate: 'refuse',
  loggedPolicy: 'estimate',
  // A judge that drifts on one policy would bend a pooled calibration for all.
  calibrationRows: 'log',
  modeRule: 'margin',
  fewLabels: 'fewer-folds',
  constantJudge: 'refuse',
  oracleTermOfLabelledLog: 'count',
  boundaryScores: 'own-draws',
  labelSupport: 'measure',
  labelBalance: 'test',
  rareLabels: 'pseudo-labels',
  sharedPrompts: 'count',
  extrapolationVariance: 'add',
  stabilisationVariance: 'add',
  skewness: 'correct',
  // A small oracle term on 4 degrees of freedom must not widen an interval whose variance rests on hundreds of prompts.
  degreesOfFreedom: 'weighed',
  pairing: 'prompt',
  pairedPrompts: 'common',
  clusters: 'prompt',
  drawClusters: 'prompt',
  weightedInfluence: 'in-sample',
  jackknifeMoves: 'all',
  outcomeRows: 'policy',
  weightedOutcomeFolds: 'prompt',
  stackedRows: 'all',
  rowOrder: 'prompt',
  // Hashed, so that results do not depend on the order of rows.
  stabilisationFolds: 'prompt',
};
