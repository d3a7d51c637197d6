/** How calls are bought: what the user asks for, as far as the provider can. No part of a key. */

import type { BatchSettings, Lane } from '../core/batch.ts';
import type { KeyedCall } from '../core/call.ts';
import type { Graph } from '../core/graph.ts';
import type { Protocols } from '../core/protocol.ts';

interface Lanes {
  /** How a call of a node is bought. */
  laneOf(node: string, call: Pick<KeyedCall, 'request'>): Lane;
  /** Whether a call could be bought in a batch, whatever was asked for. */
  canBatch(call: Pick<KeyedCall, 'request'>): boolean;
}

/** @param asked of the command line: it goes before the stage's lane, the model's and the profile's. */
export function lanesOf(
  graph: Pick<Graph, 'nodes' | 'providers' | 'lane' | 'modelLanes'>,
  protocols: Protocols,
  asked: Lane | undefined,
): Lanes {
  const batches = new Map<string, BatchSettings>();
  for (const { identity, batch } of graph.providers) if (batch !== undefined) batches.set(identity, batch);
  const models = new Map((graph.modelLanes ?? []).map(({ identity, model, lane }) => [`${identity}\n${model}`, lane]));

  const canBatch: Lanes['canBatch'] = ({ request: { identity, path, body } }) => {
    const settings = batches.get(identity);
    if (settings === undefined) return false;
    const protocol = protocols(path);
    return protocol.batches.includes(settings.api) && (settings.echo || !protocol.echoes(body));
  };
  const wanted = (node: string, { identity, path, body }: KeyedCall['request']): Lane =>
    asked ??
    graph.nodes.get(node)?.lane ??
    (models.size === 0 ? undefined : models.get(`${identity}\n${protocols(path).modelOf(body)}`)) ??
    graph.lane ??
    'online';
  return {
    canBatch,
    laneOf: (node, call) => (wanted(node, call.request) === 'batch' && canBatch(call) ? 'batch' : 'online'),
  };
}
