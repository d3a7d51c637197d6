/** Which logged rows to label next, by known probability. */

import { blake2b } from '@noble/hashes/blake2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { predictReward } from './calibration/reward-function.ts';
import type { EvaluationData } from './data/data.ts';
import type { Refusal } from './data/refusal.ts';
import { resolveConfig } from './estimators/registry.ts';
import { indicesWhere, mean, quantileOfSorted, sum, tabulate } from './numeric/moments.ts';
import type { CommonSettings } from './study/config.ts';
import { prepareStudy } from './study/study.ts';

/** One row of the log, and the chance that it has a label once those asked for are in. */
interface Allocated {
  readonly promptId: string;
  /** Which of the prompt's rows it is, 0, 1, … as they stand in the log; absent where there is one. */
  readonly draw?: number;
  /** Whether it is to be labelled now. */
  readonly chosen: boolean;
  /** Of having been labelled before, at random, or now. */
  readonly labelPropensity: number;
}

interface AllocationOptions {
  /** Labels wanted, in expectation. */
  readonly labels: number;
  readonly seed: number;
}

/** No row's probability is below this share of the mean one, so that none is out of reach. */
const LEAST = 0.2;
/** Most bins of the scores, and labels that each should have. */
const BINS = 20;
const LABELS_A_BIN = 6;
/** Labels that a calibration meets but for rounding say nothing of where they scatter. */
const NO_SPREAD = 1e-9;
/**
 * Of twice the log likelihood: the best of some twenty cuts of normal residuals gains as much by chance about once in a
 * hundred times.
 */
const EVIDENCE = 12;

/**
 * Neyman's allocation on the calibration's residual variance (1934; Zrnic and Candès, Active statistical inference,
 * arXiv 2403.03208): with m labels in all, those of before among them, a row's probability is
 *
 *   π_i = max(p_i, 0.2 m/n, min(1, τ v(S_i)√û^(−k)(S_i))),  Σπ = m
 *
 * with p_i that of the labels of before: `labelPropensities`, else their share. û is the mean squared residual by parts of
 * the scores, as few as the labels can tell apart, made of calibration and labels without the row's fold: were a label to
 * decide on its own probability, those met closely by chance would weigh most, and intervals be too short. v is the mean
 * over policies of their draws' share of a bin over the log's, which is how a label there weighs in a calibrated mean. Rows
 * with a label are not asked for again; another is drawn with probability (π_i − p_i)/(1 − p_i): where a hash of its name
 * and the seed, on [0, 1), lies below.
 *
 * @example
 * allocateLabels({ estimator: 'direct' }, data, { labels: 50, seed: 1 }).rows.length // 400
 */
