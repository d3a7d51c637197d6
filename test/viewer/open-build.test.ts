import { expect, it } from 'vitest';
import { buildSource, NOW, type PipelineSource } from '../../src/viewer/model/build-source.ts';
import { toyGraph, toyWorld } from '../helpers/toy.ts';
import { workshop } from '../store/support.ts';
import { nodeMaker, openStudy, studyBuild } from './study.ts';

const { folder, open } = workshop();

it('shows a file whole, or its beginning up to the limit', async () => {
  const build = await studyBuild(open(folder()));
  const name = build.nodes.find(({ outputs }) => outputs['rows.jsonl'] !== undefined)!.name;
  const whole = build.file(name, 'rows.jsonl', 1e9)!;
  expect(whole).toMatchObject({ cut: false, size: Buffer.byteLength(whole.text) });
  expect(build.file(name, 'rows.jsonl', 10)).toEqual({ text: whole.text.slice(0, 10), size: whole.size, cut: true });
  expect(build.file(name, 'rows.jsonl', whole.size)).toEqual(whole);
  expect([build.file(name, 'none', 10), build.file('none', 'rows.jsonl', 10)]).toEqual([undefined, undefined]);
});

it('shows the reports whose data are there', async () => {
  const store = open(folder());
  const node = nodeMaker(store);
  const report = await node('report', 'report', { rows: [], files: { 'data.json': '{"title":"mine"}' } });
  const other = await node('prompts', 'prompts', { rows: [], files: { 'data.json': '{"title":"none"}' } });
  const build = openStudy(store, [report, other]);
  expect(build.reports()).toEqual([{ node: 'report', data: { title: 'mine' } }]);
  store.blobs.remove(report.outputs['data.json']!.digest);
  expect(build.reports()).toEqual([]);
});

it('calls a judge that no dataset names by what its nodes are called, without their policies', async () => {
  const store = open(folder());
  const node = nodeMaker(store);
  const rows = [{ prompt_id: 'q0', prompt: 'How?', status: 'ok', response: 'So.', score: 0.5, variance: 0 }];
  const responses = await node('responses/p0', 'responses', { rows });
  const scores = (name: string) => node(name, 'scores', { rows, inputs: [['responses', '', 'responses/p0']] });
  const build = openStudy(store, [
    responses,
    await scores('scores/strict/p0'),
    await scores('ratings/p0'),
    await scores('votes/mild'),
  ]);
  const query = { text: '', only: 'all', a: undefined, b: undefined, scorer: undefined, order: undefined } as const;
  expect(build.items({ ...query, offset: 0, limit: 9 })?.scorers).toEqual(['strict', 'ratings', 'mild']);
});

async function sourceOfToys({ builds = 0, start }: { builds?: number; start?: string } = {}) {
  const world = toyWorld();
  for (let index = 0; index < builds; index++) await world.build(toyGraph({ words: ['one', `word${index}`] }));
  const state = { changed: false, reloads: 0, building: false };
  const openAnew = () => ({ graph: toyGraph(), ports: world.ports(), store: world.store });
  let opened = openAnew();
  const pipelines: PipelineSource = {
    current: () => opened,
    changed: () => state.changed,
    reload: async () => {
      state.reloads++;
      state.changed = false;
      opened = openAnew();
      return opened;
    },
    refresh: async () => {},
    building: () => (state.building ? { ...HOLDER } : undefined),
    progress: () => undefined,
    problem: () => undefined,
  };
  const ids = world.store.contents.builds.map(({ id }) => id);
  return { source: buildSource(pipelines, start), state, ids };
}
const HOLDER = { pid: 1, processStart: '', bootId: '', host: 'lab', command: 'cje build', since: 0 };

it('begins with the build that is asked for, else with the newest, else with what stands now', async () => {
  const { source, state, ids } = await sourceOfToys({ builds: 2 });
  expect(source.start()).toBe(ids[0]);
  state.building = true;
  expect(source.start()).toBe(NOW);
  expect((await sourceOfToys()).source.start()).toBe(NOW);
  expect((await sourceOfToys({ builds: 1, start: 'v1' })).source.start()).toBe('v1');
});

it('knows builds by their names, and what stands now by its own', async () => {
  const { source, ids } = await sourceOfToys({ builds: 2 });
  expect([NOW, 'last', 'last~1', 'last~2', ids[1]!].map((name) => source.resolve(name))).toEqual([
    NOW,
    ids[0],
    ids[1],
    undefined,
    ids[1],
  ]);
  expect(source.builds().map(({ id }) => id)).toEqual(ids);
  expect(await source.open('none')).toBeUndefined();
});

it('keeps three builds open, and opens all anew when the files of the pipeline changed', async () => {
  const { source, state, ids } = await sourceOfToys({ builds: 4 });
  const [first] = [await source.open(ids[0]!), await source.open(ids[1]!), await source.open(ids[2]!)];
  expect(first?.record?.id).toBe(ids[0]);
  expect(await source.open(ids[0]!)).toBe(first);
  await source.open(ids[3]!);
  const again = await source.open(ids[0]!);
  expect(again).not.toBe(first);
  const now = await source.open(NOW);
  expect(now).toMatchObject({ id: NOW, record: undefined });
  expect(await source.open(NOW)).toBe(now);
  state.changed = true;
  expect(await source.open(NOW)).not.toBe(now);
  expect(state.reloads).toBe(1);
  expect(await source.open(ids[0]!)).not.toBe(again);
});
