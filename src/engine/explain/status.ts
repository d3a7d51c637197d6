/** How far each node is: up to date and how complete, or stale and why. */

import { type GraphNode, upstreamNames } from '../../core/graph.ts';
import { servedText } from '../../core/served-model.ts';
import { completeItems, lackingItems, truncatedItems } from '../../core/summary.ts';
import { usageText } from '../../core/usage.ts';
import { type Cause, causeText, incompleteText } from '../cause.ts';
import { ownChanges } from '../changes.ts';
import { ownParts } from '../evaluate.ts';
import { type History, partsOf } from '../history.ts';
import { changedParts } from '../keys.ts';
import type { Ports } from '../ports.ts';
import { type FinishedNode, intolerable, keyNode } from '../survey.ts';
import { withoutName } from './failures.ts';

export interface NodeStatus {
  readonly node: string;
  readonly kind: string;
  readonly state: 'up to date' | 'refused' | 'incomplete' | 'stale';
  /** Null for a stale node. */
  readonly items: number | null;
  readonly complete: number | null;
  /** Rows that are not usable, by status. */
  readonly lacking: Readonly<Record<string, number>>;
  /** Usable rows whose text was cut; absent where none was. */
  readonly truncated?: number;
  /** Why it is stale, refused or incomplete; empty otherwise. */
  readonly note: string;
  /** Who answered where that is not the model that was asked, in words; absent where all is as asked. */
  readonly served?: readonly string[];
  /** What is odd about the usage of its replies, in words; absent where nothing is. */
  readonly usage?: readonly string[];
}

export async function nodeStatus(
  node: GraphNode,
  found: ReadonlyMap<string, FinishedNode>,
  history: History,
  ports: Pick<Ports, 'kinds' | 'sources'>,
): Promise<NodeStatus> {
  const base = { node: node.name, kind: node.kind };
  const entry = found.get(node.name);
  if (entry === undefined) {
    const cause = causeText(await whyStale(node, found, history, ports), node.kind);
    const failed = history.whyFailed(node.name);
    const note = failed === undefined ? cause : `${cause}; last build: ${withoutName(failed, node.name)}`;
    return { ...base, state: 'stale', items: null, complete: null, lacking: {}, note };
  }
  const { action, shape } = entry;
  const { summary } = action;
  const lacking = lackingItems(summary);
  const truncated = truncatedItems(summary);
  const incomplete = intolerable(node, shape, action);
  const served = summary.calls.flatMap((tally) => servedText(tally) ?? []);
  const usage = summary.calls.flatMap((tally) => usageText(tally) ?? []);
  const counts = {
    items: summary.items,
    complete: completeItems(summary),
    lacking,
    ...(truncated === 0 ? {} : { truncated }),
    ...(served.length === 0 ? {} : { served }),
    ...(usage.length === 0 ? {} : { usage }),
  };
  if (incomplete !== undefined) return { ...base, ...counts, state: 'incomplete', note: incompleteText(incomplete) };
  if (summary.refusal !== undefined) return { ...base, ...counts, state: 'refused', note: summary.refusal };
  return { ...base, ...counts, state: 'up to date', note: '' };
}

/** From the key's parts alone; whether an upstream node that runs comes out the same is for a plan to say. */
async function whyStale(
  node: GraphNode,
  found: ReadonlyMap<string, FinishedNode>,
  history: History,
  ports: Pick<Ports, 'kinds' | 'sources'>,
): Promise<Cause> {
  const past = history.of(node.name);
  if (past === undefined) return { type: 'new' };
  const before = partsOf(past.action);
  const on = upstreamNames(node).find((name) => !found.has(name));
  if (on !== undefined) {
    const now = await ownParts(node, ports.kinds.get(node.kind)!, ports.sources);
    return { type: 'waits', on: [on], changes: ownChanges(before, now) };
  }
  const { parts } = await keyNode(node, (name) => found.get(name)!.action, ports);
  const changes = changedParts(before, parts);
  return changes.length > 0 ? { type: 'changed', changes } : { type: 'output-missing' };
}
