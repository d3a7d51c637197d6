/** Scores of the methods of a grid against the held labels. */

import type { CellScore, GridRow, GridScore, MethodName, MethodScore } from '../../datasets/grid-rows.ts';

/** Level of the intervals' complement in the interval score. */
const ALPHA = 0.05;

/** Collects rows, a cell's rows one after the other, and keeps sums alone. */
export class GridTally {
  readonly #methods = new Map<string, { readonly name: MethodName; readonly sums: Sums }>();
  readonly #cells = new Map<
    string,
    { readonly name: MethodName; readonly size: number; readonly coverage: number; readonly sums: Sums }
  >();
  #open: GridRow[] = [];

  add(row: GridRow): void {
    const [first] = this.#open;
    if (first !== undefined && !sameCell(first, row)) this.#close();
    this.#open.push(row);
  }

  /** One a method, in the order in which the rows first name them. */
  methods(): MethodScore[] {
    this.#close();
    return [...this.#methods.values()].map(({ name, sums }) => ({ ...name, ...sums.score() }));
  }

  /** One a method, sample size and oracle coverage. */
  cells(): CellScore[] {
    this.#close();
    return [...this.#cells.values()].map(({ name, size, coverage, sums }) => ({
      ...name,
      sample_size: size,
      oracle_coverage: coverage,
      ...sums.score(),
    }));
  }

  #close(): void {
    const rows = this.#open;
    const [first] = rows;
    if (first === undefined) return;
    this.#open = [];
    const { ablation, estimator, reward_calibration, covariates, sample_size: size, oracle_coverage: coverage } = first;
    const name = { ablation, estimator, reward_calibration, covariates };
    const method = JSON.stringify(Object.values(name));
    const cell = `${method} ${size} ${coverage}`;
    if (!this.#methods.has(method)) this.#methods.set(method, { name, sums: new Sums() });
    if (!this.#cells.has(cell)) this.#cells.set(cell, { name, size, coverage, sums: new Sums() });
    this.#methods.get(method)!.sums.add(rows);
    this.#cells.get(cell)!.sums.add(rows);
  }
}

function sameCell(a: GridRow, b: GridRow): boolean {
  return (
    a.ablation === b.ablation &&
    a.seed === b.seed &&
    a.sample_size === b.sample_size &&
    a.oracle_coverage === b.oracle_coverage &&
    a.reward_calibration === b.reward_calibration &&
    a.covariates === b.covariates
  );
}

class Sums {
  #cells = 0;
  #pairs = 0;
  #estimated = 0;
  #error = 0;
  #squared = 0;
  #heldVariance = 0;
  #covered = 0;
  #width = 0;
  #intervalScore = 0;
  #logError = 0;
  #tau = 0;
  #tauCells = 0;
  #orderedPairs = 0;
  #agreeing = 0;
  #top = 0;

  add(rows: readonly GridRow[]): void {
    this.#cells++;
    for (const row of rows) {
      this.#pairs++;
      if (row.status !== 'ok') continue;
      const error = row.estimate - row.held;
      const width = row.upper - row.lower;
      const outside = Math.max(row.lower - row.held, row.held - row.upper, 0);
      this.#estimated++;
      this.#error += error;
      this.#squared += error ** 2;
      this.#heldVariance += row.held_error ** 2;
      this.#covered += row.covered ? 1 : 0;
      this.#width += width;
      this.#intervalScore += width + (2 / ALPHA) * outside;
      this.#logError += Math.log(Math.max(row.standard_error, Number.MIN_VALUE));
    }
    this.#addOrder(rows);
  }

  #addOrder(rows: readonly GridRow[]): void {
    const estimated = rows.flatMap((row) => (row.status === 'ok' ? [row] : []));
    let concordance = 0;
    let estimatePairs = 0;
    let heldPairs = 0;
    for (let i = 0; i < estimated.length; i++) {
      for (let j = i + 1; j < estimated.length; j++) {
        const byEstimate = Math.sign(estimated[i]!.estimate - estimated[j]!.estimate);
        const byHeld = Math.sign(estimated[i]!.held - estimated[j]!.held);
        concordance += byEstimate * byHeld;
        if (byEstimate !== 0) estimatePairs++;
        if (byHeld === 0) continue;
        heldPairs++;
        this.#orderedPairs++;
        if (byEstimate === byHeld) this.#agreeing++;
      }
    }
    if (estimatePairs > 0 && heldPairs > 0) {
      this.#tau += concordance / Math.sqrt(estimatePairs * heldPairs);
      this.#tauCells++;
    }
    const best = Math.max(...rows.map(({ held }) => held));
    const chosen = estimated.reduce<(typeof estimated)[number] | undefined>(
      (leading, row) => (leading === undefined || row.estimate > leading.estimate ? row : leading),
      undefined,
    );
    if (chosen !== undefined && chosen.held === best) this.#top++;
  }

  score(): GridScore {
    const n = this.#estimated;
    const mean = (sum: number) => (n === 0 ? null : sum / n);
    const squared = mean(this.#squared);
    return {
      cells: this.#cells,
      refused: this.#pairs === 0 ? 0 : 1 - n / this.#pairs,
      bias: mean(this.#error),
      rmse: squared === null ? null : Math.sqrt(squared),
      rmseDebiased: squared === null ? null : Math.sqrt(Math.max(0, squared - this.#heldVariance / n)),
      coverage: mean(this.#covered),
      meanWidth: mean(this.#width),
      intervalScore: mean(this.#intervalScore),
      standardError: n === 0 ? null : Math.exp(this.#logError / n),
      kendallTau: this.#tauCells === 0 ? null : this.#tau / this.#tauCells,
      pairwiseAccuracy: this.#orderedPairs === 0 ? null : this.#agreeing / this.#orderedPairs,
      topOneAccuracy: this.#cells === 0 ? null : this.#top / this.#cells,
    };
  }
}
