/** The quality summary of a dataset: counts, weights, scores, the calibration, and the data gates. */

import { isUsable } from '../core/summary.ts';
import { calibrateRewards, type RewardCalibration } from '../stats/calibration/reward-calibration.ts';
import { predictReward } from '../stats/calibration/reward-function.ts';
import { scoreInputs } from '../stats/data/data.ts';
import { labelWeights } from '../stats/data/label-weights.ts';
import { targetTypicality } from '../stats/diagnostics/target-typicality.ts';
import { DEFAULT_GATES } from '../stats/gates/gates.ts';
import { auditTransport, marginOf } from '../stats/gates/transport-audit.ts';
import { mean, quantileOfSorted, sampleVariance, standardErrorOfMean } from '../stats/numeric/moments.ts';
import { normalQuantile } from '../stats/numeric/special-functions.ts';
import { effectiveSampleSize } from '../stats/weights/diagnostics.ts';
import { rawWeights, selfNormalisedWeights } from '../stats/weights/importance-weights.ts';
import { consistencyGates, consistencyOf, retokenizedGates } from './consistency.ts';
import type { FreshRow, LoggedRow } from './dataset-rows.ts';
import type { Gates } from './gates-file.ts';
import type { Joined } from './join.ts';
import { positionBiases } from './position-bias.ts';
import type { DatasetQuality, GateResult, TransportResult } from './results.ts';
import { scaleField } from './scale.ts';
import { calibrationInUnits, transportInUnits, unitsOf } from './units.ts';

const QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1];
const WEIGHT_BINS = 40;
const SCORE_BINS = 20;
/** Fewer labels than two a fold cannot be cross-fitted, so no curve is drawn. */
const LABELS_FOR_A_CURVE = 10;
/** More points than this add nothing to a plot. */
const POINTS_AT_MOST = 1_000;
const FOLDS = 5;
const ALPHA = 0.05;
const Z_95 = normalQuantile(0.975);

interface QualityQuestion {
  readonly scorer: string;
  /** Null for data without a log; the calibration is then learnt on the labels of all policies' draws. */
  readonly logger: string | null;
  /** The policy that is a second sample of the logger; null for none, and no gate on it. */
  readonly clone: string | null;
  readonly gates: Gates;
  readonly seed: number;
}

export function describeQuality(
  joined: Joined,
  { scorer, logger, clone, gates, seed }: QualityQuestion,
): DatasetQuality {
  const weights = joined.targets.map((policy) => weightsOf(policy, joined.logged)).filter((entry) => entry.n > 0);
  const policies = logger === null ? joined.targets : [logger, ...joined.targets];
  const logprobs = policies
    .filter((policy) => joined.logprobStatuses.has(policy))
    .map((policy) => logprobsOf(policy, logger, joined));
  const calibrating: readonly CalibrationRow[] =
    logger === null ? joined.fresh : [...joined.logged, ...(joined.calibrationSet ?? [])];
  const validation = Object.fromEntries(
    (logger === null ? [] : joined.targets).map((policy) => [
      policy,
      joined.fresh.filter((row) => row.policy === policy && row.oracle_label !== null).length,
    ]),
  );
  const fit = fitCalibration(calibrating, seed);
  const units = unitsOf(joined.scale);
  // Without a log own labels teach the calibration, so that a probe alone can test it.
  const probed = new Set(joined.probe?.map(({ policy }) => policy));
  const audited = joined.targets.filter((policy) => logger !== null || probed.has(policy));
  const consistency = joined.checks === undefined ? [] : consistencyOf(joined.checks);
  return {
    scorer,
    logger,
    targets: joined.targets,
    prompts: new Set([...joined.logged, ...joined.fresh].map((row) => row.prompt_id)).size,
    rows: (logger === null ? joined.fresh : joined.logged).length,
    ...scaleField(joined.scale),
    labels: { calibration: calibrating.filter((row) => row.oracle_label !== null).length, validation },
    missing: missingCounts(joined, policies),
    logprobs,
    ...(consistency.length === 0 ? {} : { consistency }),
    weights,
    scores: policies.map((policy) => scoresOf(policy, logger, joined)),
    ...(joined.orders === undefined ? {} : { positions: positionBiases(joined.orders) }),
    calibration: fit === null ? null : calibrationInUnits(curveOf(fit, calibrating), units),
    transport:
      fit === null ? [] : audited.map((policy) => transportInUnits(auditOf(fit, policy, joined, gates), units)),
    gates: [
      ...dataGates(logprobs, weights, clone, joined.logged.length, gates),
      ...consistencyGates(consistency, gates),
      ...retokenizedGates(logprobs, joined.logged.length, gates),
      ...truncatedGates(joined, gates),
      ...calibrationSetGates(joined, gates, seed),
    ],
  };
}

