import { mean, sampleVariance, sum } from './moments.ts';

export interface ClusteredVariance {
  /** Variance of the mean of the influence values. */
  readonly variance: number;
  readonly degreesOfFreedom: number;
  readonly clusters: number;
}

/** Numbers 0, 1, … for labels in order of first appearance. */
export function clusterIndex(labels: Iterable<string | number>): { readonly of: Int32Array; readonly count: number } {
  const numbers = new Map<string | number, number>();
  const of: number[] = [];
  for (const label of labels) {
    let number = numbers.get(label);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(label, number);
    }
    of.push(number);
  }
  return { of: Int32Array.from(of), count: numbers.size };
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
  for (let i = 0; i < n; i++) largest = Math.max(largest, cluster[i]!);
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
