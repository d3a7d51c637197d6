/**
 * A canary: buys some of the items that an edit invalidated, and stops. Nothing is recorded as a finished node; the
 * replies are kept, so the build that follows uses them.
 */

import type { KeyedCall } from '../../core/call.ts';
import { digestText } from '../../core/digest.ts';
import type { Graph, GraphNode } from '../../core/graph.ts';
import type { JsonObject } from '../../core/json.ts';
import { type CallsKind, ROWS } from '../../core/kind.ts';
import type { Action, Known } from '../../core/storage.ts';
import type { BudgetLimits } from '../../replies/budget.ts';
import { chain } from '../../replies/chain.ts';
import { lookUp } from '../../replies/local.ts';
import { type CallMeter, newMeter, type Replies } from '../../replies/source.ts';
import { type LockOptions, type LockResult, takeLock } from '../build/lock.ts';
import { drive } from '../drive.ts';
import { History } from '../history.ts';
import { readInput } from '../inputs.ts';
import { itemName } from '../items.ts';
import { preparePlan } from '../plan/plan.ts';
import type { Plan, PlanOptions } from '../plan/planned.ts';
import type { Ports } from '../ports.ts';
import { chainPorts } from '../ports.ts';
import { nodeOf } from '../select.ts';
import { settle } from '../settle.ts';

/** One item that the canary bought. */
interface TrialItem {
  readonly item: string;
  /** The row as it is now; null where a reply could not be had. */
  readonly after: JsonObject | null;
  /** The row of the same item under the last build; null where there is none. */
  readonly before: JsonObject | null;
}

export interface TrialNode {
  readonly node: string;
  readonly kind: string;
  /** Items of the node, and how many of them ask what is not stored. */
  readonly total: number;
  readonly invalidated: number;
  /** Whether the last build's rows are of the same inputs. */
  readonly sameInputs: boolean;
  readonly items: readonly TrialItem[];
  /** Calls that the plan says the node needs, and what the canary bought of them. */
  readonly planned: number;
  readonly bought: number;
  /** Dollars billed. */
  readonly cost: number;
  /** Dollars set aside for tries of unknown outcome. */
  readonly unknown: number;
}

export interface TrialOptions extends PlanOptions, LockOptions {
  /** Items in all. */
  readonly items: number;
  /** Calls in flight and items in hand at once. */
  readonly jobs: number;
  readonly limits: BudgetLimits;
  readonly kill: AbortSignal;
}

export interface TrialOutcome {
  /** What the whole build would do, as it was before the canary bought anything. */
  readonly plan: Plan;
  readonly nodes: readonly TrialNode[];
  readonly calls: { readonly bought: number; readonly failed: number };
  /** Dollars billed. */
  readonly cost: number;
  /** Dollars set aside for tries of unknown outcome. */
  readonly unknown: number;
  /** Why it stopped early; undefined where all was bought. */
  readonly stopped: string | undefined;
}

interface Candidate {
  readonly item: unknown;
  readonly name: string;
  readonly rank: string;
}

/** Runs a canary under the build lock; or says who holds that. */
export async function canary(
  graph: Graph,
  targets: readonly string[],
  options: TrialOptions,
  ports: Ports,
): Promise<TrialOutcome | Exclude<LockResult, { type: 'taken' }>> {
  const lock = await takeLock(options, ports);
  if (lock.type !== 'taken') return lock;
  const replies = chain(chainPorts(options, ports));
  try {
    return await runCanary(graph, targets, options, ports, replies);
  } finally {
    replies.close();
    await ports.store.lock.release();
  }
}

/**
 * Buys `items` of what the plan would buy, spread evenly over the nodes whose requests can be built. The same prompts
 * are drawn for each node, by the lowest digest of their name, so that policies can be compared.
 */
