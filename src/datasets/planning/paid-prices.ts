/** What a dataset's calls cost apiece, so that a plan need not be told. */

import type { Graph } from '../../core/graph.ts';
import type { PriceBook } from '../../core/provider-port.ts';
import type { Action } from '../../core/storage.ts';

interface PaidPrices {
  /** Dollars for one response with its score, log probabilities included; undefined where nothing was paid. */
  readonly score: number | undefined;
  readonly label: number | undefined;
}

/** From the records of the nodes that the dataset joins; a price that is not known leaves its figure out. */
export function paidPrices(
  graph: Pick<Graph, 'nodes'>,
  dataset: string,
  action: (node: string) => Pick<Action, 'summary'> | undefined,
  prices: Pick<PriceBook, 'cost'>,
): PaidPrices {
  const { inputs } = graph.nodes.get(dataset)!;
  const spent = (name: string): { readonly dollars: number; readonly items: number } | undefined => {
    let dollars = 0;
    let items = 0;
    for (const { node } of inputs[name]?.nodes ?? []) {
      const summary = action(node)?.summary;
      if (summary === undefined) return undefined;
      items += summary.items;
      for (const tally of summary.calls) {
        const cost = prices.cost(tally.identity, tally.model, tally);
        if (cost === undefined) return undefined;
        dollars += cost;
      }
    }
    return { dollars, items };
  };
  const each = (total: number | undefined, items: number | undefined) =>
    total === undefined || items === undefined || items === 0 || total === 0 ? undefined : total / items;
  const parts = [spent('responses'), spent('logprobs'), spent('scores')];
  const total = parts.reduce<number | undefined>(
    (sum, part) => (sum === undefined || part === undefined ? undefined : sum + part.dollars),
    0,
  );
  const oracle = spent('oracle');
  return { score: each(total, parts[0]?.items), label: each(oracle?.dollars, oracle?.items) };
}