/** Whether a calibration set says of equal scores what the log's labels do: they are one sample of labels, or two. */
function calibrationSetGates(
  { logged, calibrationSet, scale }: Joined,
  { overlap }: Gates,
  seed: number,
): GateResult[] {
  const fit = calibrationSet === undefined ? null : fitCalibration(logged, seed);
  const margin = marginOf(overlap.transport_margin ?? marginDefault(overlap), 'default');
  if (calibrationSet === undefined || fit === null || margin === null) return [];
  const labels = Float64Array.from(calibrationSet, (row) => row.oracle_label ?? Number.NaN);
  const ids = calibrationSet.map((row) => row.prompt_id);
  const audit = auditTransport(labels, predictReward(fit.full, inputsOf(calibrationSet)), ids, {
    margin,
    alpha: ALPHA,
    audits: 1,
  });
  const { difference } = unitsOf(scale);
  return [
    {
      gate: 'calibration_set',
      policy: null,
      passed: audit.state !== 'fail',
      value: audit.bias === null ? null : difference(audit.bias),
      bound: `the log’s labels at equal scores ± ${difference(margin)}`,
    },
  ];
}

/** Of policies of whose answers one was cut: what is judged is then not what they would have said. */
function truncatedGates({ truncated, responseStatuses }: Joined, { data }: Gates): GateResult[] {
  return [...truncated].flatMap(([policy, cut]): GateResult[] => {
    if (cut === 0) return [];
    const rows = [...(responseStatuses.get(policy)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
    const most = data.maximum_truncated;
    return [{ gate: TRUNCATED_GATE, policy, passed: cut / rows <= most, value: cut / rows, bound: `≤ ${most}` }];
  });
}

type CalibrationRow = Pick<LoggedRow & FreshRow, 'prompt_id' | 'judge_score' | 'oracle_label' | 'label_propensity'>;

function logprobsOf(policy: string, logger: string | null, joined: Joined): DatasetQuality['logprobs'][number] {
  const values = joined.logged.map((row) =>
    policy === logger ? row.base_logprob : (row.target_logprobs[policy] ?? null),
  );
  const usable = values.filter((value) => value !== null);
  return {
    policy,
    usable: usable.length,
    zeroRate: usable.length === 0 ? 0 : usable.filter((value) => value === 0).length / usable.length,
    statuses: Object.fromEntries(joined.logprobStatuses.get(policy) ?? []),
    tempered: joined.tempered.has(policy) || (logger !== null && joined.tempered.has(logger)),
    ...(joined.asSampled?.has(policy) ? { asSampled: joined.asSampled.get(policy)! } : {}),
  };
}

interface WeighedRow {
  /** Nats, under the target policy. */
  readonly target: number;
  /** Nats, of target over logger. */
  readonly ratio: number;
  readonly words: number | null;
}

/** The rows where both log probabilities are usable. */
function* weighedRows(policy: string, logged: readonly LoggedRow[]): Generator<WeighedRow> {
  for (const { base_logprob: base, target_logprobs: targets, response_words: words } of logged) {
    const target = targets[policy];
    if (base !== null && target !== null && target !== undefined) yield { target, ratio: target - base, words };
  }
}

function weightsOf(policy: string, logged: readonly LoggedRow[]): DatasetQuality['weights'][number] {
  const rows = [...weighedRows(policy, logged)];
  const ratios = Float64Array.from(rows, ({ ratio }) => ratio).sort();
  const raw = rawWeights(ratios);
  const centre = raw.length === 0 ? 0 : bounded(mean(raw));
  const half = raw.length < 2 ? 0 : bounded(Z_95 * standardErrorOfMean(raw));
  const from = ratios[0] ?? 0;
  const to = ratios[ratios.length - 1] ?? 0;
  return {
    policy,
    n: ratios.length,
    mean: centre,
    meanLower: bounded(centre - half),
    meanUpper: bounded(centre + half),
    // On self-normalised weights: squares of tiny raw weights underflow.
    ess: raw.length === 0 ? 0 : effectiveSampleSize(selfNormalisedWeights(ratios)),
    typicality: typicalityOf(rows),
    logRatioQuantiles: ratios.length === 0 ? [] : QUANTILES.map((q) => quantileOfSorted(ratios, q)),
    histogram: histogram(ratios, from, to, WEIGHT_BINS),
    histogramFrom: from,
    histogramTo: to,
  };
}

/** Null where there is no row, or one whose length is unknown. */
function typicalityOf(rows: readonly WeighedRow[]): DatasetQuality['weights'][number]['typicality'] {
  const lengths = rows.flatMap(({ words }) => words ?? []);
  if (rows.length === 0 || lengths.length < rows.length) return null;
  const weights = selfNormalisedWeights(Float64Array.from(rows, ({ ratio }) => ratio));
  const targets = rows.map(({ target }) => target);
  const { coverage, factor } = targetTypicality(targets, lengths, weights);
  return { coverage, factor };
}

function scoresOf(policy: string, logger: string | null, joined: Joined): DatasetQuality['scores'][number] {
  const rows = policy === logger ? joined.logged : joined.fresh.filter((row) => row.policy === policy);
  const scores = Float64Array.from(rows.flatMap((row) => (row.judge_score === null ? [] : [row.judge_score])));
  return {
    policy,
    n: scores.length,
    mean: scores.length === 0 ? 0 : mean(scores),
    standardDeviation: scores.length < 2 ? 0 : Math.sqrt(sampleVariance(scores)),
    unparseable: joined.scoreStatuses.get(policy)?.get('unparseable') ?? 0,
    histogram: histogram(scores, 0, 1, SCORE_BINS),
  };
}

/** Weights of hundreds of nats overflow, and JSON has no infinities. */
const bounded = (value: number): number =>
  Number.isNaN(value) ? Number.MAX_VALUE : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));

