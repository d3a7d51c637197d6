import { predictReward } from './calibration/reward-function.ts';
import { type EvaluationData, inputsOf } from './data/data.ts';
import { type Refusal, refusal } from './data/refusal.ts';
import { inOwnOrder } from './data/row-order.ts';
import { diagnose, NOTHING_MEASURED, ownLabelsAreChosen } from './diagnose.ts';
import { direct } from './estimators/direct.ts';
import { directAugmented } from './estimators/direct-augmented.ts';
import { ESTIMATORS, type EstimatorRegistry, type EstimatorSettings } from './estimators/registry.ts';
import { type Alternatives, refusalOf } from './gates/gate-refusals.ts';
import { rowsGate, tailValue } from './gates/gates.ts';
import type { Replicate } from './inference/bootstrap.ts';
import { replicatesFrom, withBootstrap } from './inference/bootstrap-inference.ts';
import { withRareLabels, withUnseenLabels } from './inference/inference.ts';
import { labelBettingInterval } from './inference/label-betting.ts';
import type {
  CalibrationSummary,
  EstimatedPolicy,
  EstimateResult,
  PolicyDiagnostics,
  PolicyResult,
} from './inference/result.ts';
import { shiftMoment, withShift } from './inference/stabilisation.ts';
import { quantileOfSorted } from './numeric/moments.ts';
import { gatesByAudit, gatesByOwnLabels, type HeldAgainst } from './own-labels.ts';
import type { Computation } from './study/computation.ts';
import { type CommonSettings, correctsByOwnLabels, type EstimatorConfig } from './study/config.ts';
import type { EstimatorDefinition } from './study/estimator.ts';
import { freshView, loggedView } from './study/policy-view.ts';
import { evaluatedPolicies, type Prepared, prepareStudy, type Study } from './study/study.ts';

/**
 * Estimates the value of every policy, the one that wrote the log last where the data name it: the mean oracle label (or
 * judge score, uncalibrated) of its responses over the prompt law.
 *
 * A policy that cannot be estimated is refused with a reason and with what to collect, never with NaN; one policy's
 * refusal does not touch another. Deterministic: equal inputs give equal bits.
 * Throws RangeError for a wrong setting or columns of unequal length.
 *
 * @param estimators those that the settings may name.
 * @param replicates of a bootstrap, where {@link bootstrapOf} has made them already.
 *
 * @example
 * estimate({ estimator: 'direct' }, data).policies.map((p) => p.status) // ["ok","ok","ok"]
 */
export function estimate(
  settings: EstimatorSettings | CommonSettings,
  data: EvaluationData,
  estimators: EstimatorRegistry = ESTIMATORS,
  replicates?: Iterable<Replicate>,
): EstimateResult {
  const config = estimators.resolve(settings);
  checkLengths(data);
  const estimator = estimators.get(config.estimator);
  const study = studyFor(config, estimator, data);
  if (!study.ok) {
    const alternatives = estimators.alternativesTo(estimator);
    const policies = evaluatedPolicies(data, config).map((policy) => {
      const rows = estimator.needs.draws ? data.freshDraws.get(policy)?.promptIds.length : data.logged.promptIds.length;
      return refusedPolicy(policy, rowsBeforeLabels(study.refusal, config, rows ?? 0, alternatives), NOTHING_MEASURED);
    });
    return { config, calibration: null, policies, warnings: [] };
  }
  return estimatesOf(study.value, estimators, replicates);
}

/**
 * The replicates of a bootstrap from number `from` on, in label units; none where nothing can be estimated. Each is made
 * from its own number, so that blocks of them may be made apart.
 *
 * @example
 * [...bootstrapOf({ estimator: 'direct', inference: 'bootstrap', replicates: 200 }, data, 198)].length // 2
 */
export function bootstrapOf(
  settings: EstimatorSettings | CommonSettings,
  data: EvaluationData,
  from: number,
): Iterable<Replicate> {
  checkLengths(data);
  const config = ESTIMATORS.resolve(settings);
  const study = studyFor(config, ESTIMATORS.get(config.estimator), data);
  return study.ok ? replicatesFrom(analyticOf(study.value, ESTIMATORS), study.value, from) : [];
}

