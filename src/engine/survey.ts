/** What is already there: walks the graph in order and asks, key by key, whether a finished node stands in the store. */

import { type GraphNode, upstreamNames } from '../core/graph.ts';
import type { Input, Kind } from '../core/kind.ts';
import { EXIT, type Problem, ProblemError } from '../core/problem.ts';
import { ruleOf, servedText, snapshotsIn } from '../core/served-model.ts';
import { type Action, type BlobStore, blobsOf, type Store } from '../core/storage.ts';
import { lackingItems, missingShare, type Summary } from '../core/summary.ts';
import { type Incomplete, incompleteText, type Mixed } from './cause.ts';
import { keyParts, upstreamOf } from './evaluate.ts';
import { readInput, type Upstream } from './inputs.ts';
import { type KeyParts, nodeKey } from './keys.ts';
import type { Ports } from './ports.ts';

export interface Keyed {
  readonly node: GraphNode;
  readonly parts: KeyParts;
  readonly key: Action['key'];
  readonly upstream: Upstream;
  readonly shape: Kind['shape'];
}

export interface FinishedNode extends Keyed {
  readonly action: Action;
}

export async function keyNode(
  node: GraphNode,
  output: (name: string) => Action,
  ports: Pick<Ports, 'kinds' | 'sources'>,
): Promise<Keyed> {
  const registered = ports.kinds.get(node.kind);
  if (registered === undefined) throw new Error(`Internal error: unknown kind ${node.kind}`);
  const upstream = upstreamOf(node, output);
  const parts = await keyParts(node, registered, upstream, ports.sources);
  return { node, parts, key: nodeKey(parts), upstream, shape: registered.kind.shape };
}

/** The record of a finished node whose outputs are all present; a record without its bytes counts for nothing. */
export function findAction(store: Pick<Store, 'actions' | 'blobs'>, key: Action['key']): Action | undefined {
  const action = store.actions.get(key);
  if (action === undefined) return undefined;
  for (const ref of blobsOf(action)) if (store.blobs.locate(ref) === undefined) return undefined;
  return action;
}

/**
 * Finds every node that is up to date, in the order of the graph. A node below one that is not up to date is not keyed:
 * its key depends on outputs that are not known yet.
 */
export async function survey(
  nodes: readonly GraphNode[],
  ports: Pick<Ports, 'kinds' | 'sources' | 'store'>,
): Promise<Map<string, FinishedNode>> {
  const found = new Map<string, FinishedNode>();
  for (const node of nodes) {
    if (!upstreamNames(node).every((name) => found.has(name))) continue;
    const keyed = await keyNode(node, (name) => found.get(name)!.action, ports);
    const action = findAction(ports.store, keyed.key);
    if (action !== undefined) found.set(node.name, { ...keyed, action });
  }
  return found;
}

/**
 * What a node that must be built has left.
 *
 * @param target whose build makes it
 * @throws ProblemError where it is not built
 */
export function builtNode(
  found: ReadonlyMap<string, FinishedNode>,
  name: string,
  blobs: BlobStore,
  target = name,
): { readonly action: Action; readonly output: Input } {
  const action = found.get(name)?.action;
  if (action !== undefined) return { action, output: readInput(action, blobs) };
  throw new ProblemError(
    { id: 'CJE-NOT-BUILT', headline: `${name} is not built`, hint: `cje build ${target}` },
    EXIT.failed,
  );
}

/** Why a recorded node is not good enough for this build, or undefined when it is. */
export function intolerable(
  node: GraphNode,
  shape: Kind['shape'],
  action: Pick<Action, 'summary'>,
): Incomplete | Mixed | undefined {
  if (shape !== 'calls') return undefined;
  if (missingShare(action.summary) <= node.tolerate) return mixed(node, action.summary);
  const { items } = action.summary;
  const lacking = lackingItems(action.summary);
  return { type: 'incomplete', lacking, items, tolerate: node.tolerate };
}

/** Snapshots of a model that the provider file wants to be one. */
function mixed({ served }: GraphNode, { calls }: Summary): Mixed | undefined {
  const tally = calls.find((each) => {
    const rule = ruleOf(served, each.identity, each.model);
    return rule?.oneSnapshot === true && snapshotsIn(each, rule).length > 1;
  });
  return tally === undefined ? undefined : { type: 'mixed', served: servedText(tally) ?? '' };
}

export function incompleteProblem(node: GraphNode, why: Incomplete | Mixed, { calls }: Summary): Problem {
  if (why.type === 'mixed') {
    return {
      id: 'CJE-SNAPSHOTS-MIXED',
      headline: `${node.name} is made of several snapshots: ${why.served}`,
      place: node.place,
      hint: 'pin a dated name under `model:` in the provider file, or take away `one_snapshot:` of the model',
    };
  }
  const served = calls.flatMap((tally) => servedText(tally) ?? []);
  const wrong = why.lacking.wrong_model !== undefined;
  return {
    id: 'CJE-INCOMPLETE',
    headline: `${node.name} is not complete enough: ${incompleteText(why)}`,
    ...(served.length === 0 ? {} : { facts: served.map((text): [string, string] => ['answered', text]) }),
    place: node.place,
    hint: wrong
      ? 'another model answered: `cje doctor` prints the line for the provider file if that is as it should be; then --retry-failed takes its replies as they are'
      : 'ask again for what failed with --retry-failed, or raise `tolerate:` of the stage',
  };
}
