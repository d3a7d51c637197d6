/** Kind `report`: all estimates of the experiment in tables and charts. */

import { z } from 'zod';
import { dollarsOf, priceOf } from '../core/cost.ts';
import type { PriceTable } from '../core/graph.ts';
import { canonicalJson } from '../core/json.ts';
import type { Inputs, TransformKind } from '../core/kind.ts';
import { pricesPath } from '../core/params.ts';
import { priceTableOf } from '../core/prices.ts';
import { COMPARISONS, QUALITY } from '../datasets/dataset-rows.ts';
import {
  type DatasetQuality,
  type EstimateRow,
  type PolicyComparisons,
  TRUTH,
  type Truth,
} from '../datasets/results.ts';
import { DATASET, ESTIMATES, TRUTH_JSON } from '../datasets/row-types.ts';
import { scaleField, sharedScale } from '../datasets/scale.ts';
import { truthInUnits, unitsOf } from '../datasets/units.ts';
import type { CostLine, OtherPrice, ReportData } from '../report/model/data.ts';
import { DATA, PAGE, REPORT_JSON } from '../report/model/data.ts';

const params = z.strictObject({
  title: z.string().describe('The title of the report.'),
  prices: pricesPath()
    .optional()
    .describe(
      'For the cost to reproduce; a new price table re-makes the report and nothing else. Needed where there are calls.',
    ),
});
type ReportParams = z.infer<typeof params>;

export const report: TransformKind<ReportParams> = {
  name: 'report',
  about: 'all estimates of the experiment in tables and charts',
  shape: 'transform',
  params,
  inputs: {
    datasets: { arity: 'many', rows: [DATASET] },
    estimates: { arity: 'many', rows: [ESTIMATES] },
    truth: { arity: 'optional', rows: [TRUTH_JSON] },
    calls: { arity: 'optional-many', asking: true },
  },
  outputs: {
    'estimates.csv': 'text',
    'estimates.json': 'json',
    'report.md': 'text',
    [PAGE]: 'text',
    [DATA]: REPORT_JSON,
  },

  expect: () => ({ items: 0, calls: [] }),

  async run(all, inputs) {
    // Charts are dear to load, and most commands draw none.
    const { renderReport } = await import('../report/render/index.ts');
    const data = reportData(all, inputs);
    return { files: { ...renderReport(data), [DATA]: `${canonicalJson(data)}\n` } };
  },
};

function reportData({ title, prices }: ReportParams, inputs: Inputs): ReportData {
  const quality = [...inputs.many('datasets').values()].map(
    (input) => JSON.parse(input.text(QUALITY)) as DatasetQuality,
  );
  const [first] = quality;
  const estimates = [...inputs.many('estimates').values()].flatMap((input) => [...input.rows(ESTIMATES)]);
  const scale = sharedScale(quality.map((each) => each.scale));
  const table = prices === undefined ? undefined : priceTableOf(prices);
  return {
    experiment: title,
    logger: first?.logger ?? null,
    policies: policiesOf(first, estimates),
    samples: first?.prompts ?? 0,
    estimates,
    comparisons: [...inputs.many('estimates').values()].map(
      (input) => JSON.parse(input.text(COMPARISONS)) as PolicyComparisons,
    ),
    quality,
    ...scaleField(scale),
    truth: inputs.has('truth')
      ? truthInUnits(JSON.parse(inputs.one('truth').text(TRUTH)) as Truth, unitsOf(scale))
      : UNKNOWN_TRUTH,
    costs: [...(inputs.has('calls') ? inputs.many('calls') : [])].flatMap(([node, input]) =>
      input.summary.calls.map((tally): CostLine => {
        const price = table && priceOf(table, tally.identity, tally.model);
        return { node, tally, dollars: price === undefined ? null : dollarsOf(tally, price) };
      }),
    ),
    pricesDate: prices?.date ?? null,
    ...otherPrices(table, inputs),
  };
}

/** Targets, then the policy that wrote the log, where anything was estimated of it. */
function policiesOf(quality: DatasetQuality | undefined, estimates: readonly EstimateRow[]): readonly string[] {
  if (quality === undefined) return [];
  const { targets, logger } = quality;
  return logger !== null && estimates.some(({ policy }) => policy === logger) ? [...targets, logger] : targets;
}

/** Prices that are not of the table's own day: absent where there are none. */
function otherPrices(table: PriceTable | undefined, inputs: Inputs): Pick<ReportData, 'otherPrices'> {
  const told = new Map<string, OtherPrice>();
  for (const [, input] of inputs.has('calls') ? inputs.many('calls') : []) {
    for (const { identity, model } of input.summary.calls) {
      const price = table && priceOf(table, identity, model);
      if (price === undefined || (price.date ?? price.source) === undefined) continue;
      const { input: perInput, output, date = null, source = null } = price;
      told.set(`${identity}\n${model}`, { identity, model, input: perInput, output, date, source });
    }
  }
  return told.size === 0 ? {} : { otherPrices: [...told.values()] };
}

const UNKNOWN_TRUTH: Truth = { available: false, population: null, values: {} };
