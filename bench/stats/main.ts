import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { bootstrapPart, type EstimatorSettings, type EvaluationData, estimate } from '../../src/stats/index.ts';
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

/** Median milliseconds of `repeats` runs on fresh data, so that nothing remembered from the last run helps. */
function median(repeats: number, prepare: (i: number) => EvaluationData, run: (data: EvaluationData) => void): number {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const data = prepare(i);
    const started = performance.now();
    run(data);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[Math.floor(repeats / 2)]!;
}

interface Timings {
  readonly estimators: Readonly<Record<string, { readonly median: number }>>;
  readonly calibrate_dataset_auto: { readonly median: number };
}

/** One fit at n = 1,000, three policies, calibration included on both sides. */
function fits(reference: string): void {
  const file = path.join(reference, 'arena.json');
  const recorded = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { timings: Timings }).timings : null;
  console.log(
    '| fit at n = 1,000, 3 policies | ms | recorded ms, calibration included | ratio |\n|---|---:|---:|---:|',
  );
  for (const [name, settings] of Object.entries(FITS)) {
    const ours = median(
      15,
      (i) => world(1000, i, 0.48),
      (data) => estimate(settings, data),
    );
    const theirs =
      recorded === null ? null : 1000 * (recorded.estimators[name]!.median + recorded.calibrate_dataset_auto.median);
    const beside = theirs === null ? '| |' : `${theirs.toFixed(0)} | ${(theirs / ours).toFixed(0)} |`;
    console.log(`| ${name} | ${ours.toFixed(2)} | ${beside}`);
  }
}

/** 45 cells × 9 estimators, as recorded. */
function grid(reference: string): void {
  const file = path.join(reference, 'grid.json');
  const recorded = existsSync(file)
    ? (
        JSON.parse(readFileSync(file, 'utf8')) as {
          populations: { synthetic: { totals: { wall_s: number; calibration_wall_s: number } } };
        }
      ).populations.synthetic.totals
    : null;
  const cells = [0, 1, 2, 3, 4].flatMap((seed) =>
    [250, 500, 1000].flatMap((n) => [0.1, 0.25, 0.5].map((coverage) => world(n, seed, coverage))),
  );
  const started = performance.now();
  for (const data of cells) for (const settings of Object.values(FITS)) estimate(settings, data);
  const seconds = (performance.now() - started) / 1000;
  const beside =
    recorded === null ? '' : `; recorded ${recorded.wall_s} s: ${(recorded.wall_s / seconds).toFixed(0)} ×`;
  console.log(`grid of 45 cells × 9 estimators: ${seconds.toFixed(2)} s on one core${beside}`);
}

/** 2,000 refits in monotone mode, 10,000 rows, one policy and four. */
function bootstrap(): void {
  for (const targets of [{ pi_cot: 0.7 }, DEFAULT_WORLD.targets]) {
    const data = simulate({ ...DEFAULT_WORLD, prompts: 10_000, targets }, 1);
    const settings: EstimatorSettings = { estimator: 'direct', rewardCalibration: 'monotone', inference: 'bootstrap' };
    const started = performance.now();
    bootstrapPart(settings, data, 0, 2000);
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `2,000 bootstrap refits, 10,000 rows, ${Object.keys(targets).length} policies: ${seconds.toFixed(2)} s on one core`,
    );
  }
}

/** Time at 10,000 and 100,000 rows. */
function growth(): void {
  console.log('| growth | 10,000 rows ms | 100,000 rows ms | factor |\n|---|---:|---:|---:|');
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
