/** What a build's events add up to: the state that live and plain progress both show. */

import type { BuildEvent, ExpectedWork, NodeProgress, WorkersAtWork } from '../core/events.ts';

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
  readonly samples: Sample[];
}

interface Sample {
  readonly at: number;
  readonly done: number;
  readonly bought: number;
}

interface Rates {
  /** Calls bought and items settled a second, lately; undefined until there is something to measure. */
  readonly calls: number | undefined;
  /** Milliseconds until the node's items are settled, at the rate of lately. */
  readonly remaining: number | undefined;
}

/** How far the whole build is. */
interface Whole {
  /** Share of the work that is done, in [0, 1]; undefined while it is not known how much there is. */
  readonly share: number | undefined;
  /** Milliseconds until the last call is settled, at the rate of lately. */
  readonly remaining: number | undefined;
  /** Dollars that the build is expected to come to: those spent, and what is left of the plan; null where a price is unknown. */
  readonly dollars: number | null;
}

/** Follows one build. Pure but for its own state: time comes with every event. */
export class Progress {
  /** Nodes in all; 0 before the build has started. */
  nodes = 0;
  startedAt = 0;
  /** Undefined for a build that hands out no work. */
  workers: WorkersAtWork | undefined;
  readonly #active = new Map<string, NodeState>();
  /** Of nodes that have ended. */
  readonly #settled = { bought: 0, cost: 0, items: 0 };
  /** What is left of the plan: of nodes that have not ended. Undefined while there is none. */
  #plan: { readonly left: Map<string, ExpectedWork['nodes'][string]>; readonly unpriced: boolean } | undefined;
  readonly #samples: Sample[] = [];
  /** Nodes that have ended: a plan that comes late may still name them. */
  readonly #ended = new Set<string>();

  /** In the order in which they started. */
  get active(): ReadonlyMap<string, NodeState> {
    return this.#active;
  }

  get finished(): number {
    return this.#ended.size;
  }

  /** Of finished and active nodes together. */
  get bought(): number {
    return this.#settled.bought + this.#sum('bought');
  }

  get cost(): number {
    return this.#settled.cost + this.#sum('cost');
  }

  #sum(field: 'bought' | 'cost' | 'done'): number {
    return [...this.#active.values()].reduce((total, node) => total + node[field], 0);
  }

  whole(now: number): Whole {
    if (this.#plan === undefined) return { share: undefined, remaining: undefined, dollars: null };
    const { left: expected, unpriced } = this.#plan;
    let items = 0;
    let done = this.#settled.items;
    let dollars = unpriced ? null : this.#settled.cost;
    for (const [name, plan] of expected) {
      const node = this.#active.get(name);
      const of = node?.items ?? plan.items;
      items += of;
      done += node?.done ?? 0;
      const left = of === 0 ? 0 : 1 - (node?.done ?? 0) / of;
      if (dollars !== null) dollars += (node?.cost ?? 0) + left * (plan.dollars ?? 0);
    }
    // Nodes without calls count one each: how long they take is not known.
    const all = this.#settled.items + items + this.nodes;
    return {
      share: all === 0 ? undefined : Math.min(1, (done + this.finished) / all),
      remaining: remainingOf(this.#samples, this.#settled.items + items - done, now),
      dollars,
    };
  }

  follow(event: BuildEvent, now: number): void {
    switch (event.type) {
      case 'started':
        this.nodes = event.nodes;
        this.startedAt = now;
        addSample(this.#samples, { at: now, done: 0, bought: 0 });
        return;
      case 'planned': {
        const left = Object.entries(event.nodes).filter(([name]) => !this.#ended.has(name));
        this.#plan = { left: new Map([...(this.#plan?.left ?? []), ...left]), unpriced: event.dollars === null };
        return;
      }
      case 'node-started':
        this.#active.set(event.node, startNode(event, now));
        return;
      case 'node-items':
        change(this.#active.get(event.node), (node) => {
          node.items = event.items;
        });
        return;
      case 'node-progress':
        advance(this.#active.get(event.node), event, now);
        addSample(this.#samples, { at: now, done: this.#settled.items + this.#sum('done'), bought: 0 });
        return;
      case 'node-finished':
        this.#end(event);
        return;
      case 'call-retry':
        change(this.#active.get(event.node), (node) => {
          node.retries++;
        });
        return;
      case 'call-failed':
        change(this.#active.get(event.node), (node) => {
          node.failures++;
        });
        return;
      case 'workers':
        this.workers = event;
        return;
      case 'work-returned':
      case 'provider-stopped':
      case 'budget-reached':
      case 'problem':
      case 'note':
      case 'finished':
        return;
    }
  }

  #end({ node, calls, cost }: Extract<BuildEvent, { type: 'node-finished' }>): void {
    this.#settled.items += this.#active.get(node)?.items ?? 0;
    this.#settled.bought += calls.bought;
    this.#settled.cost += cost;
    this.#active.delete(node);
    this.#plan?.left.delete(node);
    this.#ended.add(node);
  }
}

function change(node: NodeState | undefined, to: (node: NodeState) => void): void {
  if (node !== undefined) to(node);
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
  addSample(node.samples, { at: now, done: event.done, bought: event.bought });
}

function addSample(samples: Sample[], sample: Sample): void {
  samples.push(sample);
  // The oldest sample that is kept is the first at or before the window's edge.
  while ((samples[1]?.at ?? sample.at) <= sample.at - WINDOW) samples.shift();
}

/** Milliseconds for so many items at the rate of lately; undefined where there is none. */
function remainingOf(samples: readonly Sample[], left: number, now: number): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || now - first.at < 500 || left <= 0) return undefined;
  const itemsPerMillisecond = (last.done - first.done) / (now - first.at);
  return itemsPerMillisecond > 0 ? left / itemsPerMillisecond : undefined;
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
