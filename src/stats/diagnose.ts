/** What is measured about one estimate beside the number: overlap, support, transport, and the gates on them. */

import { selectRows } from './calibration/cross-fit.ts';
import type { RewardCalibration } from './calibration/reward-calibration.ts';
import { predictReward } from './calibration/reward-function.ts';
import { clusterIndex } from './data/clustering.ts';
import { type FreshDraws, type ScoreInputs, scoreInputs } from './data/data.ts';
import { labelWeights } from './data/label-weights.ts';
import { type BoundaryCard, boundaryCard } from './diagnostics/boundary.ts';
import { drawCoverage } from './diagnostics/draw-coverage.ts';
import { type BalanceTest, labelBalance } from './diagnostics/label-balance.ts';
import { type LabelSupport, labelSupport } from './diagnostics/label-support.ts';
import {
  FEW_RARE_LABELS,
  fewWithTheSpread,
  type LabelGap,
  otherLabels,
  type RareLabels,
  unseenShifts,
  usualLabel,
} from './diagnostics/rare-labels.ts';
import { reliabilityFlags } from './diagnostics/reliability.ts';
import { labelledAffinity } from './diagnostics/score-overlap.ts';
import {
  boundaryGates,
  drawGates,
  effectiveLabelsGate,
  type GateCheck,
  type GateThresholds,
  impliedEssGate,
  labelBalanceGate,
  labelSupportGate,
  overlapGates,
  pooledLabelsGate,
  rareLabelsGate,
  rowsGate,
  scoreOverlapGate,
  stabilisationGate,
  transportGates,
  unauditedGate,
  unseenLabelsGate,
} from './gates/gates.ts';
import { auditTransport, marginOf, type TransportAudit } from './gates/transport-audit.ts';
import { type Inference, inferenceOf } from './inference/inference.ts';
import type { PolicyDiagnostics } from './inference/result.ts';
import { range, sum, take } from './numeric/moments.ts';
import { oddLabels } from './pooled-labels.ts';
import type { Computation } from './study/computation.ts';
import { correctsByOwnLabels } from './study/config.ts';
import type { FreshView, LoggedView } from './study/policy-view.ts';
import type { Study } from './study/study.ts';
import { auditByWeights } from './weighted-audit.ts';
import { impliedEssFraction, weightDiagnostics } from './weights/diagnostics.ts';

/** Of a policy that was refused before anything was computed. */
export const NOTHING_MEASURED: PolicyDiagnostics = {
  rows: 0,
  prompts: 0,
  droppedForLogprob: 0,
  droppedForScore: 0,
  rawWeights: null,
  weights: null,
  reliability: [],
  boundary: null,
  scoreOverlap: null,
  labelSupport: null,
  rareLabels: null,
  labelGap: null,
  drawCoverage: null,
  transport: null,
  orthogonality: null,
  parts: null,
  mixture: null,
  gates: [],
};

interface Measured {
  readonly policy: string;
  readonly view: LoggedView | null;
  readonly fresh: FreshView | null;
  readonly computed: Computation;
}

interface Diagnosed {
  readonly diagnostics: PolicyDiagnostics;
  /** Some gates hold a value against the standard error, or the interval. */
  readonly inference: Inference;
}

