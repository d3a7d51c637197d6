import {
  originalCalibratedIps,
  originalDrCpo,
  originalIps,
  originalMrdr,
  originalSnips,
  originalUncertaintyDrCpo,
} from '../compat/original/original.ts';
import type { EstimatorName } from '../study/config.ts';
import type { Estimator } from '../study/estimator.ts';
import { calibratedIps } from './calibrated-ips.ts';
import { direct, naive } from './direct.ts';
import { directAugmented } from './direct-augmented.ts';
import { drAugmented } from './dr-augmented.ts';
import { drCpo } from './dr-cpo.ts';
import { ips, snips } from './importance-sampling.ts';
import { mrdr } from './mrdr.ts';
import { stackedDr } from './stacked-dr.ts';
import { tmle } from './tmle.ts';

/** Every estimator by name. A new one is an entry here and a name in config.ts. */
export const ESTIMATORS: Readonly<Record<EstimatorName, Estimator>> = {
  naive,
  direct,
  'direct-augmented': directAugmented,
  ips,
  snips,
  'calibrated-ips': calibratedIps,
  'dr-cpo': drCpo,
  mrdr,
  tmle,
  'stacked-dr': stackedDr,
  'dr-augmented': drAugmented,
  'original-ips': originalIps,
  'original-snips': originalSnips,
  'original-calibrated-ips': originalCalibratedIps,
  'original-dr-cpo': originalDrCpo,
  'original-mrdr': originalMrdr,
  'original-uncertainty-dr-cpo': originalUncertaintyDrCpo,
};