/** A refusal numbers the rows as they were given. */
function studyFor(config: EstimatorConfig, of: EstimatorDefinition, data: EvaluationData): Prepared<Study> {
  if (config.choices.rowOrder === 'given' || of.numbersRows) return prepareStudy(config, data);
  const ordered = prepareStudy(config, inOwnOrder(data));
  return ordered.ok ? ordered : prepareStudy(config, data);
}

/** What {@link estimate} makes of checked and calibrated data. */
export function estimatesOf(
  study: Study,
  estimators: EstimatorRegistry = ESTIMATORS,
  replicates?: Iterable<Replicate>,
): EstimateResult {
  return withBootstrap(analyticOf(study, estimators), study, replicates);
}

function analyticOf(study: Study, estimators: EstimatorRegistry): EstimateResult {
  const { config, data, warnings } = study;
  const estimator = estimators.get(config.estimator);
  const refusable = { estimator, alternatives: estimators.alternativesTo(estimator) };
  const evaluated = evaluatedPolicies(data, config);
  const estimated = evaluated.map((policy) =>
    estimatePolicy(
      policy === data.logger ? { ...refusable, ...onOwnRows(estimator, study) } : refusable,
      study,
      policy,
    ),
  );
  const policies = heldAgainstOwnLabels(study, estimated);
  const logger = data.logger !== undefined && evaluated.includes(data.logger) ? { logger: data.logger } : {};
  return { config, calibration: summary(study), policies, ...logger, warnings };
}

interface Refusable {
  readonly estimator: EstimatorDefinition;
  /** Its own settings, where they are not those of the configuration. */
  readonly options?: EstimatorConfig['options'];
  readonly alternatives: Alternatives;
}

/**
 * On the log's own rows every weight is 1, and what then is left of an estimator that weighs them is a mean: of their
 * rewards, corrected by their labels where it corrects by labels, and of the labels alone where every row has one.
 */
function onOwnRows(estimator: EstimatorDefinition, { config, fullyLabelled }: Study): Omit<Refusable, 'alternatives'> {
  if (!estimator.needs.log) return { estimator };
  if (estimator.needs.labels !== 'correction' && !fullyLabelled) return { estimator: direct };
  return { estimator: directAugmented, options: directAugmented.defaults(config.choices.defaults) };
}

function estimatePolicy({ estimator, alternatives, options }: Refusable, study: Study, policy: string): PolicyResult {
  const { needs } = estimator;
  const { config } = study;
  const fresh = needs.draws || study.data.freshDraws.has(policy) ? freshView(study, policy) : null;
  if (needs.draws && fresh !== null && !fresh.ok) return refusedPolicy(policy, fresh.refusal, NOTHING_MEASURED);
  const draws = fresh?.ok ? fresh.value : null;
  const logged = needs.log ? loggedView(study, policy, needs.draws ? draws : null) : null;
  if (logged !== null && !logged.ok) return refusedPolicy(policy, logged.refusal, NOTHING_MEASURED);

  const view = logged?.value ?? null;
  if (view !== null && needs.draws && view.folds.every((fold) => fold === view.folds[0])) {
    return refusedPolicy(policy, oneFold(view.rows.length), NOTHING_MEASURED);
  }
  const computed = estimator.compute({ study, policy, logged: view, fresh: draws }, options ?? config.options);
  if ('refusal' in computed) {
    const rows = draws?.draws.promptIds.length ?? view?.rows.length ?? 0;
    return refusedPolicy(policy, rowsBeforeLabels(computed.refusal, config, rows, alternatives), NOTHING_MEASURED);
  }
  const diagnosed = diagnose(study, { policy, view, fresh: draws, computed });
  const { diagnostics } = diagnosed;
  const gate = config.choices.failedGate === 'refuse' ? refusalOf(diagnostics.gates, alternatives) : null;
  if (gate !== null) return refusedPolicy(policy, gate, diagnostics);
  return estimatedPolicy(config, policy, computed, diagnosed);
}

