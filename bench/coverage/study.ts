import { type EstimatorSettings, estimate } from '../../src/stats/index.ts';
import { normalQuantile } from '../../src/stats/numeric/special-functions.ts';
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
  /** Share of them that lies wholly above the truth, and wholly below it: a skewed estimate misses on one side. */
  readonly missedBelow: number;
  readonly missedAbove: number;
  /** The 99.9 % binomial interval of `coverage`. */
  readonly coverageInterval: readonly [number, number];
  readonly meanError: number;
  /** Standard error of `meanError` over runs. */
  readonly monteCarloError: number;
  readonly rmse: number;
  readonly meanStandardError: number;
  readonly meanWidth: number;
  /** Mean standard error of the transport audit; 0 where there was none. */
  readonly meanAuditError: number;
}

export interface Cell {
  readonly name: string;
  readonly settings: EstimatorSettings;
}

/** What one cell did on one policy, run by run, in the order of the seeds; plain data, so that a thread can send it. */
export interface Tally {
  readonly cell: string;
  readonly policy: string;
  readonly estimates: number[];
  readonly standardErrors: number[];
  readonly widths: number[];
  readonly auditErrors: number[];
  readonly reasons: Record<string, number>;
  covered: number;
  /** Intervals with the truth below their lower end, and above their upper end. */
  truthBelow: number;
  truthAbove: number;
}

/** Seeds first … first + count − 1. */
export interface Seeds {
  readonly first: number;
  readonly count: number;
}

/** Runs every cell on the same data sets, one a seed. */
export function tallyStudy(world: WorldSettings, cells: readonly Cell[], seeds: Seeds): Tally[] {
  const tallies = new Map<string, Tally>();
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    const data = simulate(world, seed);
    for (const cell of cells) {
      for (const p of estimate(cell.settings, data).policies) {
        const key = `${cell.name} ${p.policy}`;
        const tally = tallies.get(key) ?? newTally(cell.name, p.policy);
        tallies.set(key, tally);
        const audit = p.diagnostics.transport?.standardError ?? null;
        if (audit !== null) tally.auditErrors.push(audit);
        if (p.status === 'refused') {
          tally.reasons[p.code] = (tally.reasons[p.code] ?? 0) + 1;
          continue;
        }
        tally.estimates.push(p.estimate);
        tally.standardErrors.push(p.standardError);
        tally.widths.push(p.interval[1] - p.interval[0]);
        const truth = trueValue(world.targets[p.policy]!, world.temperature);
        const [lower, upper] = p.interval;
        if (truth < lower) tally.truthBelow++;
        else if (truth > upper) tally.truthAbove++;
        else tally.covered++;
      }
    }
  }
  return [...tallies.values()];
}

/** Tallies of consecutive seeds as one, the same however the seeds were shared out. */
export function joinTallies(parts: readonly (readonly Tally[])[]): Tally[] {
  const joined = new Map<string, Tally>();
  for (const tally of parts.flat()) {
    const key = `${tally.cell} ${tally.policy}`;
    const into = joined.get(key) ?? newTally(tally.cell, tally.policy);
    joined.set(key, into);
    into.estimates.push(...tally.estimates);
    into.standardErrors.push(...tally.standardErrors);
    into.widths.push(...tally.widths);
    into.auditErrors.push(...tally.auditErrors);
    into.covered += tally.covered;
    into.truthBelow += tally.truthBelow;
    into.truthAbove += tally.truthAbove;
    for (const [code, count] of Object.entries(tally.reasons)) into.reasons[code] = (into.reasons[code] ?? 0) + count;
  }
  return [...joined.values()];
}

/** A row for each cell and policy. */
export function coverageRows(world: WorldSettings, tallies: readonly Tally[], seeds: Seeds): CoverageRow[] {
  return tallies.map((t) => summarise(t, trueValue(world.targets[t.policy]!, world.temperature), seeds.count));
}

/** {@link tallyStudy} and {@link coverageRows} in one, in this thread. */
export function coverageStudy(world: WorldSettings, cells: readonly Cell[], count: number, first = 1): CoverageRow[] {
  const seeds = { first, count };
  return coverageRows(world, tallyStudy(world, cells, seeds), seeds);
}

function newTally(cell: string, policy: string): Tally {
  return {
    cell,
    policy,
    estimates: [],
    standardErrors: [],
    widths: [],
    auditErrors: [],
    reasons: {},
    covered: 0,
    truthBelow: 0,
    truthAbove: 0,
  };
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
    missedBelow: t.truthBelow / Math.max(given, 1),
    missedAbove: t.truthAbove / Math.max(given, 1),
    coverageInterval: binomialInterval(t.covered, given),
    meanError: centre - truth,
    monteCarloError: Math.sqrt(variance / Math.max(given, 1)),
    rmse: Math.sqrt(average(t.estimates.map((x) => (x - truth) ** 2))),
    meanStandardError: average(t.standardErrors),
    meanWidth: average(t.widths),
    meanAuditError: average(t.auditErrors),
  };
}

/** Two-sided normal quantile of 99.9 %. */
const Z_999 = normalQuantile(0.9995);

/** Wilson's 99.9 % interval (1927) of a share of `runs`; [0, 1] without runs. */
function binomialInterval(hits: number, runs: number): readonly [number, number] {
  if (runs === 0) return [0, 1];
  const share = hits / runs;
  const spread = Z_999 ** 2 / runs;
  const centre = (share + spread / 2) / (1 + spread);
  const half = (Z_999 / (1 + spread)) * Math.sqrt((share * (1 - share)) / runs + spread / (4 * runs));
  return [centre - half, centre + half];
}

/** What is promised of an interval that is given where its assumptions hold. */
const PROMISED = [0.93, 0.97] as const;

/** Whether the runs leave a coverage within the promise possible. */
export function keepsPromise({ coverageInterval: [low, high] }: CoverageRow): boolean {
  return high >= PROMISED[0] && low <= PROMISED[1];
}

/** A Markdown table of the rows. */
export function markdown(rows: readonly CoverageRow[]): string {
  const head =
    '| estimator | policy | truth | given of | coverage % | 99.9 % interval | bias | ± | RMSE | mean SE | width | refused for |';
  const rule = `|---|---|${'---:|'.repeat(9)}---|`;
  const lines = rows.map((r) => {
    const given = r.runs - r.refused;
    const shown =
      given === 0
        ? ['', '', '', '', '', '', '']
        : [
            (100 * r.coverage).toFixed(1),
            r.coverageInterval.map((share) => (100 * share).toFixed(1)).join('–'),
            r.meanError.toFixed(5),
            (3 * r.monteCarloError).toFixed(5),
            r.rmse.toFixed(5),
            r.meanStandardError.toFixed(5),
            r.meanWidth.toFixed(4),
          ];
    const reasons = Object.entries(r.reasons).map(([code, count]) => `${code} ${count}`);
    return `| ${[r.cell, r.policy, r.truth.toFixed(4), `${given}/${r.runs}`, ...shown, reasons.join(', ')].join(' | ')} |`;
  });
  return [head, rule, ...lines].join('\n');
}