/** All diagnostics and gates of one estimate, and the inference that they read. */
export function diagnose(study: Study, { policy, view, fresh, computed }: Measured): Diagnosed {
  const { gates: thresholds, needs } = study.config;
  const raw = view === null ? null : view.rawWeightDiagnostics;
  const inUse =
    view === null ||
    computed.weights === null ||
    (computed.weights === view.weights && study.config.weightClip === null)
      ? null
      : weightDiagnostics(computed.weights);
  const level = levelFrom(study, computed);
  const boundary = boundaryOf(study, level, view, fresh);
  const support = supportOf(study, level, view, fresh);
  const overlap = scoreOverlapOf(study, level, view, fresh);
  const balance = balanceOf(study, policy);
  const transport = auditOf(study, { policy, fresh, computed }, balance);
  const answered = needs.draws && fresh !== null ? drawCoverage(study.data, policy, fresh.draws.promptIds) : null;
  const weightThresholds = needs.draws || view === null ? thresholds : weightsAlone(thresholds, view.rows.length);
  const behind = labelsBehind(study, computed, support);
  const rare = rareLabelsOf(study, { policy, view, fresh, computed }, behind);
  const inference = inferenceOf(computed, study.config, boundary, study.calibration?.groupOf ?? null);
  const gap =
    rare === null && behind !== null && computed.bets === null && study.config.choices.rareLabels !== 'ignore'
      ? gapOf(behind)
      : null;
  const gates: GateCheck[] = [
    rowsGate(computed.influence.length, thresholds),
    ...(answered === null ? [] : drawGates(answered, thresholds)),
    ...(raw === null ? [] : overlapGates(raw, inUse, weightThresholds, needs.draws ? 'draws' : 'nothing')),
    ...(view === null || needs.draws ? [] : [impliedGate(view, computed, thresholds)]),
    ...(boundary === null ? [] : boundaryGates(boundary, thresholds)),
    ...(overlap === null ? [] : [scoreOverlapGate(overlap, thresholds)]),
    ...(support === null ? [] : [labelSupportGate(support, thresholds)]),
    ...calibrationGates(study, { policy, view, computed }, { level, own: transport }),
    ...balanceGates(study, balance, transport),
    ...pooledGates(study, level),
    ...(rare === null ? [] : [rareLabelsGate(rare, computed.bets === null ? 'normal' : 'bets')]),
    ...(gap === null ? [] : unseenGates(study, gap, computed.estimate, inference.interval)),
    ...(computed.effectiveLabels === null
      ? []
      : [effectiveLabelsGate(computed.effectiveLabels, thresholds.minimumOwnLabels)]),
    ...(computed.weightedLabels === null
      ? []
      : [effectiveLabelsGate(computed.weightedLabels, thresholds.minimumWeightedLabels)]),
    ...(computed.stabilisation === null
      ? []
      : [stabilisationGate(computed.stabilisation.shift, inference.standardError, thresholds)]),
  ];
  const diagnostics = {
    rows: computed.influence.length,
    prompts: clusterIndex(computed.promptIds).count,
    droppedForLogprob: view?.droppedForLogprob ?? 0,
    droppedForScore: study.droppedForScore,
    rawWeights: raw,
    weights: inUse,
    reliability: raw === null ? [] : reliabilityFlags(inUse ?? raw, raw),
    boundary,
    scoreOverlap: overlap,
    labelSupport: support,
    rareLabels: rare,
    labelGap: gap,
    drawCoverage: answered,
    transport,
    orthogonality: computed.orthogonality,
    parts: computed.parts,
    mixture: computed.mixture,
    gates,
  };
  return { diagnostics, inference };
}

function impliedGate(view: LoggedView, { skewed }: Computation, thresholds: GateThresholds): GateCheck {
  return impliedEssGate(impliedEssFraction(view.logRatios), skewed ? 'unnormalised' : 'normalised', thresholds);
}

/**
 * What weights need where no draws stand behind them: a sample that lacks the few rows with most of the weight looks well, and
 * is off. Weights that leave half of the rows effective have no such tail, however few rows there are.
 */
function weightsAlone(thresholds: GateThresholds, rows: number): GateThresholds {
  const { minimumEss, minimumEssWithoutDraws, minimumEssFractionWithoutDraws } = thresholds;
  return {
    ...thresholds,
    minimumEss: Math.max(minimumEss, Math.min(minimumEssWithoutDraws, rows / 2)),
    minimumEssFraction: minimumEssFractionWithoutDraws,
  };
}

/** The calibration that the estimate's level comes from: labels that correct it, or a label on every row, settle it otherwise. */
function levelFrom({ calibration, fullyLabelled }: Study, { corrected }: Computation): RewardCalibration | null {
  return fullyLabelled || corrected !== null ? null : calibration;
}

/**
 * On the policy's own scores where it has draws, else on the logged ones by weight; or, as a choice, on the logged ones of
 * an estimator that weighs them, each counted once. None where no calibration is in use.
 */
function boundaryOf(
  study: Study,
  calibration: RewardCalibration | null,
  view: LoggedView | null,
  fresh: FreshView | null,
): BoundaryCard | null {
  const { config } = study;
  if (calibration === null) return null;
  const limits = { outOfRange: config.gates.warnOutOfRange, saturation: config.gates.warnSaturation };
  const logged = config.choices.boundaryScores === 'logged';
  if (fresh !== null && !(logged && view !== null)) {
    return boundaryCard(fresh.draws.judgeScores, fresh.rewards, calibration.diagnostics, limits);
  }
  if (view === null) return null;
  const scores = take(study.logged.judgeScores, view.rows);
  return boundaryCard(scores, view.rewards, calibration.diagnostics, limits, logged ? undefined : view.weights);
}

/** On the same scores as the boundary card. */
function supportOf(
  study: Study,
  calibration: RewardCalibration | null,
  view: LoggedView | null,
  fresh: FreshView | null,
): LabelSupport | null {
  if (calibration === null || study.config.choices.labelSupport === 'leave-out') return null;
  const { full, labelledInputs, labelledWeights, diagnostics } = calibration;
  const residualVariance = diagnostics.outOfFoldRmse ** 2;
  const of = (inputs: ScoreInputs, weights?: Float64Array): LabelSupport => ({
    ...labelSupport(full, labelledInputs, inputs, weights, labelledWeights),
    residualVariance,
    slope: diagnostics.slope,
  });
  if (fresh !== null) return of(fresh.inputs);
  return view === null ? null : of(selectRows(study.inputs, view.rows), view.weights);
}

