import { labelWeights } from './data/label-weights.ts';
import { auditTransport, marginOf, type TransportAudit } from './gates/transport-audit.ts';
import { take } from './numeric/moments.ts';
import { type LoggedView, loggedView } from './study/policy-view.ts';
import type { Study } from './study/study.ts';

/**
 * Whether the calibration carries over to a policy none of whose own responses is labelled: the mean of Y − f̂^(−k)(S) over
 * the log's labels, each by its importance weight over its probability of a label. Right weights make it the mean error on
 * the policy's own responses (Robins, Rotnitzky and Zhao 1994), so it sees a judge that errs with the policy, which no
 * calibration does.
 *
 * @returns null where there are no weights, or where weights have too little behind them to say anything.
 */
export function auditByWeights(study: Study, policy: string, given: LoggedView | null): TransportAudit | null {
  const { config, data, outOfFoldRewards, logged } = study;
  if (data.pooled === true || outOfFoldRewards === null || !logged.targetLogprobs.has(policy)) return null;
  const found = given === null ? loggedView(study, policy, null) : null;
  const view = given ?? (found?.ok ? found.value : null);
  if (view === null || view.rawWeightDiagnostics.ess < config.gates.minimumEss) return null;
  const drawn = labelWeights(logged);
  const weights = drawn === null ? view.weights : view.weights.map((w, i) => w * drawn[view.rows[i]!]!);
  return auditTransport(
    take(logged.oracleLabels, view.rows),
    take(outOfFoldRewards, view.rows),
    view.promptIds,
    { margin: marginOf(config.gates.transportMargin, policy), alpha: config.alpha, audits: 1 },
    weights,
  );
}
