import { solve } from './linear-algebra.ts';

interface SimplexOptions {
  /** A solution entry above −tolerance counts as non-negative. */
  readonly tolerance: number;
  /** How often an entry may be dropped before the last active set is taken uniformly. */
  readonly maximumDrops: number;
}

/**
 * Weights π on the simplex that minimise πᵀΣπ, by the active-set descent of the published library:
 * solve Σ_A x = 1, π_A = x / 1ᵀx; while an entry is negative, drop the most negative and repeat.
 * A singular system gives equal weights on the active set.
 *
 * @param sigma Q × Q covariance of the candidates' influence values.
 * @returns Q weights, non-negative, summing to 1.
 */
export function minimumVarianceMixture(sigma: readonly ArrayLike<number>[], options: SimplexOptions): Float64Array {
  let active = sigma.map((_, q) => q);
  for (let drop = 0; drop < options.maximumDrops; drop++) {
    const block = active.map((p) => Float64Array.from(active, (q) => sigma[p]![q]!));
    const x = solve(block, new Float64Array(active.length).fill(1));
    const total = x?.reduce((s, v) => s + v, 0) ?? 0;
    if (x === null || Math.abs(total) < 1e-10) break;
    const share = x.map((v) => v / total);
    let worst = 0;
    for (let i = 1; i < share.length; i++) if (share[i]! < share[worst]!) worst = i;
    if (share[worst]! >= -options.tolerance) {
      const kept = share.map((v) => Math.max(v, 0));
      const scale = kept.reduce((s, v) => s + v, 0);
      return spread(active, (i) => kept[i]! / scale, sigma.length);
    }
    active = active.filter((_, i) => i !== worst);
  }
  return spread(active, () => 1 / active.length, sigma.length);
}

function spread(active: readonly number[], weight: (i: number) => number, count: number): Float64Array {
  const out = new Float64Array(count);
  active.forEach((q, i) => {
    out[q] = weight(i);
  });
  return out;
}
