import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { estimatesOf } from '../../src/stats/estimate.ts';
import { type EstimatorSettings, type EvaluationData, estimate, resolveConfig } from '../../src/stats/index.ts';
import { prepareStudy } from '../../src/stats/study/study.ts';
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

/** What the project promises; a run that misses one ends with exit code 1. */
const BOUNDS = {
  /** Times faster than the recorded library: every single fit, and the whole grid on one core. */
  fit: 20,
  grid: 100,
  /** CPU seconds of 2,000 refits on 10,000 rows: promised as seconds on two cores, kept on one. */
  bootstrapSeconds: 5,
  /** Growth of time from 10,000 to 100,000 rows. */
  growth: 25,
};

/**
 * Prints times; where the recorded ones are at hand, beside them.
 * @returns the promises that this run missed, one a line.
 */
export function main(wanted: readonly string[], reference: string): string[] {
  const all: Readonly<Record<string, () => string[]>> = {
    fits: () => fits(reference),
    grid: () => grid(reference),
    bootstrap,
    growth,
  };
  return (wanted.length === 0 ? Object.keys(all) : wanted).flatMap((name) => {
    const run = all[name];
    if (run === undefined) throw new Error(`unknown measurement ${name}; known: ${Object.keys(all).join(', ')}`);
    return run();
  });
}

function world(prompts: number, seed: number, labelled = 0.25): EvaluationData {
  return simulate({ ...DEFAULT_WORLD, prompts, labelled, targets: TARGETS }, seed);
}

/** Median CPU milliseconds of `repeats` runs, each on data of its own; CPU time, so that a busy machine does not tell. */
function median<T>(repeats: number, prepare: (i: number) => T, run: (prepared: T) => void): number {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const prepared = prepare(i);
    const started = cpuSeconds();
    run(prepared);
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

/** Recorded in less than this are two lines of numpy, without the diagnostics and gates of ours: shown, not judged. */
const JUDGED_FROM_SECONDS = 0.02;

/**
 * One fit at n = 1,000, three policies, after the reward calibration, which was recorded apart: on data that nothing else
 * has been fitted on, with all diagnostics and gates.
 */
function fits(reference: string): string[] {
  const file = path.join(reference, 'arena.json');
  const recorded = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { timings: Timings }).timings : null;
  console.log(
    recorded === null
      ? 'No recorded times at hand: nothing to compare with.\n'
      : 'Compared with the recorded times of cje-eval 0.3.0 on a like machine, one thread.\n',
  );
  const missed: string[] = [];
  const row = (name: string, ours: number, theirs: number | undefined) => {
    const ratio = theirs === undefined ? null : (1000 * theirs) / ours;
    const cells = [ours.toFixed(2), theirs === undefined ? '' : (1000 * theirs).toFixed(0), ratio?.toFixed(0) ?? ''];
    console.log(`| ${[name, ...cells].join(' | ')} |`);
    return ratio;
  };
  console.log('| fit at n = 1,000, 3 policies | CPU ms | recorded ms | ratio |');
  console.log('|---|---:|---:|---:|');
  const repeats = 41;
  const fresh = (i: number) => world(1000, i, 0.48);
  const calibrate = (settings: EstimatorSettings, data: EvaluationData) => {
    const study = prepareStudy(resolveConfig(settings), data);
    if (!study.ok) throw new Error(`Internal error: ${study.refusal.message}`);
    return study.value;
  };
  const auto = median(repeats, fresh, (data) => calibrate(FITS.direct!, data));
  row('reward calibration (auto)', auto, recorded?.calibrate_dataset_auto.median);
  for (const [name, settings] of Object.entries(FITS)) {
    const ours = median(
      repeats,
      (i) => calibrate(settings, fresh(i)),
      (study) => estimatesOf(study),
    );
    const theirs = recorded?.estimators[name]?.median;
    const ratio = row(name, ours, theirs);
    if (ratio !== null && theirs! >= JUDGED_FROM_SECONDS && ratio < BOUNDS.fit) {
      missed.push(`${name}: ${ratio.toFixed(1)} times faster than recorded, promised ${BOUNDS.fit}`);
    }
  }
  return missed;
}

/** 45 cells × 9 estimators, as recorded. */
function grid(reference: string): string[] {
  const file = path.join(reference, 'grid.json');
  const recorded = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { populations: { synthetic: { totals: { cpu_s: number } } } })
        .populations.synthetic.totals
    : null;
  const cells = [0, 1, 2, 3, 4].flatMap((seed) =>
    [250, 500, 1000].flatMap((n) => [0.1, 0.25, 0.5].map((coverage) => world(n, seed, coverage))),
  );
  const started = cpuSeconds();
  for (const data of cells) for (const settings of Object.values(FITS)) estimate(settings, data);
  const seconds = cpuSeconds() - started;
  const beside = recorded === null ? '' : `; recorded ${recorded.cpu_s} s: ${(recorded.cpu_s / seconds).toFixed(0)} ×`;
  console.log(`grid of 45 cells × 9 estimators: ${seconds.toFixed(2)} CPU s${beside}`);
  const ratio = recorded === null ? Number.POSITIVE_INFINITY : recorded.cpu_s / seconds;
  return ratio < BOUNDS.grid ? [`grid: ${ratio.toFixed(0)} times faster than recorded, promised ${BOUNDS.grid}`] : [];
}

/** 2,000 refits in monotone mode, 10,000 rows, one policy and four. */
function bootstrap(): string[] {
  return [{ pi_cot: 0.7 }, DEFAULT_WORLD.targets].flatMap((targets) => {
    const data = simulate({ ...DEFAULT_WORLD, prompts: 10_000, targets }, 1);
    const settings: EstimatorSettings = { estimator: 'direct', rewardCalibration: 'monotone', inference: 'bootstrap' };
    const started = cpuSeconds();
    estimate({ ...settings, replicates: 2000 }, data);
    const seconds = cpuSeconds() - started;
    console.log(
      `2,000 bootstrap refits, 10,000 rows, ${Object.keys(targets).length} policies: ${seconds.toFixed(2)} CPU s`,
    );
    const bound = BOUNDS.bootstrapSeconds;
    return seconds > bound ? [`bootstrap: ${seconds.toFixed(1)} CPU s, promised ${bound}`] : [];
  });
}

/** Time at 10,000 and 100,000 rows. */
function growth(): string[] {
  console.log('| growth | 10,000 rows CPU ms | 100,000 rows CPU ms | factor |\n|---|---:|---:|---:|');
  const missed: string[] = [];
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
    if (large! > BOUNDS.growth * small!) missed.push(`${name} grows more than ${BOUNDS.growth} times`);
  }
  return missed;
}
