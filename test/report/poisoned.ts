/** A report's data as hostile names, models and files would make it. */

import type { ReportData } from '../../src/report/model/data.ts';

/** Every text of the data that a person or a model chose, with the hostile text put in. */
export function poisoned(base: ReportData, poison: string): ReportData {
  const name = (text: string) => `${text}${poison}`;
  return {
    ...base,
    experiment: name(base.experiment),
    logger: name(base.logger ?? ''),
    policies: base.policies.map(name),
    truth: {
      ...base.truth,
      values: Object.fromEntries(Object.entries(base.truth.values).map(([key, value]) => [name(key), value])),
    },
    estimates: base.estimates.map((row) => {
      const names = {
        scorer: name(row.scorer),
        ablation: name(row.ablation),
        estimator: name(row.estimator),
        policy: name(row.policy),
      };
      return row.status === 'ok'
        ? { ...row, ...names, warnings: [{ gate: null, open: false, text: poison }] }
        : { ...row, ...names, gate: name(row.gate), reason: poison, collect: poison };
    }),
    quality: base.quality.map((quality) => ({
      ...quality,
      scorer: name(quality.scorer),
      labels: { ...quality.labels, validation: { [poison]: 1 } },
      missing: { [poison]: 1 },
      logprobs: quality.logprobs.map((entry) => ({ ...entry, policy: name(entry.policy), statuses: { [poison]: 1 } })),
      weights: quality.weights.map((entry) => ({ ...entry, policy: name(entry.policy) })),
      scores: quality.scores.map((entry) => ({ ...entry, policy: name(entry.policy) })),
      calibration: quality.calibration && { ...quality.calibration, mode: poison },
      gates: [{ gate: poison, policy: poison, passed: false, value: 1, bound: poison, note: poison }],
    })),
    costs: base.costs.map((line) => ({
      ...line,
      node: name(line.node),
      tally: { ...line.tally, model: poison, identity: poison },
    })),
    pricesDate: poison,
  };
}
