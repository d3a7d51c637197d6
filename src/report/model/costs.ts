/** Calls and cost to reproduce, by stage and by node. */

import { pricePerMillion } from '../../text/money.ts';
import type { CostLine, ReportData } from './data.ts';

export interface Cost {
  /** Of the stage, the part of a node's name before the first slash, or of the node. */
  readonly name: string;
  readonly models: readonly string[];
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Null where one of the prices is unknown. */
  readonly dollars: number | null;
}

export function stageCosts(data: ReportData): Cost[] {
  const byStage = new Map<string, CostLine[]>();
  for (const line of data.costs) {
    const stage = line.node.split('/')[0] ?? line.node;
    byStage.set(stage, [...(byStage.get(stage) ?? []), line]);
  }
  return [...byStage].map(([stage, lines]) => sumUp(stage, lines));
}

export const nodeCosts = (data: ReportData): Cost[] => data.costs.map((line) => sumUp(line.node, [line]));

export const totalCost = (data: ReportData): Cost => sumUp('all stages', data.costs);

function sumUp(name: string, lines: readonly CostLine[]): Cost {
  const sum = (value: (line: CostLine) => number) => lines.reduce((total, line) => total + value(line), 0);
  return {
    name,
    models: [...new Set(lines.map(({ tally }) => tally.model))],
    calls: sum(({ tally }) => tally.calls),
    inputTokens: sum(({ tally }) => tally.inputTokens),
    outputTokens: sum(({ tally }) => tally.outputTokens),
    dollars: lines.some(({ dollars }) => dollars === null) ? null : sum(({ dollars }) => dollars ?? 0),
  };
}

/** Which price was taken for a model, where it is not one of the table's own day. */
export const otherPriceTexts = ({ otherPrices = [] }: ReportData): string[] =>
  otherPrices.map(({ model, input, output, date, source }) => {
    const read = [source, date].filter((part) => part !== null).join(', ');
    return `${model}: ${pricePerMillion(input)} in, ${pricePerMillion(output)} out for a million tokens (${read}).`;
  });

/** True where every call went to the simulated world, so that the money is simulated too. */
export function isSimulated(data: ReportData): boolean {
  return data.costs.length > 0 && data.costs.every(({ tally }) => tally.identity.startsWith('simulator:'));
}
