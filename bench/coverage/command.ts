/**
 * The worlds of `attacks.ts` and `held-out.ts` through the command itself: files on scales of their own, a pipeline, `cje
 * build`, and what it wrote. One build holds all seeds of a world.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { EstimateRow, PolicyComparisons } from '../../src/datasets/results.ts';
import type { EvaluationData, FreshDraws, LoggedRows } from '../../src/stats/index.ts';
import type { AttackSettings } from './attacks.ts';
import type { HeldOutSettings } from './held-out.ts';
import { type CoverageRow, coverageRows, type Seeds, Tallies, tallyPairs, worldOf } from './study.ts';

/** Scales that nobody would guess. */
const LABELS = [-3, 17] as const;
const SCORES = [0, 10] as const;

export interface Place {
  /** Where the builds lie. */
  readonly folder: string;
  /** The command, and the folder of its configs. */
  readonly command: string;
  readonly configs: string;
}

/** A world that files can be written of. */
type FiledWorld = AttackSettings | HeldOutSettings;

/** Which files a world has. */
const filesOf = (world: FiledWorld) =>
  'heldOut' in world
    ? { log: true, draws: true, set: false }
    : { log: world.rows > 0, draws: world.draws > 0, set: world.set > 0 };

/** What {@link tallyStudy} would count, read from what `cje build` wrote. @param estimators names of configs/ablations */
export function commandStudy(
  world: FiledWorld,
  estimators: readonly string[],
  seeds: Seeds,
  place: Place,
): CoverageRow[] {
  const { folder } = place;
  const numbers = Array.from({ length: seeds.count }, (_, k) => seeds.first + k);
  buildAttacks(world, estimators, new Map(numbers.map((seed) => [seed, () => worldOf(world).simulate(seed)])), place);
  const tallies = new Tallies();
  for (const seed of numbers) {
    for (const estimator of estimators)
      count(tallies, world, estimator, `${folder}/out/estimates/${seed}/${estimator}`);
  }
  return coverageRows(world, tallies.all(), seeds);
}

/** One build of data sets by number, each made when it is written. */
export function buildAttacks(
  world: FiledWorld,
  estimators: readonly string[],
  data: ReadonlyMap<number, () => EvaluationData>,
  { folder, command, configs }: Place,
): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(configs, `${folder}/configs`, { recursive: true });
  for (const [seed, make] of data) writeFiles(`${folder}/data/${seed}`, make());
  writeFileSync(`${folder}/pipeline.yaml`, pipeline(world, estimators, [...data.keys()]));
  const build = spawnSync(process.execPath, [command, 'build'], { cwd: folder, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`cje build ended with ${build.status}\n${build.stdout}${build.stderr}`);
}

function count(tallies: Tallies, world: FiledWorld, estimator: string, folder: string): void {
  const lines = readFileSync(`${folder}/rows.jsonl`, 'utf8').trim().split('\n');
  for (const row of lines.map((line) => JSON.parse(line) as EstimateRow)) {
    const tally = tallies.of(estimator, row.policy);
    if (row.status === 'refused') {
      tallies.refuse(tally, row.gate);
      continue;
    }
    const warned = row.warnings.map(({ gate }) => gate ?? 'other');
    const interval = [onUnit(row.lower), onUnit(row.upper)] as const;
    const given = {
      estimate: onUnit(row.estimate),
      standardError: row.standardError / (LABELS[1] - LABELS[0]),
      interval,
    };
    tallies.take(tally, given, worldOf(world).value(row.policy), warned);
  }
  const { pairs } = JSON.parse(readFileSync(`${folder}/comparisons.json`, 'utf8')) as PolicyComparisons;
  const width = LABELS[1] - LABELS[0];
  const told = pairs.map(({ a, b, difference, standardError, lower, upper, ...of }) => ({
    a,
    b,
    estimate: difference / width,
    standardError: standardError / width,
    interval: [lower / width, upper / width] as const,
    together: [of.simultaneousLower / width, of.simultaneousUpper / width] as const,
  }));
  const logger = filesOf(world).log ? 'p0' : undefined;
  tallyPairs(tallies, { cell: estimator, logger }, told, (policy) => worldOf(world).value(policy));
}

const onUnit = (value: number): number => (value - LABELS[0]) / (LABELS[1] - LABELS[0]);
const onScale = (value: number, [low, high]: readonly [number, number]): number | undefined =>
  Number.isNaN(value) ? undefined : low + (high - low) * value;

function writeFiles(folder: string, data: EvaluationData): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, rows: readonly object[]) =>
    writeFileSync(`${folder}/${name}.jsonl`, rows.map((row) => JSON.stringify(row)).join('\n'));
  const { logged, calibrationSet } = data;
  if (data.pooled !== true) {
    write(
      'log',
      rowsOf(logged).map((row, i) => ({
        ...row,
        base_logprob: logged.baseLogprobs[i],
        target_logprobs: Object.fromEntries(
          [...logged.targetLogprobs].flatMap(([policy, values]) =>
            Number.isNaN(values[i]!) ? [] : [[policy, values[i]!]],
          ),
        ),
      })),
    );
  }
  for (const [policy, draws] of data.freshDraws) write(policy, rowsOf(draws));
  if (calibrationSet !== undefined) write('set', rowsOf(calibrationSet));
}

function rowsOf(of: FreshDraws | LoggedRows): object[] {
  return of.promptIds.map((prompt_id, i) => ({
    prompt_id,
    judge_score: onScale(of.judgeScores[i]!, SCORES),
    oracle_label: onScale(of.oracleLabels[i]!, LABELS),
    label_propensity: of.labelPropensities?.[i],
    response_words: of.responseLengths[i],
  }));
}

function pipeline(world: FiledWorld, estimators: readonly string[], seeds: readonly number[]): string {
  const { log, draws, set } = filesOf(world);
  const policies = draws ? world.policies : [];
  const lines = [
    'name: attacks',
    'default: estimates',
    'stages:',
    '  dataset:',
    '    kind: import',
    `    matrix: {seed: [${seeds.map((seed) => `'${seed}'`).join(', ')}]}`,
    '    params:',
    ...(log ? ['      logger: p0', '      logged: data/${seed}/log.jsonl'] : []),
    `      policies: [${world.policies.join(', ')}]`,
    `      fresh: {${policies.map((policy) => `${policy}: data/\${seed}/${policy}.jsonl`).join(', ')}}`,
    ...(set ? ['      calibration: data/${seed}/set.jsonl'] : []),
    `      judge_scale: [${SCORES.join(', ')}]`,
    `      label_scale: [${LABELS.join(', ')}]`,
    '      gates: configs/gates.yaml',
    '  estimates:',
    '    kind: estimate',
    `    matrix: {seed: [${seeds.map((seed) => `'${seed}'`).join(', ')}], ablation: [${estimators.join(', ')}]}`,
    '    inputs: {dataset: dataset/${seed}}',
    '    params:',
    '      name: ${ablation}',
    '      scorer: judge',
    '      ablation: configs/ablations/${ablation}.yaml',
    '      gates: configs/gates.yaml',
  ];
  return `${lines.join('\n')}\n`;
}
