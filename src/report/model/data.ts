/** Everything that a report shows, as plain values: the kind `report` gathers it, and each rendering reads it. */

import type { CallTally } from '../../core/summary.ts';
import type { DatasetQuality, EstimateRow, PolicyComparisons, Truth } from '../../datasets/results.ts';

/** The file of a report node that holds its `ReportData`; the terminal and the viewer read it without drawing charts. */
export const DATA = 'data.json';

export interface CostLine {
  readonly node: string;
  readonly tally: CallTally;
  /** Dollars; null where the price is unknown. */
  readonly dollars: number | null;
}

export interface ReportData {
  readonly experiment: string;
  /** The logging policy; null for data without a log. */
  readonly logger: string | null;
  /** Target policies in the pipeline's order. */
  readonly policies: readonly string[];
  readonly samples: number;
  readonly estimates: readonly EstimateRow[];
  readonly comparisons: readonly PolicyComparisons[];
  readonly quality: readonly DatasetQuality[];
  readonly truth: Truth;
  readonly costs: readonly CostLine[];
  readonly pricesDate: string | null;
}