export function allocateLabels(
  settings: CommonSettings,
  data: EvaluationData,
  { labels, seed }: AllocationOptions,
): { readonly ok: true; readonly rows: readonly Allocated[] } | { readonly ok: false; readonly refusal: Refusal } {
  const study = prepareStudy(resolveConfig(settings), data);
  if (!study.ok) return study;
  const { logged, inputs, calibration, promptFolds } = study.value;
  const { promptIds, judgeScores, oracleLabels } = logged;
  const n = promptIds.length;
  const labelled = indicesWhere(n, (i) => !Number.isNaN(oracleLabels[i]!));
  const bins = binsOf(judgeScores, Math.min(BINS, Math.max(2, Math.floor(labelled.length / LABELS_A_BIN))));
  const draws = [...data.freshDraws.values()].map((of) => of.judgeScores.filter((s) => !Number.isNaN(s)));
  const weights = relevance(bins, judgeScores, draws);
  const spreadWithout = (fold: number) => {
    const rewards = calibration === null ? judgeScores : predictReward(calibration.withoutFold[fold]!, inputs);
    const others = labelled.filter((i) => promptFolds[i] !== fold);
    const spread = residualSpread(
      Array.from(others, (i) => ({ score: judgeScores[i]!, square: (oracleLabels[i]! - rewards[i]!) ** 2 })),
    );
    // In proportion to the log's mean: that other labels scatter more in one fold is no reason to ask for more of it.
    const of = judgeScores.map(spread);
    const level = mean(of);
    return of.map((value) => (level > NO_SPREAD ? value / level : 1));
  };
  const spreads = new Map(Array.from(new Set(promptFolds), (fold) => [fold, spreadWithout(fold)]));
  const wanted = judgeScores.map((score, i) => weights[bins.of(score)]! * spreads.get(promptFolds[i]!)![i]!);
  const before = logged.labelPropensities ?? new Float64Array(n).fill(labelled.length / n);
  const propensities = probabilities(wanted, before, sum(before) + labels);
  const names = namesOf(promptIds, judgeScores);
  return {
    ok: true,
    rows: promptIds.map((promptId, i) => ({
      promptId,
      ...(names[i]!.draw === undefined ? {} : { draw: names[i]!.draw }),
      chosen:
        Number.isNaN(oracleLabels[i]!) &&
        uniformOf(names[i]!.name, seed) < (propensities[i]! - before[i]!) / (1 - before[i]!),
      labelPropensity: propensities[i]!,
    })),
  };
}

/**
 * By what a row is drawn, so that each is drawn for itself: its prompt's id, and with it, where the prompt has several
 * rows, its score and its number among those of that score. No order of rows decides which scores are chosen.
 */
function namesOf(promptIds: readonly string[], scores: Float64Array) {
  const rows = new Map<string, number>();
  for (const id of promptIds) rows.set(id, (rows.get(id) ?? 0) + 1);
  const [ofPrompt, ofScore] = [new Map<string, number>(), new Map<string, number>()];
  const next = (seen: Map<string, number>, of: string) => {
    const at = seen.get(of) ?? 0;
    seen.set(of, at + 1);
    return at;
  };
  return promptIds.map((id, i) => {
    if (rows.get(id) === 1) return { name: id, draw: undefined };
    const scored = `${id}-${scores[i]}`;
    return { name: `${scored}-${next(ofScore, scored)}`, draw: next(ofPrompt, id) };
  });
}

/** π_i = max(p_i, the floor's share of the mean, min(1, τ w_i)) with the wanted sum; evenly where nothing is known. */
export function probabilities(wanted: Float64Array, before: Float64Array, total: number, floor = LEAST): Float64Array {
  const n = wanted.length;
  if (total >= n) return new Float64Array(n).fill(1);
  const known = wanted.some((w) => w > 0) ? wanted : new Float64Array(n).fill(1);
  const least = before.map((p) => Math.max(p, (floor * total) / n));
  const at = (scale: number) => known.map((w, i) => Math.max(least[i]!, Math.min(1, scale * w)));
  let [low, high] = [0, 1 / Math.min(...known.filter((w) => w > 0))];
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (sum(at(middle)) < total) low = middle;
    else high = middle;
  }
  return at(high);
}

interface Bins {
  readonly count: number;
  of(score: number): number;
}

/** Cut at quantiles of the log's scores, equal cuts merged. */
function binsOf(scores: Float64Array, wanted: number): Bins {
  const sorted = scores.slice().sort();
  const cuts = [...new Set(Array.from({ length: wanted - 1 }, (_, b) => quantileOfSorted(sorted, (b + 1) / wanted)))];
  return { count: cuts.length + 1, of: (score) => cuts.filter((cut) => cut <= score).length };
}

/**
 * How the policies' draws lie against the log, bin by bin, a mean over policies; 1 without draws. Shares of bins differ by
 * chance too, so their distance from 1 is taken by the part of its square that chance does not explain (James and Stein
 * 1961).
 */
