import { outOfFoldRewards } from '../calibration/reward-calibration.ts';
import { predictReward, predictRewards } from '../calibration/reward-function.ts';
import { type EvaluationData, type FreshDraws, type LoggedRows, type ScoreInputs, scoreInputs } from '../data/data.ts';
import { checkPropensities } from '../data/label-weights.ts';
import { firstFew, refusal } from '../data/refusal.ts';
import { checkScale, missingScores } from '../data/row-checks.ts';
import { lazily } from '../numeric/lazily.ts';
import { indicesWhere, tabulate, take } from '../numeric/moments.ts';
import { type WeightDiagnostics, weightDiagnostics } from '../weights/diagnostics.ts';
import { clipWeights, rawWeights, selfNormalisedWeights } from '../weights/importance-weights.ts';
import { type Prepared, prepared, refused, type Study } from './study.ts';

/** A policy's own responses, with their rewards. */
export interface FreshView {
  readonly draws: FreshDraws;
  readonly inputs: ScoreInputs;
  /** Cross-fitting fold of each draw's prompt. */
  readonly folds: Int32Array;
  /** f̂(S′) a draw (the judge score without a calibration). */
  readonly rewards: Float64Array;
  /** f̂^(−k)(S′) with k the prompt's fold. */
  readonly outOfFoldRewards: Float64Array;
  /** Rewards that no label of these draws went into: cross-fitted where the calibration was fitted on them. */
  readonly heldOutRewards: Float64Array;
  /** Rewards of every draw under each jackknife fit; empty without oracle uncertainty. */
  readonly jackknifeRewards: readonly Float64Array[];
}

/** The logged rows on which one policy can be evaluated. All columns have n entries. */
export interface LoggedView {
  readonly policy: string;
  /** Positions in the study's logged rows. */
  readonly rows: Int32Array;
  readonly promptIds: readonly string[];
  readonly logRatios: Float64Array;
  readonly rawWeights: Float64Array;
  readonly rawWeightDiagnostics: WeightDiagnostics;
  /** Mean-one raw weights, clipped if the configuration says so. */
  readonly weights: Float64Array;
  readonly rewards: Float64Array;
  /** Cross-fitted calibrated rewards; null without a calibration. */
  readonly outOfFoldRewards: Float64Array | null;
  /** The rewards that influence functions centre: cross-fitted, but for labels and uncalibrated scores, which need no fitting. */
  readonly influenceRewards: Float64Array;
  readonly folds: Int32Array;
  /** The policy's draws for each row; null for estimators without fresh draws. */
  readonly draws: DrawJoin | null;
  /** Rows of the log without this policy's (list-wise: some policy's) log probability. */
  readonly droppedForLogprob: number;
}

/** Checks a policy's fresh draws; what is predicted about them is predicted on demand. */
export function freshView(study: Study, policy: string): Prepared<FreshView> {
  const { calibration, jackknifeFits } = study;
  const given = usableDraws(study, policy);
  if (!given.ok) return given;
  const { draws, inputs } = given.value;
  const folds = lazily(() => study.foldOf(draws.promptIds));
  const rewards = lazily(() => (calibration === null ? draws.judgeScores : predictReward(calibration.full, inputs)));
  const crossFitted = lazily(() =>
    calibration === null ? draws.judgeScores : outOfFoldRewards(calibration, inputs, folds()),
  );
  const jackknife = lazily(() => predictRewards(jackknifeFits, inputs));
  return prepared({
    draws,
    inputs,
    get folds() {
      return folds();
    },
    get rewards() {
      return rewards();
    },
    get outOfFoldRewards() {
      return crossFitted();
    },
    get heldOutRewards() {
      return teaches(study.data, policy) ? crossFitted() : rewards();
    },
    get jackknifeRewards() {
      return jackknife();
    },
  });
}

/** Whether the labels that a policy's own draws have are those that the calibration is fitted on. */
export const teaches = ({ pooled, logger }: EvaluationData, policy: string): boolean =>
  pooled === true || policy === logger;