/** On the same scores as the boundary card. */
function scoreOverlapOf(
  study: Study,
  calibration: RewardCalibration | null,
  view: LoggedView | null,
  fresh: FreshView | null,
): number | null {
  if (calibration === null || study.config.choices.labelSupport === 'leave-out') return null;
  const labelled = { scores: calibration.labelledInputs.scores, weights: calibration.labelledWeights ?? undefined };
  if (fresh !== null) return labelledAffinity(labelled, { scores: fresh.draws.judgeScores });
  if (view === null) return null;
  return labelledAffinity(labelled, { scores: take(study.logged.judgeScores, view.rows), weights: view.weights });
}

/** The labels that an estimate rests on, its own or the calibration's. */
interface LabelsBehind {
  readonly labels: Float64Array;
  /** Kish's number of them. */
  readonly effective: number;
  /** How many there are to show what answers there are. */
  readonly count: number;
  readonly by: RareLabels['by'];
  /** Effective number of those unlike the usual one. */
  othersThan(usual: number): number;
}

function labelsBehind(
  { calibration, config }: Study,
  { corrected, estimate }: Computation,
  support: LabelSupport | null,
): LabelsBehind | null {
  if (corrected !== null) {
    const { labels, effective, weights } = corrected;
    const total = weights === null ? labels.length : sum(weights);
    return {
      labels,
      effective,
      count: effective,
      by: { kind: 'correction', ...corrected },
      othersThan: (usual) => {
        const unlike = labels.reduce((t, y, i) => t + (y === usual ? 0 : weights === null ? 1 : weights[i]!), 0);
        return (effective * unlike) / total;
      },
    };
  }
  if (support === null || calibration === null) return null;
  // Mirrored labels stand behind those that were given, and are no others.
  const copies = config.antisymmetric ? 2 : 1;
  const { labels, labelledRows } = calibration;
  const effective = support.effective / copies;
  const given = take(labels, labelledRows.subarray(0, labelledRows.length / copies));
  return {
    labels: given,
    effective,
    count: calibration.groupOf.size,
    by: { kind: 'calibration', support },
    othersThan: (usual) => otherLabels(estimate, usual, effective),
  };
}

/** Whether the labels behind the estimate are nearly all of one value, or a few of them make the spread. */
function rareLabelsOf(
  study: Study,
  { view, fresh, computed }: Measured,
  behind: LabelsBehind | null,
): RareLabels | null {
  if (study.config.choices.rareLabels === 'ignore') return null;
  if (behind === null) {
    const isNaive = study.calibration === null && view === null && computed.corrected === null;
    return isNaive && fresh !== null ? rareScoresOf(fresh) : null;
  }
  const { labels, effective, by } = behind;
  const usual = usualLabel(labels);
  const others = usual === null ? fewWithTheSpread(labels) : behind.othersThan(usual);
  return others !== null && others < FEW_RARE_LABELS ? { usual, others, effective, by } : null;
}

function gapOf({ labels, count, by }: LabelsBehind): LabelGap {
  const [lowest, highest] = range(labels);
  const kind = by.kind === 'correction' ? 'correction' : 'calibration';
  return { below: lowest, above: 1 - highest, count, kind };
}

/** Where labels say less of what answers there are than the interval takes them to. */
function unseenGates(
  { config: { alpha } }: Study,
  gap: LabelGap,
  estimate: number,
  [low, high]: readonly [number, number],
): GateCheck[] {
  const [down, up] = unseenShifts(gap, alpha);
  const beyond = Math.max(down - (estimate - low), up - (high - estimate));
  return beyond > 0 ? [unseenLabelsGate(Math.max(down, up), (high - low) / 2, gap)] : [];
}

/** A judge that gives nearly all answers one score, as a check that passes or fails does, leaves a mean of scores no better known. */
function rareScoresOf({ draws: { judgeScores: scores, promptIds } }: FreshView): RareLabels | null {
  const usual = usualLabel(scores);
  if (usual === null) return null;
  const effective = new Set(promptIds).size;
  const others = (effective * scores.filter((s) => s !== usual).length) / scores.length;
  return others < FEW_RARE_LABELS ? { usual, others, effective, by: { kind: 'scores', scores } } : null;
}

/** What labels of the log, and of the policy's own draws, are read by the estimate or its audit. */
interface Balances {
  readonly log: BalanceTest | null;
  readonly own: BalanceTest | null;
  readonly probe: BalanceTest | null;
}

