/** Says once, when the first node starts, what the build is expected to do: progress is shown against it. */

import type { ExpectedWork, Listener } from '../../core/events.ts';
import type { Graph } from '../../core/graph.ts';
import type { Again } from '../again.ts';
import type { Ports } from '../ports.ts';
import { makePlan } from './plan.ts';
import type { Plan } from './planned.ts';

interface Expectation {
  /** To be told of each event after it was shown. */
  readonly listener: Listener;
  /** Waits for what is still being counted. */
  close(): Promise<void>;
}

/** @param approved the plan that was approved; where there is none, calls are counted from sizes, beside the build. */
export function expectation(
  graph: Graph,
  targets: readonly string[],
  options: Again & { readonly approved: Plan | undefined },
  ports: Ports,
): Expectation {
  let counting: Promise<void> | undefined;
  let over = false;
  const tell = (plan: Plan) => {
    if (!over) ports.emit(expectedWork(plan));
  };
  const count = async () => {
    try {
      tell(await makePlan(graph, targets, { ...options, fromSizes: true }, ports));
    } catch {
      // What keeps it from being counted keeps the build from being made, which says so.
    }
  };
  return {
    listener({ type }) {
      if (type === 'finished') over = true;
      if (type !== 'node-started' || counting !== undefined) return;
      if (options.approved === undefined) counting = count();
      else {
        counting = Promise.resolve();
        tell(options.approved);
      }
    },
    close: async () => counting,
  };
}

function expectedWork({ nodes, calls, dollars }: Plan): ExpectedWork {
  return {
    type: 'planned',
    calls,
    dollars: dollars?.expected ?? null,
    nodes: Object.fromEntries(
      nodes
        .filter(({ models }) => models.length > 0)
        .map(({ node, items, models }) => [
          node,
          {
            items,
            dollars: models.reduce<number | null>(
              (sum, { expected }) => (sum === null || expected === null ? null : sum + expected),
              0,
            ),
          },
        ]),
    ),
  };
}