/** The log's rows as draws of the policy that wrote it. */
function loggedDraws({ targetLogprobs: _, baseLogprobs: __, ...columns }: LoggedRows): FreshDraws {
  const seen = new Map<string, number>();
  const drawIndexes = Int32Array.from(columns.promptIds, (id) => {
    const index = seen.get(id) ?? 0;
    seen.set(id, index + 1);
    return index;
  });
  return { ...columns, drawIndexes };
}

function usableDraws(study: Study, policy: string): Prepared<Pick<FreshView, 'draws' | 'inputs'>> {
  const { config } = study;
  const { data } = study;
  const given = policy === data.logger ? loggedDraws(data.logged) : data.freshDraws.get(policy);
  if (given === undefined || given.promptIds.length === 0) {
    return refused(
      refusal(
        'no-fresh-draws',
        `${policy} has no fresh draws`,
        `Responses of ${policy} to the logged prompts, with judge scores.`,
      ),
    );
  }
  const where = `fresh draws of ${policy}`;
  const fault = checkScale(where, given.judgeScores, given.oracleLabels) ?? checkPropensities(where, given);
  if (fault !== null) return refused(fault);
  const missing = indicesWhere(given.judgeScores.length, (i) => Number.isNaN(given.judgeScores[i]!));
  if (missing.length > 0 && config.onMissingJudgeScore === 'refuse') {
    return refused(missingScores(`fresh draws of ${policy}`, Array.from(missing)));
  }
  const draws = missing.length === 0 ? given : withoutDraws(given, new Set(missing));
  if (draws.promptIds.length === 0) {
    return refused(missingScores(`fresh draws of ${policy}`, Array.from(missing)));
  }
  return prepared({ draws, inputs: scoreInputs(draws, config.covariates) });
}

function withoutDraws(draws: FreshDraws, drop: ReadonlySet<number>): FreshDraws {
  const kept = indicesWhere(draws.promptIds.length, (i) => !drop.has(i));
  return {
    promptIds: Array.from(kept, (i) => draws.promptIds[i]!),
    drawIndexes: Int32Array.from(kept, (i) => draws.drawIndexes[i]!),
    judgeScores: take(draws.judgeScores, kept),
    judgeVariances: take(draws.judgeVariances, kept),
    oracleLabels: take(draws.oracleLabels, kept),
    ...(draws.labelPropensities === undefined ? {} : { labelPropensities: take(draws.labelPropensities, kept) }),
    responseLengths: take(draws.responseLengths, kept),
  };
}

/** The logged rows usable for a policy, and its weights on them. */
export function loggedView(study: Study, policy: string, fresh: FreshView | null): Prepared<LoggedView> {
  const scored = rowsWithLogprobs(study, policy);
  if (!scored.ok) return scored;
  const rows = fresh === null ? scored : rowsWithDraws(study, policy, scored.value, fresh);
  if (!rows.ok) return rows;
  const dropped = study.logged.promptIds.length - scored.value.length;
  return prepared(viewOf(study, policy, { rows: rows.value, fresh, droppedForLogprob: dropped }));
}

/** Rows with the base policy's log probability and this policy's, or, list-wise, every policy's. */
function rowsWithLogprobs({ logged, config, data }: Study, policy: string): Prepared<Int32Array> {
  const { baseLogprobs, targetLogprobs } = logged;
  const target = targetLogprobs.get(policy);
  const wanted = config.deletion === 'list-wise' ? data.policies : [policy];
  const targets = wanted.flatMap((p) => targetLogprobs.get(p) ?? []);
  const scored = indicesWhere(baseLogprobs.length, (i) => {
    if (Number.isNaN(baseLogprobs[i]!)) return false;
    for (const values of targets) if (Number.isNaN(values[i]!)) return false;
    return true;
  });
  if (target !== undefined && scored.length > 0) return prepared(scored);
  const blame = target === undefined || target.every(Number.isNaN) ? policy : 'some policy (list-wise deletion)';
  return refused(
    refusal(
      'no-log-probabilities',
      `no logged row has a log probability of ${blame}`,
      `Log probabilities of the logged responses under ${policy} and under the logging policy.`,
    ),
  );
}