function balanceOf({ data, config }: Study, policy: string): Balances {
  if (config.needs.labels === 'none' || config.choices.labelBalance === 'leave-out') return NO_BALANCES;
  const { log, draws, probes } = labelBalance(data);
  return {
    log: config.rewardCalibration === 'none' ? null : log,
    own: draws.get(policy) ?? null,
    probe: probes.get(policy) ?? null,
  };
}

const NO_BALANCES: Balances = { log: null, own: null, probe: null };

function balanceGates(
  { config, data }: Study,
  { log, own, probe }: Balances,
  audit: TransportAudit | null,
): GateCheck[] {
  const gates: GateCheck[] = [];
  if (log !== null) {
    gates.push(
      labelBalanceGate(log, config.needs.log && config.needs.labels === 'correction' ? 'all responses' : 'calibration'),
    );
  }
  if (own !== null && (correctsByOwnLabels(config.needs) || data.pooled === true)) {
    gates.push(labelBalanceGate(own, correctsByOwnLabels(config.needs) ? 'all responses' : 'calibration'));
  }
  // Its labels grade the calibration, and are in no estimate.
  if (probe !== null && audit !== null) gates.push(labelBalanceGate(probe, 'calibration', 'the probe’s'));
  return gates;
}

/** Where the level comes from one calibration on the labels of all policies. */
function pooledGates(study: Study, level: RewardCalibration | null): GateCheck[] {
  const odd = level === null ? null : oddLabels(study);
  return odd === null ? [] : [pooledLabelsGate(odd.policy, odd.pValue)];
}

/**
 * What says that the calibration holds for the policy: its own labels, else those of the log by their weights; and, where
 * these correct the estimate, that they do so for what the policy answers. Of the policy that logged it holds: its labels
 * are what was learnt.
 */
function calibrationGates(
  study: Study,
  { policy, view, computed }: Omit<Measured, 'fresh'>,
  { level, own }: { readonly level: RewardCalibration | null; readonly own: TransportAudit | null },
): GateCheck[] {
  if (policy === study.data.logger) return [];
  if (own !== null && own.state !== 'not-checked') return transportGates(own);
  const margin = marginOf(study.config.gates.transportMargin, policy);
  if (margin === null) return [];
  if (level !== null) return [unauditedGate(auditByWeights(study, policy, view), margin)];
  return computed.weightedLabels === null ? [] : [unauditedGate(null, margin, 'its weights or the calibration hold')];
}

/** Labels that are no random sample of the policy's draws can grade nothing. */
const isChosen = (balance: BalanceTest | null): boolean =>
  balance !== null && labelBalanceGate(balance, 'all responses').verdict === 'refuse';

/** The same of the labels that a policy's own draws have. */
export function ownLabelsAreChosen(study: Study, policy: string): boolean {
  return isChosen(balanceOf(study, policy).own);
}

/** A probe taught nothing, so the whole fit is held against it. */
function probeAudit(
  { config }: Study,
  { full }: RewardCalibration,
  {
    policy,
    probe,
    balance,
  }: { readonly policy: string; readonly probe: FreshDraws; readonly balance: BalanceTest | null },
): TransportAudit {
  const rewards = predictReward(full, scoreInputs(probe, config.covariates));
  const margin = isChosen(balance) ? null : marginOf(config.gates.transportMargin, policy);
  const options = { margin, alpha: config.alpha, audits: 1 };
  const labels = probe.oracleLabels.map((label, i) => (Number.isNaN(probe.judgeScores[i]!) ? Number.NaN : label));
  return auditTransport(labels, rewards, probe.promptIds, options, labelWeights(probe) ?? undefined);
}

/** Own labels test the calibration; estimators that correct by them, or whose rewards are labels, need no test. */
function auditOf(
  study: Study,
  { policy, fresh, computed: { corrected } }: Omit<Measured, 'view'>,
  { own, probe: ofProbe }: Balances,
): TransportAudit | null {
  const { calibration, config } = study;
  if (calibration === null || corrected !== null) return null;
  if (study.fullyLabelled && config.needs.log) return null;
  if (policy === study.data.logger) return null;
  const probe = study.data.probes?.get(policy);
  if (probe !== undefined) return probeAudit(study, calibration, { policy, probe, balance: ofProbe });
  if (fresh === null) return null;
  const { promptIds, oracleLabels } = fresh.draws;
  const options = {
    margin: isChosen(own) ? null : marginOf(config.gates.transportMargin, policy),
    alpha: config.alpha,
    audits: 1,
  };
  const unlabelled = oracleLabels.every(Number.isNaN);
  const rewards = unlabelled ? oracleLabels : fresh.heldOutRewards;
  return auditTransport(oracleLabels, rewards, promptIds, options, labelWeights(fresh.draws) ?? undefined);
}
