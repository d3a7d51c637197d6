/** The gates of all datasets, those that agree told once. */

import type { GateResult } from '../../datasets/results.ts';
import type { ReportData } from './data.ts';

export interface SharedGate {
  readonly result: GateResult;
  /** The scorers whose datasets have this very result. */
  readonly scorers: readonly string[];
}

/** Failed gates first; else in the order in which datasets list them. */
export function gatesOf(data: ReportData): SharedGate[] {
  const shared = new Map<string, { result: GateResult; scorers: string[] }>();
  for (const { scorer, gates } of data.quality) {
    for (const result of gates) {
      const { gate, policy, passed, value, bound, note } = result;
      const key = JSON.stringify([gate, policy, passed, value, bound, note ?? null]);
      const entry = shared.get(key) ?? { result, scorers: [] };
      if (!entry.scorers.includes(scorer)) entry.scorers.push(scorer);
      shared.set(key, entry);
    }
  }
  const all = [...shared.values()];
  return [...all.filter(({ result }) => !result.passed), ...all.filter(({ result }) => result.passed)];
}

/** `all` where every dataset agrees. */
export function scorersLabel(gate: SharedGate, data: ReportData): string {
  return gate.scorers.length === data.quality.length ? 'all' : gate.scorers.join(', ');
}

/** A dataset's quality without what differs by scorer, to tell shared measurements once. */
export function logprobQualities(
  data: ReportData,
): { readonly scorers: string[]; readonly quality: ReportData['quality'][number] }[] {
  const groups = new Map<string, { scorers: string[]; quality: ReportData['quality'][number] }>();
  for (const quality of data.quality) {
    const key = JSON.stringify([quality.logprobs, quality.weights]);
    const group = groups.get(key) ?? { scorers: [], quality };
    group.scorers.push(quality.scorer);
    groups.set(key, group);
  }
  return [...groups.values()];
}
