import { selectRows } from './calibration/cross-fit.ts';
import type { RewardCalibration } from './calibration/reward-calibration.ts';
import { predictReward } from './calibration/reward-function.ts';
import { clusterIndex } from './data/clustering.ts';
import { type EvaluationData, inputsOf } from './data/data.ts';
import { type Refusal, refusal } from './data/refusal.ts';
import { type BoundaryCard, boundaryCard } from './diagnostics/boundary.ts';
import { type LabelSupport, labelSupport } from './diagnostics/label-support.ts';
import { reliabilityFlags } from './diagnostics/reliability.ts';
import { bhattacharyyaAffinity } from './diagnostics/score-overlap.ts';
import { ESTIMATORS } from './estimators/registry.ts';
import {
  boundaryGates,
  effectiveLabelsGate,
  type GateCheck,
  labelSupportGate,
  overlapGates,
  refusalOf,
  rowsGate,
  stabilisationGate,
  transportGates,
} from './gates/gates.ts';
import { auditTransport, type TransportAudit } from './gates/transport-audit.ts';
import { type BootstrapPart, withBootstrap } from './inference/bootstrap-inference.ts';
import { inferenceOf } from './inference/inference.ts';
import type { CalibrationSummary, EstimateResult, PolicyDiagnostics, PolicyResult } from './inference/result.ts';
import { Memory } from './numeric/lazily.ts';
import { quantileOfSorted, take } from './numeric/moments.ts';
import type { Computation } from './study/computation.ts';
import { type EstimatorConfig, type EstimatorSettings, resolveConfig, usesLogProbabilities } from './study/config.ts';
import { type FreshView, freshView, type LoggedView, loggedView } from './study/policy-view.ts';
import { prepareStudy, type Study } from './study/study.ts';
import { type WeightDiagnostics, weightDiagnostics } from './weights/diagnostics.ts';

/**
 * Estimates the value of every policy: the mean oracle label (or judge score, uncalibrated) of its responses over the
 * prompt law.
 *
 * A policy that cannot be estimated is refused with a reason and with what to collect, never with NaN; one policy's
 * refusal does not touch another. Deterministic: equal inputs give equal bits.
 * Throws RangeError for a wrong setting or columns of unequal length.
 *
 * @param bootstrap replicates computed elsewhere, where `inference` is `bootstrap`; absent computes them here.
 */
export function estimate(
  settings: EstimatorSettings,
  data: EvaluationData,
  bootstrap?: readonly BootstrapPart[],
): EstimateResult {
  return estimateSharing(settings, data, new Memory(), bootstrap);
}

/** {@link estimate} for several settings on one data set: the same results, what they have in common made once. */
export function estimateMany(settings: readonly EstimatorSettings[], data: EvaluationData): EstimateResult[] {
  const shared = new Memory();
  return settings.map((one) => estimateSharing(one, data, shared));
}

/** {@link estimate}, given what other settings have left behind on the same data. */
export function estimateSharing(
  settings: EstimatorSettings,
  data: EvaluationData,
  shared: Memory,
  bootstrap?: readonly BootstrapPart[],
): EstimateResult {
  const config = resolveConfig(settings);
  checkLengths(data);
  const study = prepareStudy(config, data, shared);
  if (!study.ok) {
    const policies = data.policies.map((policy) => refusedPolicy(policy, study.refusal, EMPTY_DIAGNOSTICS));
    return { config, calibration: null, policies, warnings: [] };
  }
  const result = {
    config,
    calibration: study.value.memory.once('summary', () => summary(study.value)),
    policies: data.policies.map((policy) => estimatePolicy(study.value, policy)),
    warnings: study.value.warnings,
  };
  return withBootstrap(result, data, bootstrap);
}

function estimatePolicy(study: Study, policy: string): PolicyResult {
  const estimator = ESTIMATORS[study.config.estimator];
  const has = study.data.freshDraws.has(policy);
  const fresh = estimator.usesFreshDraws || has ? freshView(study, policy) : null;
  if (estimator.usesFreshDraws && fresh !== null && !fresh.ok) {
    return refusedPolicy(policy, fresh.refusal, EMPTY_DIAGNOSTICS);
  }
  const draws = fresh?.ok ? fresh.value : null;
  const logged = estimator.usesLog ? loggedView(study, policy, estimator.usesFreshDraws ? draws : null) : null;
  if (logged !== null && !logged.ok) return refusedPolicy(policy, logged.refusal, EMPTY_DIAGNOSTICS);

  const view = logged?.value ?? null;
  if (view !== null && estimator.usesFreshDraws && view.folds.every((fold) => fold === view.folds[0])) {
    return refusedPolicy(policy, oneFold(view.rows.length), EMPTY_DIAGNOSTICS);
  }
  const computed = estimator.compute({ study, policy, logged: view, fresh: draws });
  if ('refusal' in computed) return refusedPolicy(policy, computed.refusal, EMPTY_DIAGNOSTICS);
  const diagnostics = diagnose(study, policy, view, draws, computed);
  // Parity reproduces a library that flags and goes on; recommended withholds the number.
  const gate = study.config.mode === 'recommended' ? refusalOf(diagnostics.gates) : null;
  if (gate !== null) return refusedPolicy(policy, gate, diagnostics);
  return estimatedPolicy(study.config, policy, computed, diagnostics);
}