function relevance(bins: Bins, scores: Float64Array, draws: readonly Float64Array[]): Float64Array {
  const countsOf = (of: Float64Array) => {
    const counts = new Float64Array(bins.count);
    for (const score of of) counts[bins.of(score)]!++;
    return counts;
  };
  const log = countsOf(scores);
  const ratiosOf = (of: Float64Array) => {
    const counts = countsOf(of);
    const ratios = log.map((rows, b) => (rows === 0 ? 1 : (counts[b]! * scores.length) / (of.length * rows)));
    const share = (b: number) => log[b]! / scores.length;
    const spread = ratios.reduce((total, r, b) => total + share(b) * (r - 1) ** 2, 0);
    const chance = ratios.reduce(
      (total, r, b) => total + (log[b] === 0 ? 0 : share(b) * (r / (share(b) * of.length) + r ** 2 / log[b]!)),
      0,
    );
    const kept = spread > 0 ? Math.max(0, 1 - chance / spread) : 0;
    return ratios.map((r) => 1 + kept * (r - 1));
  };
  const policies = draws.filter((of) => of.length > 0).map(ratiosOf);
  return tabulate(bins.count, (b) => (policies.length === 0 ? 1 : mean(policies.map((of) => of[b]!))));
}

interface Residual {
  readonly score: number;
  readonly square: number;
}

/**
 * √û by score: squared residuals of one mean from end to end, split in two wherever two means are that much likelier for
 * normal residuals (as a regression tree is grown; Breiman et al. 1984), and so on in either part. A mean in each of many
 * bins is known to a half or so, and an allocation that follows chance costs more than it gains.
 */
function residualSpread(residuals: readonly Residual[]): (score: number) => number {
  const sorted = residuals.toSorted((a, b) => a.score - b.score || a.square - b.square);
  const centre = sorted.length === 0 ? 0 : mean(sorted.map(({ square }) => square));
  const spreadOf = (of: readonly Residual[]): ((score: number) => number) => {
    const cut = likelierApart(of);
    if (cut === undefined) {
      // One more label of the usual variance: a few labels that happen to be met closely are no certainty.
      const spread = Math.sqrt((of.reduce((total, { square }) => total + square, 0) + centre) / (of.length + 1));
      return () => spread;
    }
    const [below, above] = [spreadOf(of.slice(0, cut)), spreadOf(of.slice(cut))];
    const border = (of[cut - 1]!.score + of[cut]!.score) / 2;
    return (score) => (score < border ? below(score) : above(score));
  };
  return spreadOf(sorted);
}

/**
 * Where two means of squares are likelier than one by {@link EVIDENCE}, with labels enough on either side; undefined where
 * nowhere.
 */
function likelierApart(residuals: readonly Residual[]): number | undefined {
  const n = residuals.length;
  const total = residuals.reduce((sum, { square }) => sum + square, 0);
  // Twice the negative log likelihood, but for what no cut changes.
  const deviance = (squares: number, count: number) => count * Math.log(squares / count);
  let best: { readonly cut: number; readonly gain: number } | undefined;
  let below = 0;
  for (let cut = 1; cut < n; cut++) {
    below += residuals[cut - 1]!.square;
    const above = total - below;
    if (Math.min(cut, n - cut) < LABELS_A_BIN || residuals[cut - 1]!.score === residuals[cut]!.score) continue;
    if (!(below > 0 && above > 0)) continue;
    const gain = deviance(total, n) - deviance(below, cut) - deviance(above, n - cut);
    if (gain > (best?.gain ?? EVIDENCE)) best = { cut, gain };
  }
  return best?.cut;
}

/** Uniform on [0, 1) by the first six bytes of BLAKE2b of `"{name}-{seed}-label"`. */
function uniformOf(name: string, seed: number): number {
  const digest = blake2b(utf8ToBytes(`${name}-${seed}-label`), { dkLen: 6 });
  return digest.reduce((value, byte) => value * 256 + byte, 0) / 2 ** 48;
}
