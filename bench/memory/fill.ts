/**
 * Fills a cache with the simulated world's answers to every request of the `responses` nodes, without HTTP: the store
 * and the requests are the real ones, only the way of the reply is shorter. Run in the project's folder.
 */

import { openSession } from '../../src/cli/compose.ts';
import { NO_USAGE } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { CallsKind } from '../../src/core/kind.ts';
import { keyCall } from '../../src/engine/keys.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { answer, createWorld } from '../../src/simulator/world/index.ts';

const AT_ONCE = 2_000;

const session = await openSession({
  file: 'pipeline.yaml',
  profile: undefined,
  set: [],
  readOnly: false,
  emit: () => {},
  bundle: new URL('.', import.meta.url),
});
const { graph, kinds, store } = session;
const prompts = process.argv[2] ?? 'prompts.jsonl';
const { readFileSync } = await import('node:fs');
const items = readFileSync(prompts, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as JsonObject);
const world = createWorld();
for (const node of graph.nodes.values()) {
  if (node.stage !== 'responses') continue;
  const kind = kinds.get(node.kind)!.kind as CallsKind<unknown, unknown>;
  let puts: Promise<void>[] = [];
  for (const item of items) {
    const step = kind.row(item, node.params).next();
    if (step.done) continue;
    const { key, text, request } = keyCall(step.value);
    if (store.calls.get(key) !== undefined) continue;
    const { body } = answer(world, request.path, request.body, key);
    const usage = protocolAt(request.path).usageOf(body as JsonObject) ?? NO_USAGE;
    const { identity } = request;
    const model = String(request.body.model);
    const call = {
      request: text,
      raw: JSON.stringify(body),
      usage,
      model,
      identity,
      cost: 0,
      boughtAt: 0,
      node: node.name,
    };
    puts.push(store.calls.put(key, call));
    if (puts.length < AT_ONCE) continue;
    await Promise.all(puts);
    puts = [];
  }
  await Promise.all(puts);
  console.log(`${node.name}: ${store.calls.count().toLocaleString('en')} replies in the store`);
}
await session.close();
