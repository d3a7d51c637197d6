/** What a build's events add up to: the state that live and plain progress both show. */

import type { BuildEvent, NodeOutcome, NodeProgress } from '../core/events.ts';

/** The stretch over which rates are measured, milliseconds. */
const WINDOW = 10_000;

export interface NodeState {
  readonly name: string;
  readonly kind: string;
  readonly reason: string;
  readonly startedAt: number;
  /** Undefined until the node knows how many items it has. */
  items: number | undefined;
  done: number;
  bought: number;
  cached: number;
  failed: number;
  inFlight: number;
  cost: number;
  retries: number;
  /** `call-failed` events so far. */
  failures: number;
  readonly samples: { readonly at: number; readonly done: number; readonly bought: number }[];
}

interface Rates {
  /** Calls bought and items settled a second, lately; undefined until there is something to measure. */
  readonly calls: number | undefined;
  /** Milliseconds until the node's items are settled, at the rate of lately. */
  readonly remaining: number | undefined;
}

/** Follows one build. Pure but for its own state: time comes with every event. */
interface Progress {
  /** In the order in which they started. */
  readonly active: ReadonlyMap<string, NodeState>;
  /** Nodes in all; 0 before the build has started. */
  nodes(): number;
  finished(): number;
  outcomes(): Readonly<Record<NodeOutcome, number>>;
  /** Of finished and active nodes together. */
  bought(): number;
  cost(): number;
  startedAt(): number;
  follow(event: BuildEvent, now: number): void;
}

export function createProgress(): Progress {
  const active = new Map<string, NodeState>();
  const outcomes: Record<NodeOutcome, number> = { run: 0, cached: 0, failed: 0, refused: 0, skipped: 0 };
  let nodes = 0;
  let startedAt = 0;
  let settledBought = 0;
  let settledCost = 0;
  const sum = (field: 'bought' | 'cost') => [...active.values()].reduce((total, node) => total + node[field], 0);

  return {
    active,
    nodes: () => nodes,
    finished: () => Object.values(outcomes).reduce((total, number) => total + number, 0),
    outcomes: () => outcomes,
    bought: () => settledBought + sum('bought'),
    cost: () => settledCost + sum('cost'),
    startedAt: () => startedAt,
    follow(event, now) {
      switch (event.type) {
        case 'started':
          nodes = event.nodes;
          startedAt = now;
          return;
        case 'node-started':
          active.set(event.node, startNode(event, now));
          return;
        case 'node-items': {
          const node = active.get(event.node);
          if (node !== undefined) node.items = event.items;
          return;
        }
        case 'node-progress':
          advance(active.get(event.node), event, now);
          return;
        case 'node-finished':
          active.delete(event.node);
          outcomes[event.outcome]++;
          settledBought += event.calls.bought;
          settledCost += event.cost;
          return;
        case 'call-retry': {
          const node = active.get(event.node);
          if (node !== undefined) node.retries++;
          return;
        }
        case 'call-failed': {
          const node = active.get(event.node);
          if (node !== undefined) node.failures++;
          return;
        }
        case 'provider-stopped':
        case 'budget-reached':
        case 'problem':
        case 'note':
        case 'finished':
          return;
      }
    },
  };
}

function startNode(event: Extract<BuildEvent, { type: 'node-started' }>, now: number): NodeState {
  return {
    name: event.node,
    kind: event.kind,
    reason: event.reason,
    startedAt: now,
    items: undefined,
    done: 0,
    bought: 0,
    cached: 0,
    failed: 0,
    inFlight: 0,
    cost: 0,
    retries: 0,
    failures: 0,
    samples: [{ at: now, done: 0, bought: 0 }],
  };
}

function advance(node: NodeState | undefined, event: NodeProgress, now: number): void {
  if (node === undefined) return;
  node.items = event.items;
  node.done = event.done;
  node.bought = event.bought;
  node.cached = event.cached;
  node.failed = event.failed;
  node.inFlight = event.inFlight;
  node.cost = event.cost;
  node.samples.push({ at: now, done: event.done, bought: event.bought });
  // The oldest sample that is kept is the first at or before the window's edge.
  while ((node.samples[1]?.at ?? now) <= now - WINDOW) node.samples.shift();
}

export function ratesOf(node: NodeState, now: number): Rates {
  const first = node.samples[0];
  const elapsed = first === undefined ? 0 : now - first.at;
  if (first === undefined || elapsed < 500) return { calls: undefined, remaining: undefined };
  const calls = ((node.bought - first.bought) / elapsed) * 1000;
  const itemsPerMillisecond = (node.done - first.done) / elapsed;
  const left = (node.items ?? 0) - node.done;
  return {
    calls: node.bought > 0 ? calls : undefined,
    remaining: itemsPerMillisecond > 0 && left > 0 ? left / itemsPerMillisecond : undefined,
  };
}
