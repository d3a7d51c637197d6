/** The cube scorer × ablation × policy of estimates, looked up by name. */

import type { EstimateRow } from '../../datasets/results.ts';

export interface Cells {
  /** In the order in which the rows first name them. */
  readonly scorers: readonly string[];
  readonly ablations: readonly string[];
  get(scorer: string, ablation: string, policy: string): EstimateRow | undefined;
  /** Ablations that have a row of this scorer. */
  ablationsOf(scorer: string): readonly string[];
}

export function cellsOf(rows: readonly EstimateRow[]): Cells {
  const byName = new Map<string, EstimateRow>();
  const ablationsByScorer = new Map<string, Set<string>>();
  const ablations = new Set<string>();
  for (const row of rows) {
    byName.set(cellKey(row.scorer, row.ablation, row.policy), row);
    ablations.add(row.ablation);
    const ofScorer = ablationsByScorer.get(row.scorer) ?? new Set();
    ablationsByScorer.set(row.scorer, ofScorer.add(row.ablation));
  }
  return {
    scorers: [...ablationsByScorer.keys()],
    ablations: [...ablations],
    get: (scorer, ablation, policy) => byName.get(cellKey(scorer, ablation, policy)),
    ablationsOf: (scorer) => [...(ablationsByScorer.get(scorer) ?? [])],
  };
}

/** A text that no two different cells share, whatever their names contain. */
export function cellKey(scorer: string, ablation: string, policy: string): string {
  return JSON.stringify([scorer, ablation, policy]);
}

/** How far the further end of the interval is from the estimate, which need not stand in its middle; the number after ±. */
export function reach(row: { readonly estimate: number; readonly lower: number; readonly upper: number }): number {
  return Math.max(row.upper - row.estimate, row.estimate - row.lower);
}
