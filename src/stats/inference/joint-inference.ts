import { clusterIndex } from '../data/clustering.ts';
import { randomSource } from '../numeric/random.ts';
import { jackknifeVariance, sharedCovariance } from '../study/oracle-uncertainty.ts';
import type { EstimatedPolicy } from './result.ts';

/**
 * Sampling covariance of several policies' estimates from their influence values: per prompt c_a = Σφ_a/n_a over the union
 * of prompts (a prompt that one policy lacks contributes 0), G/(G − 1) Σ (c_a − c̄_a)(c_b − c̄_b). Policies share prompts,
 * so the off-diagonal is what makes their differences more certain than their levels.
 *
 * @returns P × P, squared label units.
 */
export function samplingCovariance(policies: readonly EstimatedPolicy[]): Float64Array[] {
  return contributionCovariance(promptContributions(policies));
}

function contributionCovariance(contributions: readonly Float64Array[]): Float64Array[] {
  const prompts = contributions[0]?.length ?? 0;
  const scale = prompts > 1 ? prompts / (prompts - 1) : 0;
  return contributions.map((a) =>
    Float64Array.from(contributions, (b) => scale * a.reduce((s, value, g) => s + value * b[g]!, 0)),
  );
}

/** Σφ/n of each prompt, in the order of its first appearance. */
export function promptTotals(influence: Float64Array, promptIds: readonly string[]): Float64Array {
  const { of, count } = clusterIndex(promptIds);
  const totals = new Float64Array(count);
  influence.forEach((phi, i) => {
    totals[of[i]!]! += phi / influence.length;
  });
  return totals;
}

type Influenced = Pick<EstimatedPolicy, 'influence' | 'influencePromptIds'>;

/** The centred c_a of each policy. */
export function promptContributions(policies: readonly Influenced[]): Float64Array[] {
  const rowOf = new Map<string, number>();
  for (const p of policies) for (const id of p.influencePromptIds) if (!rowOf.has(id)) rowOf.set(id, rowOf.size);
  const prompts = rowOf.size;
  return policies.map((p) => {
    const column = new Float64Array(prompts);
    p.influencePromptIds.forEach((id, i) => {
      column[rowOf.get(id)!]! += p.influence[i]! / p.influence.length;
    });
    const centre = column.reduce((s, c) => s + c, 0) / Math.max(prompts, 1);
    return column.map((c) => c - centre);
  });
}

/** What each prompt contributes to the difference, in the order of its first appearance; centred. */
export function pairedContributions(a: Influenced, b: Influenced): Float64Array {
  const [ofA, ofB] = promptContributions([a, b]);
  return ofA!.map((c, g) => c - ofB![g]!);
}

/** What makes the error of an estimate, or of a difference of two. */
type Errors = Pick<EstimatedPolicy, 'oracleJackknife' | 'labelledTotals' | 'openWidths'> & {
  readonly contributions: Float64Array;
};

/**
 * Sampling covariance plus that of the shared reward calibration: its jackknife's, what prompts with labels share with
 * it, and what scores beyond the labelled ones leave open.
 */
export function jointCovariance(policies: readonly EstimatedPolicy[]): Float64Array[] {
  return covarianceOf(errorsOf(policies));
}

/** The same of differences, each made before it is multiplied: of two policies that are nearly alike it has all its digits. */
export function differenceCovariance(
  policies: readonly EstimatedPolicy[],
  pairs: readonly (readonly [number, number])[],
): Float64Array[] {
  const errors = errorsOf(policies);
  const differences = pairs.map(([i, j]): Errors => {
    const [a, b] = [errors[i]!, errors[j]!];
    return {
      contributions: a.contributions.map((value, g) => value - b.contributions[g]!),
      oracleJackknife: groupwiseDifference(a.oracleJackknife, b.oracleJackknife),
      labelledTotals: groupwiseDifference(a.labelledTotals, b.labelledTotals),
      openWidths: [a.openWidths[0] - b.openWidths[0], a.openWidths[1] - b.openWidths[1]],
    };
  });
  return covarianceOf(differences);
}

