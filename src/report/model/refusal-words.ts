/** Why a policy has no estimate, and what would give it one, in words for a reader who knows no gate by its name. */

import type { RefusedRow } from '../../datasets/results.ts';
import type { Refusal } from '../../stats/index.ts';

interface RefusalWords {
  /** Goes on after the policy's name and a colon. */
  readonly why: string;
  /** The one thing to do. */
  readonly remedy: string;
}

const CHECK_LOG_PROBABILITIES = 'check the log probabilities: template, model and temperature';
const MORE_OVERLAP = 'label some of its own answers and use direct-augmented, or log a policy closer to it';
const OWN_LABELS = 'label some of its own answers (direct-augmented uses them)';

const OF_ESTIMATES: Record<Refusal['code'], RefusalWords> = {
  'bad-input': { why: 'its rows hold values that cannot be used', remedy: 'mend the rows that --full names' },
  'scores-out-of-scale': { why: 'scores or labels lie outside their scale', remedy: 'write the right `scale:`' },
  'missing-judge-scores': { why: 'answers lack a judge score', remedy: 'ask for them again with --retry-failed' },
  'missing-covariate': { why: 'a column that the calibration reads is missing', remedy: 'add the column to every row' },
  'no-oracle-labels': { why: 'no answer has a label yet', remedy: 'label some answers' },
  'too-few-oracle-labels': { why: 'too few answers have a label', remedy: 'label more answers' },
  'too-few-own-labels': { why: 'too few of its own answers have a label', remedy: 'label more of its own answers' },
  'labels-not-random': {
    why: 'the labelled answers are not a random share of all',
    remedy: 'label answers drawn at random, such as those of `cje export --format labels`',
  },
  'uninformative-judge': {
    why: 'the judge gives every labelled answer the same score',
    remedy: 'sharpen the rubric, or label answers with other scores',
  },
  'too-few-rows': { why: 'it has too few usable answers', remedy: 'use more prompts' },
  'no-log-probabilities': {
    why: 'the logged answers have no log probability of it',
    remedy: 'build its log probabilities, or use an estimator without weights (direct)',
  },
  'mean-raw-weight': { why: 'its answers and the logged ones hardly overlap', remedy: MORE_OVERLAP },
  'low-effective-sample-size': { why: 'only a few logged answers speak for it', remedy: MORE_OVERLAP },
  'heavy-tail': { why: 'one or a few logged answers decide everything', remedy: CHECK_LOG_PROBABILITIES },
  'stabilisation-bias': {
    why: 'smoothed weights pull it towards the logged policy',
    remedy: 'use snips, or dr-cpo with answers of its own',
  },
  'no-fresh-draws': { why: 'it has no answers of its own', remedy: 'build its responses and their scores' },
  'missing-fresh-draws': {
    why: 'it lacks answers to some prompts, or their scores',
    remedy: 'ask for them again with --retry-failed',
  },
  'outside-calibration-range': { why: 'its scores lie where no answer has a label', remedy: OWN_LABELS },
  'low-label-support': { why: 'few answers with scores like its own have a label', remedy: OWN_LABELS },
  'transport-failed': { why: 'labels say that the judge is off for it', remedy: OWN_LABELS },
  'not-finite': { why: 'the number is not finite', remedy: CHECK_LOG_PROBABILITIES },
};

const UNUSABLE_LOG_PROBABILITIES: RefusalWords = {
  why: 'too few of its log probabilities can be used',
  remedy: 'see their statuses in the report, mend them, and ask again with --retry-failed',
};
const CLONE_OFF: RefusalWords = {
  why: 'a second sample of the logged policy is not weighed as one',
  remedy: CHECK_LOG_PROBABILITIES,
};
const INCONSISTENT: RefusalWords = {
  why: 'its log probabilities are not those that it was sampled with',
  remedy: CHECK_LOG_PROBABILITIES,
};

/** Gates on a dataset, by name. */
const OF_DATA: Readonly<Record<string, RefusalWords>> = {
  usable_share: UNUSABLE_LOG_PROBABILITIES,
  zero_rate: UNUSABLE_LOG_PROBABILITIES,
  clone_mean_weight: CLONE_OFF,
  clone_ess: CLONE_OFF,
  consistency_slope: INCONSISTENT,
  consistency_token: INCONSISTENT,
  consistency_share: INCONSISTENT,
  retokenized_share: INCONSISTENT,
};

const KNOWN = new Map(Object.entries({ ...OF_ESTIMATES, ...OF_DATA }));

/** In its own words where the gate is an estimator's of one's own. */
export function refusalWords({ gate, reason, collect }: Pick<RefusedRow, 'gate' | 'reason' | 'collect'>): RefusalWords {
  return KNOWN.get(gate) ?? { why: reason, remedy: collect };
}
