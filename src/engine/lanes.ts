/** How calls are bought: what the user asks for, as far as the provider can. No part of a key. */

import type { BatchSettings, Lane } from '../core/batch.ts';
import type { KeyedCall } from '../core/call.ts';
import type { Graph } from '../core/graph.ts';
import type { Protocols } from '../core/protocol.ts';

/** @param echoes whether the log probabilities of the prompt are asked for */
export type CanBatch = (identity: string, path: string, echoes: boolean) => boolean;

/** Of whoever makes no batches. */
export const NO_BATCHES: CanBatch = () => false;

interface Lanes {
  /** How a call of a node is bought. */
  laneOf(node: string, call: Pick<KeyedCall, 'request'>): Lane;
  /** Whether such calls can be bought in a batch, whatever was asked for. */
  readonly canBatch: CanBatch;
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

  const canBatch: CanBatch = (identity, path, echoes) => {
    const settings = batches.get(identity);
    return settings !== undefined && protocols(path).batches.includes(settings.api) && (settings.echo || !echoes);
  };
  const wanted = (node: string, { identity, path, body }: KeyedCall['request']): Lane =>
    asked ??
    graph.nodes.get(node)?.lane ??
    (models.size === 0 ? undefined : models.get(`${identity}\n${protocols(path).modelOf(body)}`)) ??
    graph.lane ??
    'online';
  return {
    canBatch,
    laneOf(node, { request }) {
      const { identity, path, body } = request;
      if (wanted(node, request) === 'online') return 'online';
      return canBatch(identity, path, protocols(path).echoes(body)) ? 'batch' : 'online';
    },
  };
}
