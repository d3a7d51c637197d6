import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { holdToPlan } from '../../src/cli/held-plan.ts';
import { NOT_AGAIN } from '../../src/engine/again.ts';
import { makePlan } from '../../src/engine/plan/plan.ts';
import { savePlan } from '../../src/engine/plan/saved-plan.ts';
import { type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';

const folder = mkdtempSync(join(tmpdir(), 'cje-held-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'plan.json');

async function saved(): Promise<ToyWorld> {
  const world = toyWorld();
  savePlan(path, await makePlan(toyGraph(), ['last'], NOT_AGAIN, world.ports()));
  return world;
}
const held = (world: ToyWorld, graph = toyGraph(), targets = ['last']) =>
  holdToPlan({ graph, ports: world.ports() } as never, path, targets, NOT_AGAIN);

it('a plan that holds is no obstacle', async () => {
  await expect(held(await saved())).resolves.toBeUndefined();
});

it('a plan of which one thing has moved is not built, and says what it is', async () => {
  const world = await saved();
  world.code.count = '2';
  await expect(held(world)).rejects.toMatchObject({
    exit: 3,
    problems: [{ id: 'CJE-PLAN-CHANGED', facts: [[expect.any(String), expect.stringContaining('count')]] }],
  });
});

it('a plan of which much has moved says twelve things of it, and how many more', async () => {
  const world = await saved();
  const graph = toyGraph();
  const words = graph.nodes.get('words')!;
  const nodes = new Map(graph.nodes);
  for (let index = 0; index < 14; index++) nodes.set(`more/${index}`, { ...words, name: `more/${index}` });
  const targets = [...nodes.keys()];
  const problem = await held(world, { ...graph, nodes }, targets).then(
    () => undefined,
    (error: { readonly problems: readonly { readonly facts?: readonly unknown[] }[] }) => error.problems[0],
  );
  // Fourteen new nodes, and other targets.
  expect(problem?.facts).toHaveLength(13);
  expect(problem?.facts?.at(-1)).toEqual(['and', '3 more']);
});
