/** The choices of cje-eval, defects included, so that its published results can be reproduced. */

import { type Choices, type LibraryVersion, RECOMMENDED } from '../../study/choices.ts';
import type { Mode } from '../../study/options.ts';

const VERSION_0_3: Choices = {
  // The library's SNIPS has no calibrator, hence no oracle term: its interval is too short with few labels.
  defaults: {
    weights: 'calibrated',
    jackknifeGroups: null,
    deletion: 'list-wise',
    judgeTuning: 'none',
    plainWeightsOracleTerm: false,
  },
  bootstrap: 'not-offered',
  failedGate: 'warn',
  loggedPolicy: 'leave-out',
  calibrationRows: 'log',
  modeRule: 'library',
  fewLabels: 'refuse',
  constantJudge: 'accept',
  oracleTermOfLabelledLog: 'leave-out',
  boundaryScores: 'logged',
  labelSupport: 'leave-out',
  labelBalance: 'leave-out',
  rareLabels: 'ignore',
  sharedPrompts: 'ignore',
  extrapolationVariance: 'leave-out',
  stabilisationVariance: 'leave-out',
  skewness: 'ignore',
  // K − 1 = 4 with five folds, whatever the terms' sizes.
  degreesOfFreedom: 'smallest',
  // Without an oracle term and with a normal test: it calls near ties significant.
  pairing: 'position',
  pairedPrompts: 'union',
  clusters: 'fold',
  drawClusters: 'prompt-if-shared',
  weightedInfluence: 'cross-fitted',
  // This counts the calibration's shift twice.
  jackknifeMoves: 'all-but-logged-outcome',
  outcomeRows: 'any-policy',
  weightedOutcomeFolds: 'shuffled',
  stackedRows: 'last-of-prompt',
  rowOrder: 'given',
  stabilisationFolds: 'shuffled',
};

const VERSION_0_6: Choices = { ...VERSION_0_3, calibrationRows: 'pooled-draws', pairing: 'prompt' };

const CJE_EVAL: Readonly<Record<LibraryVersion, Choices>> = { '0.3': VERSION_0_3, '0.6': VERSION_0_6 };

/** @param version the one that the estimator follows in parity. */
export function choicesOf(mode: Mode, version: LibraryVersion): Choices {
  return mode === 'parity' ? CJE_EVAL[version] : RECOMMENDED;
}
