import { quantileOfSorted, range } from '../numeric/moments.ts';

/**
 * Bhattacharyya affinity A_B = Σ_b √(p_b q_b) of two score distributions on 20 equal bins over their joint range
 * (arXiv 2512.11150, appendix on diagnostics). 1 for equal distributions, 0 for disjoint ones. A_B² bounds the effective sample size
 * fraction of every weight that is a function of the score.
 *
 * @param logged n scores under the log.
 * @param target scores under the target policy (its fresh draws).
 * @param targetWeights weights of `target`; absent means 1.
 */
export function bhattacharyyaAffinity(
  logged: ArrayLike<number>,
  target: ArrayLike<number>,
  targetWeights?: ArrayLike<number>,
): number {
  const [lowA, highA] = range(logged);
  const [lowB, highB] = range(target);
  const low = Math.min(lowA, lowB);
  const high = Math.max(highA, highB);
  if (!(high > low)) return 1;
  const p = histogram(logged, low, high);
  const q = histogram(target, low, high, targetWeights);
  let affinity = 0;
  for (let b = 0; b < BINS; b++) affinity += Math.sqrt(p[b]! * q[b]!);
  return affinity;
}

const BINS = 20;

/**
 * Shares by bin; bins are half-open but for the last. Scores of two decimals fall on edges, so these are the edges of
 * numpy's `linspace`, to the last bit: b·((high − low)/20) + low.
 */
function histogram(values: ArrayLike<number>, low: number, high: number, weights?: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(BINS);
  const step = (high - low) / BINS;
  const edge = (b: number) => (b === BINS ? high : b * step + low);
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    let bin = Math.min(Math.floor(((value - low) / (high - low)) * BINS), BINS - 1);
    // The division may round across an edge; the comparison with the edge itself decides.
    if (value < edge(bin)) bin--;
    else if (bin < BINS - 1 && value >= edge(bin + 1)) bin++;
    const weight = weights === undefined ? 1 : weights[i]!;
    shares[bin]! += weight;
    total += weight;
  }
  return total > 0 ? shares.map((s) => s / total) : shares;
}

/** One side of {@link labelledAffinity}. */
interface Scores {
  readonly scores: ArrayLike<number>;
  /** Absent for 1. */
  readonly weights?: ArrayLike<number> | undefined;
}

/** Labels a bin, and bins, at most. */
const LABELS_A_BIN = 5;

/**
 * Bhattacharyya affinity of the labelled scores with a policy's, over min(20, ⌊m/5⌋) bins cut at quantiles of both together
 * (equal cuts merged): whether a calibration has labels where the policy scores. A_B² bounds the effective share of any
 * weight that is a function of the score.
 *
 * @example
 * labelledAffinity({ scores: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1] }, { scores: [1, 1, 1] }) // 0.707107
 */
export function labelledAffinity(labelled: Scores, target: Scores): number {
  const bins = Math.min(BINS, Math.floor(labelled.scores.length / LABELS_A_BIN));
  if (bins < 2) return 1;
  const both = Float64Array.from([...Array.from(labelled.scores), ...Array.from(target.scores)]).sort();
  const cuts = new Set<number>();
  for (let b = 1; b < bins; b++) cuts.add(quantileOfSorted(both, b / bins));
  const edges = Float64Array.from(cuts);
  const p = sharesBetween(edges, labelled);
  const q = sharesBetween(edges, target);
  return p.reduce((total, share, b) => total + Math.sqrt(share * q[b]!), 0);
}

/** Shares below the first edge, from each edge to the next, and from the last on. */
function sharesBetween(edges: Float64Array, { scores, weights }: Scores): Float64Array {
  const shares = new Float64Array(edges.length + 1);
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (edges[middle]! <= scores[i]!) low = middle + 1;
      else high = middle;
    }
    const weight = weights === undefined ? 1 : weights[i]!;
    shares[low]! += weight;
    total += weight;
  }
  return total > 0 ? shares.map((share) => share / total) : shares;
}
