import { range } from '../numeric/moments.ts';

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