async function runCanary(
  graph: Graph,
  targets: readonly string[],
  options: TrialOptions,
  ports: Ports,
  replies: Replies,
): Promise<TrialOutcome> {
  const { plan, planner } = await preparePlan(graph, targets, { ...options, keepRows: true }, ports);
  const planned = plan.nodes.filter((node) => node.calls > 0 && node.waitsFor.length === 0);
  const history = new History(ports.store, graph.profile);
  const known = (call: KeyedCall) => lookUp(ports.store.calls, call);
  const shares = evenly(
    options.items,
    planned.map((node) => node.unsettled),
  );
  const nodes: TrialNode[] = [];
  const meters: CallMeter[] = [];
  let stopped: string | undefined;
  for (const [index, { node: name, kind: kindName, items: total, unsettled, calls, changes }] of planned.entries()) {
    if (shares[index] === 0) continue;
    const meter = newMeter();
    meters.push(meter);
    const node = nodeOf(graph, name);
    const kind = ports.kinds.get(kindName)!.kind as CallsKind<unknown, unknown>;
    const inputs = planner.inputsOf(node);
    if (inputs === undefined) throw new Error(`Internal error: ${name} was planned without its inputs`);
    const chosen = lowest(unsettledItems(kind, node, inputs, known), shares[index]!);
    const rows = new Map<string, JsonObject | null>();
    await inParallel(chosen, options.jobs, async ({ item, name: itemLabel }) => {
      const buy = (call: KeyedCall) => replies.get(call, { node: name, meter });
      const end = await settle(kind.row(item, node.params), known, buy);
      if (end.type === 'unavailable') stopped ??= end.failure.message;
      rows.set(itemLabel, end.type === 'row' ? end.row : null);
    });
    const past = history.of(name);
    const before = past === undefined ? new Map<string, JsonObject>() : pastRows(kind, past.action, rows, ports);
    nodes.push({
      node: name,
      kind: kindName,
      total,
      invalidated: unsettled,
      sameInputs: past !== undefined && !changes.some(({ path }) => path[0] === 'inputs'),
      planned: calls,
      bought: meter.bought,
      cost: meter.cost,
      unknown: meter.unknown,
      items: chosen.map(({ name: item }) => ({
        item,
        after: rows.get(item) ?? null,
        before: before.get(item) ?? null,
      })),
    });
  }
  const sum = (pick: (meter: CallMeter) => number) => meters.reduce((total, meter) => total + pick(meter), 0);
  const calls = { bought: sum(({ bought }) => bought), failed: sum(({ failed }) => failed) };
  return { plan, nodes, calls, cost: sum(({ cost }) => cost), unknown: sum(({ unknown }) => unknown), stopped };
}

/** `total` in shares that differ by one at most, none above its bound; what one cannot take goes to the others. */
export function evenly(total: number, bounds: readonly number[]): number[] {
  const shares = bounds.map(() => 0);
  let left = Math.min(
    total,
    bounds.reduce((sum, bound) => sum + bound, 0),
  );
  while (left > 0) {
    for (const [index, bound] of bounds.entries()) {
      if (left === 0) break;
      if (shares[index]! >= bound) continue;
      shares[index]!++;
      left--;
    }
  }
  return shares;
}

function* unsettledItems(
  kind: CallsKind<unknown, unknown>,
  node: GraphNode,
  inputs: Parameters<CallsKind<unknown, unknown>['items']>[1],
  known: (call: KeyedCall) => Known | undefined,
): Generator<Candidate> {
  let index = 0;
  for (const item of kind.items(node.params, inputs)) {
    const name = itemName(kind, item, index++);
    if (drive(kind.row(item, node.params), undefined, known, () => {}).done) continue;
    yield { item, name, rank: digestText(`canary:${name}`) };
  }
}

/** The `wanted` candidates of lowest rank, holding no more than twice as many. */
function lowest(candidates: Iterable<Candidate>, wanted: number): Candidate[] {
  let kept: Candidate[] = [];
  const cut = () => {
    kept.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.name < b.name ? -1 : 1));
    kept = kept.slice(0, wanted);
  };
  for (const candidate of candidates) {
    kept.push(candidate);
    if (kept.length > 2 * wanted + 16) cut();
  }
  cut();
  return kept;
}

/** The last build's rows of the items that were bought. */
function pastRows(
  kind: CallsKind<unknown, unknown>,
  action: Action,
  wanted: ReadonlyMap<string, unknown>,
  ports: Pick<Ports, 'store'>,
): Map<string, JsonObject> {
  const rows = new Map<string, JsonObject>();
  const ref = action.outputs[ROWS];
  if (ref === undefined || ports.store.blobs.locate(ref) === undefined) return rows;
  let index = 0;
  for (const row of readInput(action, ports.store.blobs).rows()) {
    const name = itemName(kind, row, index++);
    if (wanted.has(name)) rows.set(name, row);
    if (rows.size === wanted.size) break;
  }
  return rows;
}

async function inParallel<T>(all: readonly T[], width: number, task: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < all.length) await task(all[next++]!);
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(width, all.length)) }, work));
}