function errorsOf(policies: readonly EstimatedPolicy[]): Errors[] {
  const contributions = promptContributions(policies);
  return policies.map(({ oracleJackknife, labelledTotals, openWidths }, i) => ({
    contributions: contributions[i]!,
    oracleJackknife,
    labelledTotals,
    openWidths,
  }));
}

function covarianceOf(errors: readonly Errors[]): Float64Array[] {
  const total = contributionCovariance(errors.map(({ contributions }) => contributions));
  errors.forEach((a, i) => {
    errors.forEach((b, j) => {
      total[i]![j]! += oracleCovariance(a, b) + sharedOf(a, b) + sharedOf(b, a) + openCovariance(a, b);
    });
  });
  return total;
}

/**
 * a − b by jackknife group. Null is an estimate that no group moves: one without calibration, such as a mean of labels, or without
 * a labelled prompt. Null too where they do not pair up.
 */
export function groupwiseDifference(a: Float64Array | null, b: Float64Array | null): Float64Array | null {
  if (b === null) return a;
  if (a === null) return b.map((value) => -value);
  return a.length === b.length ? a.map((value, k) => value - b[k]!) : null;
}

/** Polarisation of the jackknife variance; 0 where the two jackknifes do not pair up. */
function oracleCovariance(a: Errors, b: Errors): number {
  const [x, y] = [a.oracleJackknife, b.oracleJackknife];
  if (x === null || y === null || x.length !== y.length) return a === b && x !== null ? jackknifeVariance(x) : 0;
  const sum = jackknifeVariance(x.map((value, k) => value + y[k]!));
  const difference = jackknifeVariance(x.map((value, k) => value - y[k]!));
  return (sum - difference) / 4;
}

/** Of a's sampling error with b's calibration error. */
function sharedOf({ labelledTotals: totals }: Errors, { oracleJackknife: jackknife }: Errors): number {
  return totals === null || jackknife === null || totals.length !== jackknife.length
    ? 0
    : sharedCovariance(totals, jackknife);
}

/** Errors beyond either end are one curve's for all policies. */
function openCovariance({ openWidths: a }: Errors, { openWidths: b }: Errors): number {
  return (a[0] * b[0] + a[1] * b[1]) / 12;
}

/** Monte Carlo settings; results are a pure function of them. */
export interface SimulationOptions {
  readonly draws: number;
  readonly seed: number;
}

export const SIMULATION: SimulationOptions = { draws: 20_000, seed: 42 };

/** Calls `visit` with `draws` vectors from N(0, covariance); the covariance may be singular. */
export function drawNormals(
  covariance: readonly ArrayLike<number>[],
  { draws, seed }: SimulationOptions,
  visit: (vector: Float64Array) => void,
): void {
  const factor = choleskyFactor(covariance);
  const size = factor.length;
  const standard = new Float64Array(size);
  const vector = new Float64Array(size);
  const random = randomSource(seed, 0);
  for (let d = 0; d < draws; d++) {
    for (let i = 0; i < size; i++) standard[i] = random.normal();
    for (let i = 0; i < size; i++) {
      let value = 0;
      for (let j = 0; j <= i; j++) value += factor[i]![j]! * standard[j]!;
      vector[i] = value;
    }
    visit(vector);
  }
}

/** Lower triangular L with LLᵀ = covariance; a direction without variance left gets a zero column. */
function choleskyFactor(covariance: readonly ArrayLike<number>[]): Float64Array[] {
  const size = covariance.length;
  const factor = covariance.map(() => new Float64Array(size));
  for (let j = 0; j < size; j++) {
    let pivot = covariance[j]![j]!;
    for (let k = 0; k < j; k++) pivot -= factor[j]![k]! ** 2;
    if (pivot <= 1e-12 * Math.max(covariance[j]![j]!, 1e-300)) continue;
    factor[j]![j] = Math.sqrt(pivot);
    for (let i = j + 1; i < size; i++) {
      let value = covariance[i]![j]!;
      for (let k = 0; k < j; k++) value -= factor[i]![k]! * factor[j]![k]!;
      factor[i]![j] = value / factor[j]![j]!;
    }
  }
  return factor;
}
