import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  bootstrapPart,
  type EstimatorSettings,
  type EvaluationData,
  estimate,
  estimateMany,
} from '../../src/stats/index.ts';
import { DEFAULT_WORLD, simulate } from '../coverage/world.ts';

/** Settings of the nine estimators whose times were recorded, in the order of the recording. */
const FITS: Readonly<Record<string, EstimatorSettings>> = {
  'ips-unnorm': { estimator: 'ips', mode: 'parity' },
  snips: { estimator: 'snips', mode: 'parity' },
  'raw-ips': { estimator: 'snips', mode: 'parity', weightClip: 100 },
  'calibrated-ips': { estimator: 'calibrated-ips', mode: 'parity' },
  'dr-cpo': { estimator: 'dr-cpo', mode: 'parity' },
  mrdr: { estimator: 'mrdr', mode: 'parity' },
  tmle: { estimator: 'tmle', mode: 'parity' },
  'stacked-dr': { estimator: 'stacked-dr', mode: 'parity' },
  direct: { estimator: 'direct', mode: 'parity' },
};

const TARGETS = { clone: 0.3, moderate: 0.5, severe: 0.8 };

/** Prints times; where the recorded ones are at hand, beside them. */
export function main(wanted: readonly string[], reference: string): void {
  const all: Readonly<Record<string, () => void>> = {
    fits: () => fits(reference),
    grid: () => grid(reference),
    bootstrap,
    growth,
  };
  for (const name of wanted.length === 0 ? Object.keys(all) : wanted) all[name]!();
}

function world(prompts: number, seed: number, labelled = 0.25): EvaluationData {
  return simulate({ ...DEFAULT_WORLD, prompts, labelled, targets: TARGETS }, seed);
}

/** Median CPU milliseconds of `repeats` runs, each on data of its own; CPU time, so that a busy machine does not tell. */
function median(repeats: number, prepare: (i: number) => EvaluationData, run: (data: EvaluationData) => void): number {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const data = prepare(i);
    const started = cpuSeconds();
    run(data);
    times.push(1000 * (cpuSeconds() - started));
  }
  return times.sort((a, b) => a - b)[Math.floor(repeats / 2)]!;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

interface Timings {
  readonly estimators: Readonly<Record<string, { readonly median: number }>>;
  readonly calibrate_dataset_auto: { readonly median: number };
}

/** One fit at n = 1,000, three policies, without the reward calibration, which was recorded apart. */
function fits(reference: string): void {
  const file = path.join(reference, 'arena.json');
  const recorded = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { timings: Timings }).timings : null;
  const row = (name: string, ours: number, theirs: number | undefined) => {
    const beside =
      theirs === undefined ? '| |' : `${(1000 * theirs).toFixed(0)} | ${((1000 * theirs) / ours).toFixed(0)} |`;
    console.log(`| ${name} | ${ours.toFixed(2)} | ${beside}`);
  };
  console.log('| fit at n = 1,000, 3 policies | CPU ms | recorded ms | ratio |\n|---|---:|---:|---:|');
  const repeats = 41;
  const data = (i: number) => world(1000, i, 0.48);
  const direct = { estimator: 'direct', mode: 'parity' } as const;
  const alone = median(repeats, data, (d) => estimateMany([direct], d));
  row('reward calibration (auto) and direct', alone, recorded?.calibrate_dataset_auto.median);
  for (const [name, settings] of Object.entries(FITS)) {
    // Ten fits beside one calibration, less the calibration: one fit.
    const together = median(repeats, data, (d) =>
      estimateMany([direct, ...new Array<EstimatorSettings>(10).fill(settings)], d),
    );
    row(name, (together - alone) / 10, recorded?.estimators[name]?.median);
  }
}

/** 45 cells × 9 estimators, as recorded. */
function grid(reference: string): void {
  const file = path.join(reference, 'grid.json');
  const recorded = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { populations: { synthetic: { totals: { cpu_s: number } } } })
        .populations.synthetic.totals
    : null;
  const cells = [0, 1, 2, 3, 4].flatMap((seed) =>
    [250, 500, 1000].flatMap((n) => [0.1, 0.25, 0.5].map((coverage) => world(n, seed, coverage))),
  );
  const started = cpuSeconds();
  for (const data of cells) estimateMany(Object.values(FITS), data);
  const seconds = cpuSeconds() - started;
  const beside = recorded === null ? '' : `; recorded ${recorded.cpu_s} s: ${(recorded.cpu_s / seconds).toFixed(0)} ×`;
  console.log(`grid of 45 cells × 9 estimators: ${seconds.toFixed(2)} CPU s${beside}`);
}

/** 2,000 refits in monotone mode, 10,000 rows, one policy and four. */
function bootstrap(): void {
  for (const targets of [{ pi_cot: 0.7 }, DEFAULT_WORLD.targets]) {
    const data = simulate({ ...DEFAULT_WORLD, prompts: 10_000, targets }, 1);
    const settings: EstimatorSettings = { estimator: 'direct', rewardCalibration: 'monotone', inference: 'bootstrap' };
    const started = cpuSeconds();
    bootstrapPart(settings, data, 0, 2000);
    const seconds = cpuSeconds() - started;
    console.log(
      `2,000 bootstrap refits, 10,000 rows, ${Object.keys(targets).length} policies: ${seconds.toFixed(2)} CPU s`,
    );
  }
}

/** Time at 10,000 and 100,000 rows. */
function growth(): void {
  console.log('| growth | 10,000 rows CPU ms | 100,000 rows CPU ms | factor |\n|---|---:|---:|---:|');
  for (const name of ['snips', 'calibrated-ips', 'dr-cpo', 'tmle', 'stacked-dr', 'direct'] as const) {
    const settings = { ...FITS[name]!, mode: 'recommended' } as const;
    const [small, large] = [10_000, 100_000].map((n) =>
      median(
        3,
        (i) => world(n, i),
        (data) => estimate(settings, data),
      ),
    );
    console.log(`| ${name} | ${small!.toFixed(0)} | ${large!.toFixed(0)} | ${(large! / small!).toFixed(1)} |`);
  }
}
