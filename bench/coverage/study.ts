import { compareAll, type EstimatorSettings, type EvaluationData, estimate } from '../../src/stats/index.ts';
import { normalQuantile } from '../../src/stats/numeric/special-functions.ts';
import { type AttackSettings, attackValue, simulateAttack } from './attacks.ts';
import { type EquationSettings, equationValue, simulateEquations } from './equations.ts';
import { type HeldOutSettings, heldOutValue, simulateHeldOut } from './held-out.ts';
import { simulate, trueValue, type WorldSettings } from './world.ts';

/** A world as plain data, so that a thread can be sent it. */
export type StudyWorld = WorldSettings | EquationSettings | AttackSettings | HeldOutSettings;

interface World {
  simulate(seed: number): EvaluationData;
  value(policy: string): number;
}

/** What a study simulates, and the values that it holds estimates against. */
export function worldOf(of: StudyWorld): World {
  if ('heldOut' in of) {
    return { simulate: (seed) => simulateHeldOut(of, seed), value: (policy) => heldOutValue(of, policy) };
  }
  if ('law' in of) {
    return { simulate: (seed) => simulateAttack(of, seed), value: (policy) => attackValue(of, policy) };
  }
  if ('equations' in of) {
    return { simulate: (seed) => simulateEquations(of, seed), value: (policy) => equationValue(of, policy) };
  }
  return {
    simulate: (seed) => simulate(of, seed),
    value: (policy) => trueValue(of.targets[policy]!, of.temperature),
  };
}

/** How one estimator did on one policy over many simulated data sets. */
export interface CoverageRow {
  readonly cell: string;
  readonly policy: string;
  readonly truth: number;
  readonly runs: number;
  readonly refused: number;
  /** Refusal codes and how often each occurred. */
  readonly reasons: Readonly<Record<string, number>>;
  /** What given estimates were warned of, by gate. */
  readonly warnings: Readonly<Record<string, number>>;
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
  readonly warnings: Record<string, number>;
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

/** Runs every cell on the same data sets, one a seed. @param pairs whether differences of policies are tallied too. */
export function tallyStudy(of: StudyWorld, cells: readonly Cell[], seeds: Seeds, pairs = false): Tally[] {
  const world = worldOf(of);
  const tallies = new Tallies();
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    const data = world.simulate(seed);
    for (const cell of cells) {
      const result = estimate(cell.settings, data);
      for (const p of result.policies) {
        const tally = tallies.of(cell.name, p.policy);
        const audit = p.diagnostics.transport?.standardError ?? null;
        if (audit !== null) tally.auditErrors.push(audit);
        if (p.status === 'refused') {
          tallies.refuse(tally, p.code);
          continue;
        }
        const warned = p.diagnostics.gates.flatMap(({ gate, verdict }) => (verdict === 'warn' ? [gate] : []));
        tallies.take(tally, p, world.value(p.policy), warned);
      }
      if (!pairs) continue;
      const told = compareAll(result, { draws: 5000, seed: 42 }).map(
        ({ difference, simultaneousInterval: together, ...pair }) => ({ ...pair, estimate: difference, together }),
      );
      tallyPairs(tallies, { cell: cell.name, logger: result.logger }, told, (policy) => world.value(policy));
    }
  }
  return tallies.all();
}

/** What is read of a comparison of two policies. */
interface Pair extends Given {
  readonly a: string;
  readonly b: string;
  readonly together: readonly [number, number];
}

/**
 * Differences one by one, and by family (the targets', and each against the policy that logged) whether all of its
 * simultaneous intervals hold.
 */
export function tallyPairs(
  tallies: Tallies,
  { cell, logger }: { readonly cell: string; readonly logger: string | undefined },
  pairs: readonly Pair[],
  value: (policy: string) => number,
): void {
  const families = new Map<boolean, boolean>();
  for (const { a, b, together, ...given } of pairs) {
    const truth = value(a) - value(b);
    tallies.take(tallies.of(cell, `${a} − ${b}`), given, truth);
    const among = a !== logger && b !== logger;
    families.set(among, (families.get(among) ?? true) && together[0] <= truth && truth <= together[1]);
  }
  for (const held of families.values()) {
    const interval = held ? ([0, 0] as const) : ([1, 1] as const);
    tallies.take(tallies.of(cell, FAMILIES), { estimate: 0, standardError: 0, interval }, 0);
  }
}

/** Not a policy's name. */
export const FAMILIES = '(all pairs together)';

interface Given {
  readonly estimate: number;
  readonly standardError: number;
  readonly interval: readonly [number, number];
}

/** Tallies by cell and policy, or pair of policies. */
export class Tallies {
  readonly #tallies = new Map<string, Tally>();