/** Adds to each estimate what the policy's own labels say of it, where it is not made of them. */
function heldAgainstOwnLabels(study: Study, policies: readonly PolicyResult[]): readonly PolicyResult[] {
  const { needs, choices } = study.config;
  if (correctsByOwnLabels(needs) || choices.failedGate !== 'refuse') return policies;
  const all = policies.flatMap((given): HeldAgainst[] => {
    const own = given.status === 'ok' ? byOwnLabels(study, given.policy) : null;
    return given.status === 'ok' && own !== null ? [{ given, own }] : [];
  });
  const gates = new Map(gatesByOwnLabels(all, study.config).map((of, i) => [all[i]!.given, of]));
  return policies.map((p) => {
    if (p.status !== 'ok') return p;
    return { ...p, diagnostics: { ...p.diagnostics, gates: gates.get(p) ?? gatesByAudit(p, study.config) } };
  });
}

/** What the policy's own labels say of it, whatever the judge does; null where they are too few, or no random sample. */
function byOwnLabels(study: Study, policy: string): EstimatedPolicy | null {
  const { config, data } = study;
  const { choices } = config;
  if (study.calibration === null || policy === data.logger) return null;
  const view = freshView(study, policy);
  if (!view.ok) return null;
  const fresh = view.value;
  const estimator: EstimatorDefinition = directAugmented;
  const computed = estimator.compute({ study, policy, logged: null, fresh }, estimator.defaults(choices.defaults));
  if ('refusal' in computed || ownLabelsAreChosen(study, policy)) return null;
  return estimatedPolicy(config, policy, computed, diagnose(study, { policy, view: null, fresh, computed }));
}

const WANT_LABELS: ReadonlySet<Refusal['code']> = new Set([
  'no-oracle-labels',
  'too-few-oracle-labels',
  'too-few-own-labels',
]);

/** Labels are not asked for where rows are too few whoever labels them. */
function rowsBeforeLabels(
  wanted: Refusal,
  { choices, gates }: EstimatorConfig,
  rows: number,
  alternatives: Alternatives,
): Refusal {
  if (rows === 0 || choices.failedGate !== 'refuse' || !WANT_LABELS.has(wanted.code)) return wanted;
  return refusalOf([rowsGate(rows, gates)], alternatives) ?? wanted;
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
  { diagnostics, inference: normal }: ReturnType<typeof diagnose>,
): EstimatedPolicy {
  const raw = diagnostics.rawWeights;
  const byLabels = withRareLabels(normal, computed.estimate, diagnostics.rareLabels, config);
  const influence = { influence: computed.influence, influencePromptIds: computed.promptIds };
  const inference =
    computed.stabilisation === null || config.choices.stabilisationVariance === 'leave-out'
      ? byLabels
      : withShift(byLabels, computed.estimate, shiftMoment([{ ...influence, stabilisation: computed.stabilisation }]));
  const inUse = diagnostics.weights ?? raw;
  const judgeVariance = config.judgeUncertainty ? computed.judgeVariance : 0;
  return {
    status: 'ok',
    policy,
    estimate: computed.estimate,
    ...inference,
    interval: withUnseenLabels(inference.interval, computed.estimate, diagnostics.labelGap, config.alpha),
    ...(computed.bets === null ? {} : { interval: labelBettingInterval(computed.bets, config.alpha) }),
    judgeStandardError: Math.sqrt(judgeVariance),
    n: diagnostics.rows,
    ess: inUse?.ess ?? null,
    essFraction: inUse?.essFraction ?? null,
    rawEss: raw?.ess ?? null,
    meanRawWeight: raw?.mean ?? null,
    tail: raw === null ? null : { index: tailValue(raw.tailIndex), maximumShare: raw.maximumShare },
    ...influence,
    oracleJackknife: computed.leaveOneOut,
    skewed: computed.skewed,
    stabilisation: computed.stabilisation,
    replicates: null,
    correctedBy:
      computed.corrected === null || config.choices.degreesOfFreedom === 'smallest'
        ? null
        : { prompts: new Set(computed.corrected.promptIds), effective: computed.corrected.effective },
    bets: computed.bets,
    diagnostics,
  };
}

function refusedPolicy(policy: string, refusal: Refusal, diagnostics: PolicyDiagnostics): PolicyResult {
  return { status: 'refused', policy, ...refusal, diagnostics };
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
