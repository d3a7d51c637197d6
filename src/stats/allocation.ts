/** Which logged rows to label next, by known probability. */

import { blake2b } from '@noble/hashes/blake2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { EvaluationData } from './data/data.ts';
import type { Refusal } from './data/refusal.ts';
import { resolveConfig } from './estimators/registry.ts';
import { mean, quantileOfSorted, tabulate } from './numeric/moments.ts';
import type { CommonSettings } from './study/config.ts';
import { prepareStudy } from './study/study.ts';

/** One row of the log, and the chance that it has a label once those asked for are in. */
interface Allocated {
  readonly promptId: string;
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

/** Share of the labels that is spread evenly, so that no row is out of reach. */
const EVENLY = 0.2;
const BINS = 20;

/**
 * Neyman's allocation on the calibration's residual variance (1934; Zrnic and Candès, Active statistical inference,
 * arXiv 2403.03208): π_i = min(1, τ v(S_i)√û(S_i)), Σπ = m, mixed with a fifth spread evenly. û is the mean squared out-of-fold residual in
 * 20 bins of the scores, at least its 5 % quantile; v the mean over policies of their draws' share of a bin over the log's, which
 * is how a label there weighs in a calibrated mean. Rows with a label are not asked for again; labels so far are taken as drawn at
 * random with probability p = their share, so a row's probability is p + (1 − p)π.
 *
 * A row is drawn where a hash of its prompt id and the seed, on [0, 1), lies below π.
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
  const { logged, outOfFoldRewards } = study.value;
  const { promptIds, judgeScores, oracleLabels } = logged;
  const n = promptIds.length;
  const bins = binsOf(judgeScores);
  const draws = [...data.freshDraws.values()].map((of) => of.judgeScores.filter((s) => !Number.isNaN(s)));
  const weights = relevance(bins, judgeScores, draws);
  const spread = residualSpread(bins, judgeScores, oracleLabels, outOfFoldRewards ?? judgeScores);
  const wanted = tabulate(n, (i) => weights[bins.of(judgeScores[i]!)]! * spread[bins.of(judgeScores[i]!)]!);
  const before = oracleLabels.reduce((t, y) => t + (Number.isNaN(y) ? 0 : 1), 0) / n;
  // Asked of every row, so that the chance does not depend on who has a label; those who have one need none.
  const now = probabilities(wanted, Math.min(labels / Math.max(1 - before, 1e-9), n));
  return {
    ok: true,
    rows: promptIds.map((promptId, i) => ({
      promptId,
      chosen: Number.isNaN(oracleLabels[i]!) && uniformOf(promptId, seed) < now[i]!,
      labelPropensity: before + (1 - before) * now[i]!,
    })),
  };
}

/** π_i = min(1, τ w_i) with the wanted sum, then a fifth of it evenly; evenly where nothing is known. */
export function probabilities(wanted: Float64Array, total: number): Float64Array {
  const n = wanted.length;
  if (total >= n || !wanted.some((w) => w > 0)) return new Float64Array(n).fill(Math.min(total / n, 1));
  const sumAt = (scale: number) => wanted.reduce((s, w) => s + Math.min(1, scale * w), 0);
  let [low, high] = [0, 1 / Math.min(...wanted.filter((w) => w > 0))];
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (sumAt(middle) < total) low = middle;
    else high = middle;
  }
  return wanted.map((w) => (1 - EVENLY) * Math.min(1, high * w) + (EVENLY * total) / n);
}

interface Bins {
  readonly count: number;
  of(score: number): number;
}

/** Cut at quantiles of the log's scores, equal cuts merged. */
function binsOf(scores: Float64Array): Bins {
  const sorted = scores.slice().sort();
  const cuts = [...new Set(Array.from({ length: BINS - 1 }, (_, b) => quantileOfSorted(sorted, (b + 1) / BINS)))];
  return { count: cuts.length + 1, of: (score) => cuts.filter((cut) => cut <= score).length };
}

/** How the policies' draws lie against the log, bin by bin, a mean over policies; 1 without draws. */
function relevance(bins: Bins, scores: Float64Array, draws: readonly Float64Array[]): Float64Array {
  const share = (of: Float64Array) => {
    const shares = new Float64Array(bins.count);
    for (const score of of) shares[bins.of(score)]! += 1 / of.length;
    return shares;
  };
  const log = share(scores);
  const policies = draws.filter((of) => of.length > 0).map(share);
  return tabulate(bins.count, (b) =>
    policies.length === 0 || log[b] === 0 ? 1 : mean(policies.map((of) => of[b]! / log[b]!)),
  );
}

/** √û of each bin; a bin without labels has the mean of all. */
function residualSpread(bins: Bins, scores: Float64Array, labels: Float64Array, rewards: Float64Array): Float64Array {
  const squares = new Float64Array(bins.count);
  const counts = new Float64Array(bins.count);
  const all: number[] = [];
  labels.forEach((y, i) => {
    if (Number.isNaN(y)) return;
    const square = (y - rewards[i]!) ** 2;
    squares[bins.of(scores[i]!)]! += square;
    counts[bins.of(scores[i]!)]!++;
    all.push(square);
  });
  const centre = mean(all);
  // One more label of the usual variance in each bin: two labels that happen to be met closely are no certainty.
  const variances = squares.map((total, b) => (total + centre) / (counts[b]! + 1));
  const least = quantileOfSorted(variances.slice().sort(), 0.05);
  return variances.map((u) => Math.sqrt(Math.max(u, least)));
}

/** Uniform on [0, 1) by the first six bytes of BLAKE2b of `"{promptId}-{seed}-label"`. */
function uniformOf(promptId: string, seed: number): number {
  const digest = blake2b(utf8ToBytes(`${promptId}-${seed}-label`), { dkLen: 6 });
  return digest.reduce((value, byte) => value * 256 + byte, 0) / 2 ** 48;
}
