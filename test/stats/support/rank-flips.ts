import path from 'node:path';
import { type RewardFunction, rewardIndex } from '../../../src/stats/calibration/reward-function.ts';
import { type EvaluationData, inputsOf } from '../../../src/stats/data/data.ts';
import { ESTIMATORS, resolveConfig } from '../../../src/stats/estimators/registry.ts';
import type { EstimatorSettings } from '../../../src/stats/index.ts';
import { inferenceOf } from '../../../src/stats/inference/inference.ts';
import { evaluateIsotonic, fitIsotonic } from '../../../src/stats/numeric/isotonic.ts';
import { take } from '../../../src/stats/numeric/moments.ts';
import { type FreshView, freshView, loggedView } from '../../../src/stats/study/policy-view.ts';
import { type Prepared, prepareStudy, type Study } from '../../../src/stats/study/study.ts';
import { LIBRARY, readJson } from './reference-data.ts';

/**
 * A rank that the library counts differently: where it was evaluated, by which fit (`full`, or the fold left out), at
 * which score, by how many ranks; and the row, or the place among a prompt's draws, where one score has both ranks.
 */
export type RankFlip = readonly [where: string, fit: string, score: number, ranks: number, row?: number];

export interface TwoStageFit {
  readonly flips: readonly RankFlip[];
  /** {estimator: {policy: [estimate, standard error, lower, upper]}} with ties counted as equal. */
  readonly tied: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
}

/** Every recorded two-stage fit by its name: `CASE MODE`, or `grid SEED N COVERAGE`. Made by test/fixtures/library/make.py. */
export function twoStageFits(folder = LIBRARY): Readonly<Record<string, TwoStageFit>> {
  return readJson(path.join(folder, 'two-stage.json'));
}

/** Estimators that read the calibration through rewards alone, so that a flip can be put into those. */
export const FLIPPABLE: ReadonlySet<string> = new Set([
  'ips-unnorm',
  'snips',
  'raw-ips',
  'raw-ips-oua',
  'calibrated-ips',
  'calibrated-ips-nocv',
  'dr-cpo',
  'dr-cpo-raww',
]);

/** Ranks by which the library's evaluation differs, for one place and fit. */
type Moves = (score: number, row: number) => number;

function movesOf(flips: readonly RankFlip[], where: string, fit: string): Moves {
  const here = flips.filter((flip) => flip[0] === where && flip[1] === fit);
  return (score, row) => here.find((flip) => flip[2] === score && (flip[4] === undefined || flip[4] === row))?.[3] ?? 0;
}

/** The fit's index, with ranks moved. */
function indexMoved(fit: RewardFunction, scores: Float64Array, moves: Moves): Float64Array {
  return rewardIndex(fit, inputsOf(scores, [])).map((rank, i) => {
    const ranks = moves(scores[i]!, i);
    return ranks === 0 || fit.kind === 'monotone' ? rank : rank + ranks / fit.ranks.sorted.length;
  });
}

function rewardsMoved(fit: RewardFunction, scores: Float64Array, moves: Moves): Float64Array {
  return indexMoved(fit, scores, moves).map((at) => Math.min(Math.max(evaluateIsotonic(fit.isotonic, at), 0), 1));
}

/** The fits as the library has them, where a rank flips among the training rows themselves. */
function flippedFits(study: Study, flips: readonly RankFlip[]): readonly RewardFunction[] {
  const { withoutFold, labelledRows, foldOfRow } = study.calibration!;
  return withoutFold.map((fit, k) => {
    if (!flips.some(([where, name]) => where === 'fit' && name === String(k))) return fit;
    const rows = labelledRows.filter((row) => foldOfRow[row] !== k);
    const at = indexMoved(fit, take(study.logged.judgeScores, rows), movesOf(flips, 'fit', String(k)));
    return { ...fit, isotonic: fitIsotonic(at, take(study.logged.oracleLabels, rows), { bounds: [0, 1] }) };
  });
}

/** The study as the library sees it: the same rewards but for rows whose rank flips. */
function flippedStudy(study: Study, flips: readonly RankFlip[]): Study {
  const withoutFold = flippedFits(study, flips);
  const { full } = study.calibration!;
  const scores = study.logged.judgeScores;
  const by = (fit: RewardFunction, where: string, name: string) =>
    rewardsMoved(fit, scores, movesOf(flips, where, name));
  const crossFitted = withoutFold.map((fit, k) => by(fit, 'out-of-fold', String(k)));
  return {
    ...study,
    calibration: { ...study.calibration!, withoutFold },
    rewards: study.fullyLabelled ? study.rewards : by(full, 'rewards', 'full'),
    outOfFoldRewards: scores.map((_, i) => crossFitted[study.promptFolds[i]!]![i]!),
    jackknifeRewards: study.jackknifeFits.map((_, k) => by(withoutFold[k]!, 'jackknife', String(k))),
  };
}

/** The draws as the library sees them, prompt by prompt. */
function flippedFresh(study: Study, fresh: FreshView, flips: readonly RankFlip[]): FreshView {
  const { promptIds, judgeScores } = fresh.draws;
  const counts = new Map<string, number>();
  const place = promptIds.map((id) => {
    const before = counts.get(id) ?? 0;
    counts.set(id, before + 1);
    return before;
  });
  const by = (fit: RewardFunction, k: number) => {
    const moves = new Map(
      [...new Set(counts.values())].map((count) => [count, movesOf(flips, `draws of ${count}`, String(k))]),
    );
    const here: Moves = (score, j) => moves.get(counts.get(promptIds[j]!)!)!(score, place[j]!);
    return rewardsMoved(fit, judgeScores, here);
  };
  const rewards = study.calibration!.withoutFold.map(by);
  return {
    ...fresh,
    outOfFoldRewards: judgeScores.map((_, j) => rewards[fresh.folds[j]!]![j]!),
    jackknifeRewards: study.jackknifeFits.length === 0 ? [] : rewards,
  };
}

/**
 * A two-stage parity estimate with the library's flips put into it, for the {@link FLIPPABLE} estimators.
 * @returns {policy: [estimate, standard error, lower, upper]}.
 */
export function estimateFlipped(
  settings: EstimatorSettings,
  data: EvaluationData,
  flips: readonly RankFlip[],
): Record<string, readonly number[]> {
  const config = resolveConfig({ ...settings, mode: 'parity', rewardCalibration: 'two-stage' });
  const study = flippedStudy(value(prepareStudy(config, data)), flips);
  const estimator = ESTIMATORS.get(config.estimator);
  return Object.fromEntries(
    data.policies.map((policy) => {
      const fresh = flippedFresh(study, value(freshView(study, policy)), flips);
      const logged = value(loggedView(study, policy, estimator.needs.draws ? fresh : null));
      const computed = estimator.compute({ study, policy, logged, fresh }, config.options);
      if ('refusal' in computed) throw new Error(`Internal error: ${computed.refusal.message}`);
      const { standardError, interval } = inferenceOf(computed, config, null);
      return [policy, [computed.estimate, standardError, ...interval]];
    }),
  );
}

function value<T>(prepared: Prepared<T>): T {
  if (!prepared.ok) throw new Error(`Internal error: ${prepared.refusal.message}`);
  return prepared.value;
}