/** Counts in equal bins; the last bin is closed. Equal ends put everything into the first. */
function histogram(values: Float64Array, from: number, to: number, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  const width = (to - from) / bins;
  for (const value of values) {
    const bin = width === 0 ? 0 : Math.min(bins - 1, Math.max(0, Math.floor((value - from) / width)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

function missingCounts(joined: Joined, policies: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const add = (name: string, count: number) => {
    if (count > 0) counts[name] = (counts[name] ?? 0) + count;
  };
  for (const policy of policies) {
    for (const [status, count] of joined.responseStatuses.get(policy) ?? []) {
      if (!isUsable(status)) add(`response of ${policy}: ${status}`, count);
    }
    add(`response of ${policy} cut at the token limit`, joined.truncated.get(policy) ?? 0);
    for (const [status, count] of joined.scoreStatuses.get(policy) ?? []) {
      if (status !== 'ok') add(`judge score of ${policy}: ${status}`, count);
    }
    for (const [status, count] of joined.logprobStatuses.get(policy) ?? []) {
      if (status !== 'ok') add(`log probability under ${policy}: ${status}`, count);
    }
  }
  for (const [name, count] of Object.entries(joined.notes ?? {})) add(name, count);
  return counts;
}

function fitCalibration(logged: readonly CalibrationRow[], seed: number): RewardCalibration | null {
  const rows = logged.filter((row) => row.judge_score !== null);
  if (rows.filter((row) => row.oracle_label !== null).length < LABELS_FOR_A_CURVE) return null;
  const labels = Float64Array.from(rows, (row) => row.oracle_label ?? Number.NaN);
  const ids = rows.map((row) => row.prompt_id);
  const settings = { mode: 'auto', folds: FOLDS, seed, jackknifeGroups: null } as const;
  return calibrateRewards(inputsOf(rows), labels, ids, { ...settings, labelWeights: weightsOfLabels(rows, labels) });
}

/** Inverse probabilities of the labels; null where none is known, or a label lacks one, which estimates refuse. */
function weightsOfLabels(rows: readonly CalibrationRow[], oracleLabels: Float64Array): Float64Array | null {
  const known = rows.map((row) => row.label_propensity);
  if (rows.some((row, i) => row.oracle_label !== null && known[i] === undefined)) return null;
  return labelWeights({ oracleLabels, labelPropensities: Float64Array.from(known, (π) => π ?? Number.NaN) });
}

function inputsOf(rows: readonly { readonly judge_score: number | null }[]) {
  const judgeScores = Float64Array.from(rows, (row) => row.judge_score as number);
  return scoreInputs({ judgeScores, responseLengths: new Float64Array() }, []);
}

function curveOf(
  fit: RewardCalibration,
  logged: readonly CalibrationRow[],
): NonNullable<DatasetQuality['calibration']> {
  const grid = Array.from({ length: 101 }, (_, index) => ({ judge_score: index / 100 }));
  const curve = predictReward(fit.full, inputsOf(grid));
  return {
    mode: fit.selected,
    curve: grid.map(({ judge_score }, index) => [judge_score, curve[index]!] as const),
    points: logged
      .filter((row) => row.judge_score !== null && row.oracle_label !== null)
      .slice(0, POINTS_AT_MOST)
      .map((row) => [row.judge_score as number, row.oracle_label as number] as const),
    rmse: fit.diagnostics.outOfFoldRmse,
  };
}

/** Null in the file grades nothing; without the setting the default does. */
const marginDefault = ({ transport_margin: given }: Gates['overlap']) =>
  given === null ? null : DEFAULT_GATES.transportMargin;

/** The calibration on a policy's own labels, graded as the estimates' gate does. */
function auditOf(fit: RewardCalibration, policy: string, joined: Joined, { overlap }: Gates): TransportResult {
  const scored = (row: FreshRow) => row.policy === policy && row.judge_score !== null;
  const probe = joined.probe?.filter(scored) ?? [];
  const rows = probe.length > 0 ? probe : joined.fresh.filter(scored);
  const margin = marginOf(overlap.transport_margin ?? marginDefault(overlap), policy);
  const labels = Float64Array.from(rows, (row) => row.oracle_label ?? Number.NaN);
  const audit = auditTransport(
    labels,
    predictReward(fit.full, inputsOf(rows)),
    rows.map((row) => row.prompt_id),
    { margin, alpha: ALPHA, audits: 1 },
    weightsOfLabels(rows, labels) ?? undefined,
  );
  const [lower, upper] = audit.interval ?? [null, null];
  return {
    policy,
    state: audit.state,
    labels: audit.labels,
    bias: audit.bias,
    lower: finite(lower),
    upper: finite(upper),
    margin,
    detectableBias: finite(audit.detectableBias),
    labelsToPass: audit.labelsToPass,
    ...(probe.length > 0 ? { probe: true as const } : {}),
  };
}

/** One label leaves the interval without bounds, which JSON cannot say. */
const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

/** Gates on log probabilities: per policy, and the clone's, which judges the measurement as a whole. */
function dataGates(
  logprobs: DatasetQuality['logprobs'],
  weights: DatasetQuality['weights'],
  clone: string | null,
  rows: number,
  { data }: Gates,
): GateResult[] {
  const results: GateResult[] = [];
  for (const { policy, usable, zeroRate } of logprobs) {
    const share = rows === 0 ? 0 : usable / rows;
    const { usable_share, zero_rate } = data;
    results.push({
      gate: 'usable_share',
      policy,
      passed: share >= usable_share,
      value: share,
      bound: `≥ ${usable_share}`,
    });
    results.push({ gate: 'zero_rate', policy, passed: zeroRate < zero_rate, value: zeroRate, bound: `< ${zero_rate}` });
  }
  if (clone === null) return results;
  const second = weights.find((entry) => entry.policy === clone);
  const { clone_mean_tolerance: tolerance, clone_ess_share: least } = data;
  const essShare = second === undefined ? null : second.ess / second.n;
  results.push({
    gate: 'clone_mean_weight',
    policy: clone,
    passed: second !== undefined && Math.abs(second.mean - 1) <= tolerance,
    value: second?.mean ?? null,
    bound: `1 ± ${tolerance}`,
    ...(second === undefined
      ? {}
      : { note: `95 % interval ${second.meanLower.toFixed(4)} to ${second.meanUpper.toFixed(4)}` }),
  });
  results.push({
    gate: 'clone_ess',
    policy: clone,
    passed: essShare !== null && essShare >= least,
    value: essShare,
    bound: `≥ ${least} n`,
  });
  return results;
}

/** The gate on answers, not on log probabilities: what fails it fails for every estimator. */
export const TRUNCATED_GATE = 'maximum_truncated';

/** Gates of the clone refuse every policy's off-policy estimates; the others refuse their own policy's. */
export const CLONE_GATES: ReadonlySet<string> = new Set(['clone_mean_weight', 'clone_ess']);