/** An outcome model is fitted on the other folds, and here there are none. */
function oneFold(rows: number): Refusal {
  const message = `${rows} usable rows, all in one cross-fitting fold, leave none to fit an outcome model on`;
  return refusal('too-few-rows', message, 'More prompts, or the missing rows of this policy.');
}

function estimatedPolicy(
  config: EstimatorConfig,
  policy: string,
  computed: Computation,
  diagnostics: PolicyDiagnostics,
): PolicyResult {
  const raw = diagnostics.rawWeights;
  const inUse = diagnostics.weights ?? raw;
  const judgeVariance = config.judgeUncertainty ? computed.judgeVariance : 0;
  return {
    status: 'ok',
    policy,
    estimate: computed.estimate,
    ...inferenceOf(computed, config, diagnostics.boundary),
    judgeStandardError: Math.sqrt(judgeVariance),
    n: diagnostics.rows,
    ess: inUse?.ess ?? null,
    essFraction: inUse?.essFraction ?? null,
    rawEss: raw?.ess ?? null,
    meanRawWeight: raw?.mean ?? null,
    tail: raw === null ? null : { index: tailValue(raw), maximumShare: raw.maximumShare },
    influence: computed.influence,
    influencePromptIds: computed.promptIds,
    oracleJackknife: computed.leaveOneOut,
    replicates: null,
    diagnostics,
  };
}

function tailValue(weights: WeightDiagnostics): number | null {
  switch (weights.tailIndex.kind) {
    case 'estimated':
      return weights.tailIndex.value;
    case 'uniform':
      return Number.POSITIVE_INFINITY;
    case 'unavailable':
      return null;
  }
}

function refusedPolicy(policy: string, refusal: Refusal, diagnostics: PolicyDiagnostics): PolicyResult {
  return { status: 'refused', policy, ...refusal, diagnostics };
}

const EMPTY_DIAGNOSTICS: PolicyDiagnostics = {
  rows: 0,
  prompts: 0,
  droppedForLogprob: 0,
  droppedForScore: 0,
  rawWeights: null,
  weights: null,
  reliability: [],
  scoreAffinity: null,
  boundary: null,
  labelSupport: null,
  transport: null,
  orthogonality: null,
  parts: null,
  mixture: null,
  gates: [],
  warnings: [],
};

function diagnose(
  study: Study,
  policy: string,
  view: LoggedView | null,
  fresh: FreshView | null,
  computed: Computation,
): PolicyDiagnostics {
  const { gates: thresholds } = study.config;
  const raw = view === null ? null : view.rawWeightDiagnostics;
  const inUse =
    view === null ||
    computed.weights === null ||
    (computed.weights === view.weights && study.config.weightClip === null)
      ? null
      : weightDiagnostics(computed.weights);
  const boundary = boundaryOf(study, view, fresh);
  const support = supportOf(study, policy, view, fresh);
  const transport = auditOf(study, fresh);
  const gates: GateCheck[] = [
    rowsGate(computed.influence.length, thresholds),
    ...(raw === null ? [] : overlapGates(raw, inUse, thresholds)),
    ...(boundary === null ? [] : boundaryGates(boundary, thresholds)),
    ...(support === null ? [] : [labelSupportGate(support, thresholds)]),
    ...(transport === null ? [] : transportGates(transport)),
    ...(computed.effectiveLabels === null ? [] : [effectiveLabelsGate(computed.effectiveLabels, thresholds)]),
    ...(computed.rawWeightEstimate === null
      ? []
      : [
          stabilisationGate(
            computed.estimate - computed.rawWeightEstimate,
            inferenceOf(computed, study.config, boundary).standardError,
            thresholds,
          ),
        ]),
  ];
  return {
    rows: computed.influence.length,
    prompts: clusterIndex(computed.promptIds).count,
    droppedForLogprob: view?.droppedForLogprob ?? 0,
    droppedForScore: study.droppedForScore,
    rawWeights: raw,
    weights: inUse,
    reliability: raw === null ? [] : reliabilityFlags(inUse ?? raw, raw),
    scoreAffinity:
      view === null || fresh === null
        ? null
        : bhattacharyyaAffinity(take(study.logged.judgeScores, view.rows), fresh.draws.judgeScores),
    boundary,
    labelSupport: support,
    transport,
    orthogonality: computed.orthogonality,
    parts: computed.parts,
    mixture: computed.mixture,
    gates,
    warnings: gates
      .filter((g) => g.verdict === 'warn')
      .map((g) => `${g.gate} (${g.on}): ${g.value ?? 'not computable'}`),
  };
}