  of(cell: string, policy: string): Tally {
    const key = `${cell} ${policy}`;
    const tally = this.#tallies.get(key) ?? newTally(cell, policy);
    this.#tallies.set(key, tally);
    return tally;
  }

  all(): Tally[] {
    return [...this.#tallies.values()];
  }

  refuse(tally: Tally, code: string): void {
    tally.reasons[code] = (tally.reasons[code] ?? 0) + 1;
  }

  /** @param warned gates, by name */
  take(
    tally: Tally,
    { estimate: value, standardError, interval: [lower, upper] }: Given,
    truth: number,
    warned: readonly string[] = [],
  ): void {
    for (const gate of warned) tally.warnings[gate] = (tally.warnings[gate] ?? 0) + 1;
    tally.estimates.push(value);
    tally.standardErrors.push(standardError);
    tally.widths.push(upper - lower);
    if (truth < lower) tally.truthBelow++;
    else if (truth > upper) tally.truthAbove++;
    else tally.covered++;
  }
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
    for (const [gate, count] of Object.entries(tally.warnings))
      into.warnings[gate] = (into.warnings[gate] ?? 0) + count;
  }
  return [...joined.values()];
}

/** A row for each cell and policy, or pair of policies. */
export function coverageRows(of: StudyWorld, tallies: readonly Tally[], seeds: Seeds): CoverageRow[] {
  const world = worldOf(of);
  return tallies.map((t) => {
    if (t.policy === FAMILIES) return summarise(t, 0, t.estimates.length);
    const [a, b] = t.policy.split(' − ');
    const truth = b === undefined ? world.value(a!) : world.value(a!) - world.value(b);
    return summarise(t, truth, seeds.count);
  });
}

/** {@link tallyStudy} and {@link coverageRows} in one, in this thread. */
export function coverageStudy(
  world: StudyWorld,
  cells: readonly Cell[],
  count: number,
  first = 1,
  pairs = false,
): CoverageRow[] {
  const seeds = { first, count };
  return coverageRows(world, tallyStudy(world, cells, seeds, pairs), seeds);
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
    warnings: {},
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
    warnings: t.warnings,
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
    '| estimator | policy | truth | given of | coverage % | 99.9 % interval | bias | ± | RMSE | mean SE | width | refused for | warned of |';
  const rule = `|---|---|${'---:|'.repeat(9)}---|---|`;
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
    const counted = (of: Readonly<Record<string, number>>) =>
      Object.entries(of)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ');
    const cells = [
      r.cell,
      r.policy,
      r.truth.toFixed(4),
      `${given}/${r.runs}`,
      ...shown,
      counted(r.reasons),
      counted(r.warnings),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [head, rule, ...lines].join('\n');
}

/** One line an estimator: coverage by policy and by pair, in the order of the rows; what was refused, and warned of. */
export function compactLines(world: string, rows: readonly CoverageRow[]): string[] {
  const cells = [...new Set(rows.map(({ cell }) => cell))];
  return cells.map((cell) => {
    const of = rows.filter((row) => row.cell === cell);
    const levels = of.filter(({ policy }) => !policy.includes(' − ') && policy !== FAMILIES);
    const together = of.filter(({ policy }) => policy === FAMILIES);
    const covered = (list: readonly CoverageRow[]) =>
      list.map((r) => (r.runs === r.refused ? '–' : (100 * r.coverage).toFixed(1))).join(' / ');
    const counted = (name: 'reasons' | 'warnings', least: number) => {
      const totals = new Map<string, number>();
      for (const row of levels) {
        for (const [key, count] of Object.entries(row[name])) totals.set(key, (totals.get(key) ?? 0) + count);
      }
      const runs = levels.reduce((sum, { runs: count }) => sum + count, 0);
      return [...totals]
        .filter(([, count]) => count >= least * runs)
        .map(([key, count]) => `${key} ${((100 * count) / runs).toFixed(0)} %`)
        .join(', ');
    };
    const pairs = of.filter(({ policy }) => policy.includes(' − '));
    const bias = levels.map((r) => (r.runs === r.refused ? '–' : r.meanError.toFixed(4))).join(' / ');
    const width = levels.map((r) => (r.runs === r.refused ? '–' : r.meanWidth.toFixed(3))).join(' / ');
    const row = [
      world,
      cell,
      levels.map(({ policy }) => policy).join(' / '),
      covered(levels),
      covered(pairs),
      covered(together),
      bias,
      width,
    ];
    return `| ${[...row, counted('reasons', 0.01), counted('warnings', 0.2)].join(' | ')} |`;
  });
}

export const COMPACT_HEAD = [
  '| world | estimator | policies | coverage % | of pairs % | of families % | bias | width | refused | warned of |',
  '|---|---|---|---|---|---|---|---|---|---|',
];
