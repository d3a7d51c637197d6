/** The shipped experiment in this very process: the real store, the simulated world without its server. */

import { cpSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Graph } from '../../src/core/graph.ts';
import type { Kinds } from '../../src/core/kind.ts';
import type { ProviderClient } from '../../src/core/provider-port.ts';
import { build } from '../../src/engine/build/build.ts';
import type { Ports } from '../../src/engine/ports.ts';
import { loadPipeline } from '../../src/pipeline/load.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { answer, createWorld } from '../../src/simulator/world/index.ts';
import type { LocalStore } from '../../src/store/store.ts';
import { folderOf, simulatorIdentity } from '../pipeline/fixture.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SMALL = { samples: '12', ablations: '[direct, ips]', scorers: '[deterministic]' };

/** The shipped pipeline, small, after an edit of its text. @throws ProblemError for its mistakes */
export function shippedGraph(kinds: Kinds, edit: (pipeline: string) => string = (text) => text): Graph {
  const folder = folderOf({ 'pipeline.yaml': edit(readFileSync(join(ROOT, 'pipeline.yaml'), 'utf8')) });
  cpSync(join(ROOT, 'configs'), join(folder, 'configs'), { recursive: true });
  return loadPipeline({
    file: 'pipeline.yaml',
    cwd: folder,
    set: Object.entries(SMALL),
    kinds: new Map([...kinds].map(([name, { kind }]) => [name, kind])),
    simulatorIdentity,
  });
}

const world = createWorld();
const buyer: ProviderClient = {
  async buy(order, { admit }) {
    const { path, body, key } = order;
    const permit = await admit(order, 1);
    if ('class' in permit) return { ok: false, failure: permit };
    const { body: reply } = answer(world, path, JSON.parse(body), key);
    const { usage } = reply as { usage: { prompt_tokens: number; completion_tokens: number } };
    const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage;
    const counted = { inputTokens, cachedInputTokens: 0, outputTokens };
    permit.settle({ billed: counted });
    return { ok: true, raw: JSON.stringify(reply), usage: counted };
  },
  concurrency: () => 8,
  close: async () => {},
};

export function simulatedPorts(graph: Graph, kinds: Kinds, store: LocalStore): Ports {
  let clock = Date.UTC(2026, 0);
  return {
    kinds,
    store,
    sources: {
      digest: () => Promise.reject(new Error('the simulated world has its own prompts')),
      read: () => Promise.reject(new Error('the simulated world has its own prompts')),
    },
    buyer: async () => buyer,
    prices: createPriceBook(graph.prices, graph.providers),
    protocols: protocolAt,
    out: { sync: async () => {} },
    now: () => ++clock,
    emit: () => {},
    buildId: () => `build-${[...store.builds.list()].length}`,
  };
}

const never = new AbortController().signal;
export const BUILD_OPTIONS = {
  jobs: 8,
  onFailure: 'stop-new' as const,
  force: new Set<string>(),
  offline: false,
  retryFailed: false,
  limits: { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined },
  command: 'cje build',
  interrupt: never,
  kill: never,
  named: new Set<string>(),
};

/** Builds targets, all of which must be finished. */
export async function simulatedBuild(graph: Graph, targets: readonly string[], ports: Ports) {
  const outcome = await build(graph, targets, BUILD_OPTIONS, ports);
  for (const [node, { action }] of outcome.results)
    if (action === undefined) throw new Error(`${node} is not finished`);
  return outcome;
}
