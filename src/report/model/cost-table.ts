/** Calls and cost to reproduce, by stage. */

import type { CostLine, ReportData } from './data.ts';

export interface StageCost {
  /** The part of a node's name before the first slash. */
  readonly stage: string;
  readonly lines: readonly CostLine[];
  readonly models: readonly string[];
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Null where one of the prices is unknown. */
  readonly dollars: number | null;
}

export function stageCosts(data: ReportData): StageCost[] {
  const byStage = new Map<string, CostLine[]>();
  for (const line of data.costs) {
    const stage = line.node.split('/')[0] ?? line.node;
    byStage.set(stage, [...(byStage.get(stage) ?? []), line]);
  }
  return [...byStage].map(([stage, lines]) => sumUp(stage, lines));
}

export function totalCost(data: ReportData): StageCost {
  return sumUp('all stages', data.costs);
}

function sumUp(stage: string, lines: readonly CostLine[]): StageCost {
  const sum = (value: (line: CostLine) => number) => lines.reduce((total, line) => total + value(line), 0);
  return {
    stage,
    lines,
    models: [...new Set(lines.map(({ tally }) => tally.model))],
    calls: sum(({ tally }) => tally.calls),
    inputTokens: sum(({ tally }) => tally.inputTokens),
    outputTokens: sum(({ tally }) => tally.outputTokens),
    dollars: lines.some(({ dollars }) => dollars === null) ? null : sum(({ dollars }) => dollars ?? 0),
  };
}

/** True where every call went to the simulated world, so that the money is simulated too. */
export function isSimulated(data: ReportData): boolean {
  return data.costs.length > 0 && data.costs.every(({ tally }) => tally.identity.startsWith('simulator:'));
}