/** Whether the estimate's level comes from the calibration: labels on the policy's own draws, or on every row, settle it otherwise. */
function levelFrom({ calibration, fullyLabelled, config }: Study): RewardCalibration | null {
  return fullyLabelled || config.estimator === 'direct-augmented' ? null : calibration;
}

/**
 * The policy's own scores where it has draws, else the logged ones by weight. None where no calibration is in use. Parity looks
 * at the logged scores of an estimator that weighs them, as the library does.
 */
function boundaryOf(study: Study, view: LoggedView | null, fresh: FreshView | null): BoundaryCard | null {
  const { config } = study;
  const calibration = levelFrom(study);
  if (calibration === null) return null;
  const limits = { outOfRange: config.gates.warnOutOfRange, saturation: config.gates.warnSaturation };
  const parity = config.mode === 'parity';
  if (fresh !== null && !(parity && view !== null)) {
    return boundaryCard(fresh.draws.judgeScores, fresh.rewards, calibration.diagnostics, limits);
  }
  if (view === null) return null;
  const scores = take(study.logged.judgeScores, view.rows);
  return boundaryCard(scores, view.rewards, calibration.diagnostics, limits, parity ? undefined : view.weights);
}

/** On the same scores as the boundary card; the library that parity reproduces has nothing of the kind. */
function supportOf(
  study: Study,
  policy: string,
  view: LoggedView | null,
  fresh: FreshView | null,
): LabelSupport | null {
  const calibration = levelFrom(study);
  const { config, memory } = study;
  if (calibration === null || config.mode === 'parity') return null;
  const { full, labelledInputs } = calibration;
  if (fresh !== null) {
    const name = `label support of ${policy} ${config.onMissingJudgeScore}`;
    return memory.once(name, () => labelSupport(full, labelledInputs, fresh.inputs));
  }
  return view === null ? null : labelSupport(full, labelledInputs, selectRows(study.inputs, view.rows), view.weights);
}

/** Own labels test the calibration; estimators that correct by them, or whose rewards are labels, need no test. */
function auditOf(study: Study, fresh: FreshView | null): TransportAudit | null {
  const { calibration, config } = study;
  if (calibration === null || fresh === null || config.estimator === 'direct-augmented') return null;
  if (study.fullyLabelled && usesLogProbabilities(config.estimator)) return null;
  const { promptIds, oracleLabels } = fresh.draws;
  const options = { margin: config.gates.transportMargin, alpha: config.alpha, audits: 1 };
  const unlabelled = oracleLabels.every(Number.isNaN);
  const rewards = unlabelled ? oracleLabels : study.data.pooled === true ? fresh.outOfFoldRewards : fresh.rewards;
  return auditTransport(oracleLabels, rewards, promptIds, options);
}

function summary(study: Study): CalibrationSummary | null {
  const { calibration } = study;
  if (calibration === null) return null;
  const scores = Float64Array.from({ length: 101 }, (_, i) => i / 100);
  const covariates = study.inputs.covariates.map((c) =>
    new Float64Array(scores.length).fill(quantileOfSorted(c.slice().sort(), 0.5)),
  );
  const rewards = predictReward(calibration.full, inputsOf(scores, covariates));
  return {
    ...calibration.diagnostics,
    selected: calibration.selected,
    folds: calibration.withoutFold.length,
    curve: Array.from(scores, (s, i) => [s, rewards[i]!] as const),
    judgeVarianceScale: study.judgeVarianceScale,
  };
}

function checkLengths(data: EvaluationData): void {
  const check = (where: string, expected: number, columns: Readonly<Record<string, { readonly length: number }>>) => {
    for (const [name, column] of Object.entries(columns)) {
      if (column.length !== expected)
        throw new RangeError(`${where}: ${name} has ${column.length} entries, not ${expected}`);
    }
  };
  const { targetLogprobs, ...logged } = data.logged;
  check('logged rows', logged.promptIds.length, { ...logged, ...Object.fromEntries(targetLogprobs) });
  for (const [policy, draws] of data.freshDraws)
    check(`fresh draws of ${policy}`, draws.promptIds.length, { ...draws });
}
