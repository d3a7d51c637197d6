/** Whether forced log probabilities are those of generation: the numbers, and the gates on them. */

import type { Gates } from './gates-file.ts';
import { countBy } from './join.ts';
import type { DatasetQuality, GateResult } from './results.ts';
import type { GenerationCheck } from './rows.ts';

type PolicyConsistency = NonNullable<DatasetQuality['consistency']>[number];

export function consistencyOf(checks: ReadonlyMap<string, readonly GenerationCheck[]>): PolicyConsistency[] {
  return [...checks].map(([policy, rows]) => {
    const sum = (value: (row: GenerationCheck) => number) => rows.reduce((total, row) => total + value(row), 0);
    const gg = sum((row) => row.gg);
    const medians = rows.map(({ median }) => median).sort((a, b) => a - b);
    return {
      policy,
      rows: rows.length,
      informative: sum(({ informative }) => informative),
      slope: gg === 0 ? null : sum(({ fg }) => fg) / gg,
      median: medians[Math.floor(medians.length / 2)] ?? 0,
      largest: Math.max(...rows.map(({ largest }) => largest)),
      agreements: Object.fromEntries(countBy(rows, ({ agreement }) => agreement)),
    };
  });
}

/** What each way of disagreeing is called where a gate refuses it. */
const NAMES: Readonly<Record<string, string>> = {
  zeroed: 'tokens are certain that generation found uncertain',
  shifted: "each token has its neighbour's value",
  scaled: 'all values are on another scale or base',
  rounded: 'the values are told to a tenth alone',
  probability: 'the values are probabilities, not their logarithms',
  differs: 'the values are other ones',
};

/** One gate for each number, and one for rows whose values are of another kind altogether. */
export function consistencyGates(consistency: readonly PolicyConsistency[], { data }: Gates): GateResult[] {
  return consistency.flatMap(({ policy, rows, slope, median, agreements }) => {
    const { agrees = 0, ...others } = agreements;
    const [[worst] = []] = Object.entries(others).sort(([, a], [, b]) => b - a);
    const note = worst === undefined ? {} : { note: NAMES[worst] ?? worst };
    const share = agrees / rows;
    return [
      {
        gate: 'consistency_slope',
        policy,
        passed: slope === null || Math.abs(slope - 1) <= data.consistency_slope,
        value: slope,
        bound: `1 ± ${data.consistency_slope}`,
        ...note,
      },
      {
        gate: 'consistency_token',
        policy,
        passed: median <= data.consistency_token,
        value: median,
        bound: `≤ ${data.consistency_token} nats`,
        ...note,
      },
      {
        gate: 'consistency_share',
        policy,
        passed: share >= data.usable_share,
        value: share,
        bound: `≥ ${data.usable_share}`,
        ...note,
      },
    ];
  });
}

/** Of policies with a row that is not of the tokens that were sampled; where there is none there is nothing to judge. */
export function retokenizedGates(logprobs: DatasetQuality['logprobs'], rows: number, { data }: Gates): GateResult[] {
  return logprobs.flatMap(({ policy, statuses }) => {
    const { retokenized = 0, inconsistent = 0 } = statuses;
    if (retokenized + inconsistent === 0) return [];
    const share = (retokenized + inconsistent) / rows;
    const { retokenized_share: most } = data;
    return [{ gate: 'retokenized_share', policy, passed: share <= most, value: share, bound: `≤ ${most}` }];
  });
}
