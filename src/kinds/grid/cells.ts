/** The cells of a grid for one ablation and one sample size. */

import { z } from 'zod';
import { EXIT, ProblemError } from '../../core/problem.ts';
import type { Gates } from '../../datasets/gates-file.ts';
import type { GridRow } from '../../datasets/grid-rows.ts';
import {
  type CommonSettings,
  ESTIMATORS,
  type EvaluationData,
  estimate,
  type PolicyResult,
} from '../../stats/index.ts';
import { mean, standardErrorOfMean } from '../../stats/numeric/moments.ts';
import { Subsampler } from '../../stats/subsample.ts';
import { type Ablation, estimatorSettings } from '../files/ablation.ts';

const share = () => z.number().min(0).max(1);

export const gridSchema = z.strictObject({
  /** Shares of a cell's prompts whose label the estimator sees. */
  oracle_coverages: z.array(share()).min(1),
  /** How often each cell is drawn: under the seeds 0, 1, … */
  seeds: z.int().min(1),
  /** Calibrations to try in place of the ablation's own; null for its own. */
  reward_calibrations: z
    .array(z.enum(['auto', 'monotone', 'two-stage', 'none']))
    .min(1)
    .nullable()
    .default(null),
  /** Lists of covariates to try in place of the ablation's own; null for its own. */
  covariates: z
    .array(z.array(z.enum(['response_length'])))
    .min(1)
    .nullable()
    .default(null),
  /** Share of the policies' own responses whose label the estimator sees, for those that read them. */
  own_label_coverage: share().default(0),
});
type GridSettings = z.infer<typeof gridSchema>;

/** Fewer labels than this share is no fully labelled dataset; a judge's reply now and then cannot be read. */
const LABELLED_AT_LEAST = 0.95;

export interface GridTask {
  readonly name: string;
  readonly ablation: Ablation;
  readonly gates: Gates;
  readonly sampleSize: number;
  readonly grid: GridSettings;
}

interface Variant {
  readonly settings: CommonSettings;
  readonly calibration: Ablation['reward_calibration'];
  readonly covariates: readonly string[];
}

/** How many cells a node makes, by its parameters alone. */
export function cellCount({ ablation, gates, grid }: GridTask): number {
  return variantsOf(ablation, gates, grid, false).length * grid.oracle_coverages.length * grid.seeds;
}

/**
 * The rows of each seed from the first on: of all its cells, by oracle coverage, calibration, covariates and policy.
 *
 * @throws ProblemError where the data have too few prompts or labels.
 */
export function* gridRows(task: GridTask, data: EvaluationData, first = 0): Generator<readonly GridRow[]> {
  const held = heldValues(data);
  checkPrompts(data, task.sampleSize);
  const stated = data.logged.judgeVariances.some((variance) => variance > 0);
  const variants = variantsOf(task.ablation, task.gates, task.grid, stated);
  for (let seed = first; seed < task.grid.seeds; seed++) {
    const subsampler = new Subsampler(data, seed);
    const rows: GridRow[] = [];
    for (const coverage of task.grid.oracle_coverages) {
      const cell = subsampler.draw({
        prompts: task.sampleSize,
        labelled: coverage,
        ownLabelled: task.grid.own_label_coverage,
      });
      for (const { settings, calibration, covariates } of variants) {
        const name = {
          ablation: task.name,
          estimator: task.ablation.estimator,
          reward_calibration: calibration,
          covariates: covariates.join('+'),
          sample_size: task.sampleSize,
          oracle_coverage: coverage,
          seed,
        };
        for (const result of estimate(settings, cell).policies) rows.push(rowOf(name, result, held));
      }
    }
    yield rows;
  }
}

type CellName = Omit<GridRow, 'policy' | 'held' | 'held_error' | 'status'>;

function rowOf(name: CellName, result: PolicyResult, held: ReadonlyMap<string, HeldOutCell>): GridRow {
  const { value, error } = held.get(result.policy)!;
  const common = { ...name, policy: result.policy, held: value, held_error: error } as GridRow;
  if (result.status === 'refused') return { ...common, status: 'refused', gate: result.code };
  const [lower, upper] = result.interval;
  return {
    ...common,
    status: 'ok',
    estimate: result.estimate,
    standard_error: result.standardError,
    lower,
    upper,
    covered: lower <= value && value <= upper,
    n: result.n,
  };
}

/**
 * The ablation under each calibration and each list of covariates that go together with it. One that reads neither is
 * tried once.
 */
function variantsOf(ablation: Ablation, gates: Gates, grid: GridSettings, judgeUncertainty: boolean): Variant[] {
  const plain = ESTIMATORS.get(ablation.estimator).needs.labels === 'none';
  const calibrations = (plain ? null : grid.reward_calibrations) ?? [ablation.reward_calibration];
  const lists = (plain ? null : grid.covariates) ?? [ablation.covariates];
  const variants: Variant[] = [];
  for (const calibration of calibrations) {
    for (const covariates of lists) {
      const varied: Ablation = { ...ablation, reward_calibration: calibration, covariates: [...covariates] };
      const settings = estimatorSettings(varied, gates.overlap, judgeUncertainty);
      if (isPossible(settings)) variants.push({ settings, calibration, covariates });
    }
  }
  return variants;
}

function isPossible(settings: CommonSettings): boolean {
  try {
    ESTIMATORS.resolve(settings);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

interface HeldOutCell {
  readonly value: number;
  readonly error: number;
}

/** The mean of all labels of each policy's own responses. */
function heldValues({ policies, freshDraws, logged }: EvaluationData): Map<string, HeldOutCell> {
  checkLabels('the logged responses', logged.oracleLabels);
  return new Map(
    policies.map((policy) => {
      const labels = freshDraws.get(policy)?.oracleLabels ?? new Float64Array();
      const present = labels.filter((label) => !Number.isNaN(label));
      checkLabels(`the responses of ${policy}`, labels);
      return [policy, { value: mean(present), error: standardErrorOfMean(present) }];
    }),
  );
}

function checkLabels(where: string, labels: Float64Array): void {
  const present = labels.filter((label) => !Number.isNaN(label)).length;
  if (labels.length > 1 && present >= LABELLED_AT_LEAST * labels.length) return;
  throw new ProblemError(
    {
      id: 'CJE-GRID-UNLABELLED',
      headline: `a grid holds estimates against labels, and ${where} lack them`,
      facts: [['labelled', `${present} of ${labels.length}`]],
      hint: 'label every response: `calibration_share: 1` and `validation_share: 1` of the oracle stage',
    },
    EXIT.failed,
  );
}

function checkPrompts(data: EvaluationData, wanted: number): void {
  const prompts = new Set(data.logged.promptIds).size;
  if (wanted <= prompts) return;
  throw new ProblemError(
    {
      id: 'CJE-GRID-TOO-LARGE',
      headline: `the grid draws ${wanted} prompts, and the dataset has ${prompts}`,
      hint: 'leave that sample size out, or build the dataset with more samples',
    },
    EXIT.failed,
  );
}