/** Those of the given rows whose prompt has a fresh draw. */
function rowsWithDraws(
  { logged, config }: Study,
  policy: string,
  scored: Int32Array,
  fresh: FreshView,
): Prepared<Int32Array> {
  const prompts = new Set(fresh.draws.promptIds);
  const absent = [...new Set(Array.from(scored, (i) => logged.promptIds[i]!).filter((id) => !prompts.has(id)))];
  if (absent.length === 0) return prepared(scored);
  if (config.onMissingFreshDraw === 'refuse') {
    return refused(
      refusal(
        'missing-fresh-draws',
        `${policy} has no fresh draw for ${absent.length} prompts: ${firstFew(absent)}`,
        'Responses of the policy to these prompts, or say that prompts without one are dropped.',
      ),
    );
  }
  const rows = scored.filter((i) => prompts.has(logged.promptIds[i]!));
  if (rows.length > 0) return prepared(rows);
  return refused(
    refusal(
      'missing-fresh-draws',
      `no logged prompt has a fresh draw of ${policy}`,
      'Responses of the policy to the logged prompts.',
    ),
  );
}

interface ViewRows {
  readonly rows: Int32Array;
  readonly fresh: FreshView | null;
  readonly droppedForLogprob: number;
}

function viewOf(study: Study, policy: string, { rows, fresh, droppedForLogprob }: ViewRows): LoggedView {
  const { logged, config } = study;
  const target = logged.targetLogprobs.get(policy)!;
  const everyRow = rows.length === logged.promptIds.length;
  const promptIds = everyRow ? logged.promptIds : Array.from(rows, (i) => logged.promptIds[i]!);
  const logRatios = tabulate(rows.length, (i) => target[rows[i]!]! - logged.baseLogprobs[rows[i]!]!);
  const weights = selfNormalisedWeights(logRatios);
  const raw = rawWeights(logRatios);
  const rewards = take(study.rewards, rows);
  const crossFitted = lazily(() => (study.outOfFoldRewards === null ? null : take(study.outOfFoldRewards, rows)));
  const diagnostics = lazily(() => weightDiagnostics(raw));
  return {
    policy,
    rows,
    promptIds,
    draws: fresh === null ? null : joinDraws(promptIds, fresh.draws.promptIds),
    logRatios,
    rawWeights: raw,
    get rawWeightDiagnostics() {
      return diagnostics();
    },
    weights: config.weightClip === null ? weights : clipWeights(weights, config.weightClip),
    rewards,
    get outOfFoldRewards() {
      return crossFitted();
    },
    get influenceRewards() {
      return study.fullyLabelled ? rewards : (crossFitted() ?? rewards);
    },
    folds: everyRow ? study.promptFolds : Int32Array.from(rows, (i) => study.promptFolds[i]!),
    droppedForLogprob,
  };
}

/** The fresh draws of each logged row's prompt: rows start[i] … start[i + 1] − 1 of `draw`. */
interface DrawJoin {
  readonly start: Int32Array;
  readonly draw: Int32Array;
}

function joinDraws(promptIds: readonly string[], drawPromptIds: readonly string[]): DrawJoin {
  const byPrompt = new Map<string, number[]>();
  drawPromptIds.forEach((id, j) => {
    const draws = byPrompt.get(id);
    if (draws === undefined) byPrompt.set(id, [j]);
    else draws.push(j);
  });
  const start = new Int32Array(promptIds.length + 1);
  const draw: number[] = [];
  promptIds.forEach((id, i) => {
    for (const j of byPrompt.get(id)!) draw.push(j);
    start[i + 1] = draw.length;
  });
  return { start, draw: Int32Array.from(draw) };
}

/** For each logged row, the mean over its prompt's draws of `values` (one a draw); n entries. */
export function meanOverDraws(view: LoggedView, values: Float64Array): Float64Array {
  const { start, draw } = view.draws!;
  const out = new Float64Array(view.promptIds.length);
  for (let i = 0; i < out.length; i++) {
    let total = 0;
    for (let k = start[i]!; k < start[i + 1]!; k++) total += values[draw[k]!]!;
    out[i] = total / (start[i + 1]! - start[i]!);
  }
  return out;
}

/** How many draws each logged row's prompt has. */
export function drawCounts(view: LoggedView): Int32Array {
  const { start } = view.draws!;
  return Int32Array.from(view.promptIds, (_, i) => start[i + 1]! - start[i]!);
}
