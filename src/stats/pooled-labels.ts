import { labelWeights } from './data/label-weights.ts';
import { auditTransport } from './gates/transport-audit.ts';
import { concatenate } from './numeric/moments.ts';
import { studentTwoSidedP } from './numeric/special-functions.ts';
import { freshView } from './study/policy-view.ts';
import type { Study } from './study/study.ts';

/** The policy whose labels differ most from those of the others at equal scores. */
export interface OddLabels {
  readonly policy: string;
  /** Of the test that they do not, times the number of policies (Bonferroni). */
  readonly pValue: number;
}

const known = new WeakMap<Study, OddLabels | null>();

/**
 * Without a log one calibration is learnt on the labels of all policies, so a judge that is kinder to one of them bends it
 * for all. For each policy the mean out-of-fold residual of its labels is held against that of the others' labels, t = (r̄
 * − r̄′)/√(SE² + SE′²), standard errors by prompt, with the smaller degrees of freedom.
 *
 * @returns null with a log, or where fewer than two policies have labels on two prompts.
 */
export function oddLabels(study: Study): OddLabels | null {
  const before = known.get(study);
  if (before !== undefined) return before;
  const found = study.data.pooled === true && study.calibration !== null ? oddest(study) : null;
  known.set(study, found);
  return found;
}

interface Labelled {
  readonly policy: string;
  readonly labels: Float64Array;
  readonly rewards: Float64Array;
  readonly promptIds: readonly string[];
  readonly weights: Float64Array;
}

function oddest(study: Study): OddLabels | null {
  const groups = study.data.policies.flatMap((policy): Labelled[] => {
    const view = freshView(study, policy);
    if (!view.ok || view.value.draws.oracleLabels.every(Number.isNaN)) return [];
    const { draws, heldOutRewards: rewards } = view.value;
    const { oracleLabels: labels, promptIds } = draws;
    return [{ policy, labels, rewards, promptIds, weights: labelWeights(draws) ?? labels.map(() => 1) }];
  });
  const tests = groups.flatMap((group): OddLabels[] => {
    const others = groups.filter((other) => other !== group);
    if (others.length === 0) return [];
    const [own, rest] = [meanResidual([group]), meanResidual(others)];
    const error = Math.hypot(own.standardError!, rest.standardError!);
    if (!(error > 0 && Number.isFinite(error))) return [];
    const degreesOfFreedom = Math.max(Math.min(own.effectivePrompts, rest.effectivePrompts) - 1, 1);
    const p = studentTwoSidedP((own.bias! - rest.bias!) / error, degreesOfFreedom);
    return [{ policy: group.policy, pValue: Math.min(1, p * groups.length) }];
  });
  return tests.reduce<OddLabels | null>(
    (least, test) => (least === null || test.pValue < least.pValue ? test : least),
    null,
  );
}

const meanResidual = (of: readonly Labelled[]) =>
  auditTransport(
    concatenate(of.map(({ labels }) => labels)),
    concatenate(of.map(({ rewards }) => rewards)),
    of.flatMap(({ promptIds }) => promptIds),
    { margin: null, alpha: 0.05, audits: 1 },
    concatenate(of.map(({ weights }) => weights)),
  );
