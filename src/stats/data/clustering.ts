import { mean, sampleVariance, sum } from '../numeric/moments.ts';

export interface ClusteredVariance {
  /** Variance of the mean of the influence values. */
  readonly variance: number;
  readonly degreesOfFreedom: number;
  readonly clusters: number;
}

interface ClusterIndex {
  /** Number 0, 1, … of each row's cluster, in order of first appearance. */
  readonly of: Int32Array;
  readonly count: number;
}

/** By column of labels: all estimators of a data set cluster by the same one. */
const known = new WeakMap<readonly string[], ClusterIndex>();

/** The clusters of a column of labels that nobody writes into. */
export function clusterIndex(labels: readonly string[]): ClusterIndex {
  let index = known.get(labels);
  if (index === undefined) {
    const numbers = new Map<string, number>();
    const of = new Int32Array(labels.length);
    for (let i = 0; i < of.length; i++) {
      const label = labels[i]!;
      let number = numbers.get(label);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(label, number);
      }
      of[i] = number;
    }
    index = { of, count: numbers.size };
    known.set(labels, index);
  }
  return index;
}

/**
 * Cluster-robust variance of a mean (CRV1; Cameron and Miller 2015): with centred influence values φ and cluster
 * totals T_g, G/(G − 1) · Σ T_g² / n², on G − 1 degrees of freedom. With one row a cluster it is s²/n. Fewer than two
 * clusters: independent rows, n − 1.
 *
 * @param influence n influence values, in the estimate's unit.
 * @param cluster n cluster labels 0, 1, …
 */
export function clusterRobustVariance(influence: ArrayLike<number>, cluster: ArrayLike<number>): ClusteredVariance {
  const n = influence.length;
  const centre = mean(influence);
  let largest = -1;
  for (let i = 0; i < n; i++) if (cluster[i]! > largest) largest = cluster[i]!;
  const totals = new Float64Array(largest + 1);
  const occurs = new Uint8Array(largest + 1);
  for (let i = 0; i < n; i++) {
    totals[cluster[i]!]! += influence[i]! - centre;
    occurs[cluster[i]!] = 1;
  }
  const groups = sum(occurs);
  if (groups < 2) {
    return { variance: sampleVariance(influence) / n, degreesOfFreedom: Math.max(n - 1, 1), clusters: groups };
  }
  const centreOfTotals = sum(totals) / groups;
  let squares = 0;
  for (let g = 0; g <= largest; g++) if (occurs[g] === 1) squares += (totals[g]! - centreOfTotals) ** 2;
  return {
    variance: ((groups / (groups - 1)) * squares) / (n * n),
    degreesOfFreedom: groups - 1,
    clusters: groups,
  };
}

/** The same with every row its own cluster: s²/n on n − 1 degrees of freedom. */
export function independentVariance(influence: ArrayLike<number>): ClusteredVariance {
  const n = influence.length;
  return { variance: sampleVariance(influence) / n, degreesOfFreedom: Math.max(n - 1, 1), clusters: n };
}
