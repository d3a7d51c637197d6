/** Everything that a report shows, as plain values: the kind `report` gathers it, and each rendering reads it. */

import { z } from 'zod';
import type { RowType } from '../../core/kind.ts';
import type { CallTally } from '../../core/summary.ts';
import type { DatasetQuality, EstimateRow, PolicyComparisons, Truth } from '../../datasets/results.ts';
import { COMPARISONS_JSON, ESTIMATES, QUALITY_JSON, TRUTH_JSON } from '../../datasets/row-types.ts';
import type { Scale } from '../../datasets/scale.ts';

/** The file of a report node that holds its `ReportData`; the terminal and the viewer read it without drawing charts. */
export const DATA = 'data.json';

/** The file that people open. */
export const PAGE = 'report.html';

export type CostLine = {
  readonly node: string;
  readonly tally: CallTally;
  /** Dollars; null where the price is unknown. */
  readonly dollars: number | null;
};

export type ReportData = {
  readonly experiment: string;
  /** The logging policy; null for data without a log. */
  readonly logger: string | null;
  /** Those of which there are estimates: targets in the pipeline's order, then the logging one. */
  readonly policies: readonly string[];
  readonly samples: number;
  /** The labels' scale, which values, differences and errors are on; absent for [0, 1]. */
  readonly scale?: Scale;
  readonly estimates: readonly EstimateRow[];
  readonly comparisons: readonly PolicyComparisons[];
  readonly quality: readonly DatasetQuality[];
  readonly truth: Truth;
  readonly costs: readonly CostLine[];
  readonly pricesDate: string | null;
  /** Prices of another day or from elsewhere than the table's own; absent where there are none. */
  readonly otherPrices?: readonly OtherPrice[];
};

/** Dollars for a million tokens. */
export type OtherPrice = {
  readonly identity: string;
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly date: string | null;
  readonly source: string | null;
};

export const REPORT_JSON: RowType<ReportData> = {
  name: 'report',
  schema: () => {
    const count = z.int().min(0);
    return z.strictObject({
      experiment: z.string(),
      logger: z.string().nullable(),
      policies: z.array(z.string()),
      samples: count,
      scale: z.tuple([z.number(), z.number()]).exactOptional(),
      estimates: z.array(ESTIMATES.schema()),
      comparisons: z.array(COMPARISONS_JSON.schema()),
      quality: z.array(QUALITY_JSON.schema()),
      truth: TRUTH_JSON.schema(),
      costs: z.array(
        z.strictObject({
          node: z.string(),
          tally: z.strictObject({
            identity: z.string(),
            model: z.string(),
            calls: count,
            inputTokens: count,
            cachedInputTokens: count,
            outputTokens: count,
            served: z
              .array(z.strictObject({ name: z.string(), replies: count, refused: count.exactOptional() }))
              .exactOptional(),
            uncounted: count.exactOptional(),
            excessive: count.exactOptional(),
          }),
          dollars: z.number().nullable(),
        }),
      ),
      pricesDate: z.string().nullable(),
      otherPrices: z
        .array(
          z.strictObject({
            identity: z.string(),
            model: z.string(),
            input: z.number(),
            output: z.number(),
            date: z.string().nullable(),
            source: z.string().nullable(),
          }),
        )
        .exactOptional(),
    });
  },
};
