import { type EstimatorSettings, estimateMany } from '../../src/stats/index.ts';
import { simulate, trueValue, type WorldSettings } from './world.ts';

/** How one estimator did on one policy over many simulated data sets. */
export interface CoverageRow {
  readonly cell: string;
  readonly policy: string;
  readonly truth: number;
  readonly runs: number;
  readonly refused: number;
  /** Refusal codes and how often each occurred. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Share of the given (not refused) intervals that hold the truth. */
  readonly coverage: number;
  readonly meanError: number;
  /** Standard error of `meanError` over runs. */
  readonly monteCarloError: number;
  readonly rmse: number;
  readonly meanStandardError: number;
  readonly sdOfEstimates: number;
  readonly meanWidth: number;
  readonly meanOracleShare: number;
}

export interface Cell {
  readonly name: string;
  readonly settings: EstimatorSettings;
}

/** Runs every cell on the same data sets, seeds firstSeed … firstSeed + seeds − 1. */
export function coverageStudy(
  world: WorldSettings,
  cells: readonly Cell[],
  seeds: number,
  firstSeed = 1,
): CoverageRow[] {
  const policies = Object.keys(world.targets);
  const truths = new Map(policies.map((p) => [p, trueValue(world.targets[p]!, world.temperature)]));
  const tallies = new Map<string, Tally>();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const data = simulate(world, seed);
    const results = estimateMany(
      cells.map((c) => c.settings),
      data,
    );
    for (const [i, cell] of cells.entries()) {
      for (const p of results[i]!.policies) {
        const key = `${cell.name} ${p.policy}`;
        const tally = tallies.get(key) ?? newTally(cell.name, p.policy);
        tallies.set(key, tally);
        if (p.status === 'refused') {
          tally.reasons[p.code] = (tally.reasons[p.code] ?? 0) + 1;
          continue;
        }
        tally.estimates.push(p.estimate);
        tally.standardErrors.push(p.standardError);
        tally.widths.push(p.interval[1] - p.interval[0]);
        tally.oracleShares.push(p.components.oracleVariance / p.standardError ** 2);
        const truth = truths.get(p.policy)!;
        if (p.interval[0] <= truth && truth <= p.interval[1]) tally.covered++;
      }
    }
  }
  return [...tallies.values()].map((t) => summarise(t, truths.get(t.policy)!, seeds));
}

interface Tally {
  readonly cell: string;
  readonly policy: string;
  readonly estimates: number[];
  readonly standardErrors: number[];
  readonly widths: number[];
  readonly oracleShares: number[];
  readonly reasons: Record<string, number>;
  covered: number;
}

function newTally(cell: string, policy: string): Tally {
  return { cell, policy, estimates: [], standardErrors: [], widths: [], oracleShares: [], reasons: {}, covered: 0 };
}

function summarise(t: Tally, truth: number, runs: number): CoverageRow {
  const given = t.estimates.length;
  const average = (v: readonly number[]) => v.reduce((s, x) => s + x, 0) / Math.max(v.length, 1);
  const centre = average(t.estimates);
  const variance = t.estimates.reduce((s, x) => s + (x - centre) ** 2, 0) / Math.max(given - 1, 1);
  return {
    cell: t.cell,
    policy: t.policy,
    truth,
    runs,
    refused: runs - given,
    reasons: t.reasons,
    coverage: t.covered / Math.max(given, 1),
    meanError: centre - truth,
    monteCarloError: Math.sqrt(variance / Math.max(given, 1)),
    rmse: Math.sqrt(average(t.estimates.map((x) => (x - truth) ** 2))),
    meanStandardError: average(t.standardErrors),
    sdOfEstimates: Math.sqrt(variance),
    meanWidth: average(t.widths),
    meanOracleShare: average(t.oracleShares),
  };
}

/** A Markdown table of the rows. */
export function markdown(rows: readonly CoverageRow[]): string {
  const head =
    '| estimator | policy | truth | given of | coverage % | bias | ± | RMSE | mean SE | sd | width | oracle share | refused for |';
  const rule = '|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|';
  const lines = rows.map((r) => {
    const given = r.runs - r.refused;
    const shown =
      given === 0
        ? ['', '', '', '', '', '', '', '']
        : [
            (100 * r.coverage).toFixed(1),
            r.meanError.toFixed(5),
            (3 * r.monteCarloError).toFixed(5),
            r.rmse.toFixed(5),
            r.meanStandardError.toFixed(5),
            r.sdOfEstimates.toFixed(5),
            r.meanWidth.toFixed(4),
            r.meanOracleShare.toFixed(2),
          ];
    const reasons = Object.entries(r.reasons).map(([code, count]) => `${code} ${count}`);
    return `| ${[r.cell, r.policy, r.truth.toFixed(4), `${given}/${r.runs}`, ...shown, reasons.join(', ')].join(' | ')} |`;
  });
  return [head, rule, ...lines].join('\n');
}
