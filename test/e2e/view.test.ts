import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Event, type Project, removeProject, shippedProject } from '../helpers/project.ts';

const KEY = 'sk-a-key-that-no-page-may-hold';

let project: Project;
let viewer: ReturnType<Project['start']>;
let lines: AsyncIterator<string>;
let events: Event[];
let root: string;

const nextEvent = async (): Promise<Event> => JSON.parse((await lines.next()).value ?? '{"type":"none"}') as Event;
const page = async (path: string) => {
  const answer = await fetch(new URL(path, root), { headers: { connection: 'close' } });
  return { status: answer.status, path: answer.url.slice(root.length - 1), text: await answer.text() };
};

beforeAll(async () => {
  project = shippedProject({ samples: 12 });
  expect(project.build('ablations').exit).toBe(0);
  project.edit('configs/judges/deterministic.md', 'Use the whole scale', 'Use all of the scale');
  expect(project.build('ablations').exit).toBe(0);
  const variables = { OPENAI_API_KEY: KEY, FIREWORKS_API_KEY: KEY, HF_TOKEN: KEY };
  viewer = project.start(['view', '--json'], variables);
  lines = createInterface({ input: viewer.stdout! })[Symbol.asyncIterator]();
  events = [await nextEvent(), await nextEvent()];
  root = events[1]!.url;
});
afterAll(() => {
  viewer?.kill('SIGKILL');
  removeProject(project);
});

describe('cje view', () => {
  it('says where it listens', () => {
    expect(events).toMatchObject([
      { type: 'started', version: 2, experiment: 'arena-10k-oracle', profile: 'sim', targets: ['ablations'] },
      { type: 'listening', version: 1 },
    ]);
    expect(root).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  });

  it('begins with the newest build and its ranking', async () => {
    const { path, text } = await page('/');
    const { build } = project.run('log', '--json').events.map(({ id }) => ({ build: id as string }))[0]!;
    expect(path).toBe(`/build/${build}`);
    expect(text).toContain('<h2>Ranking</h2>');
    expect(text).toMatch(/refused: [a-z-]+/);
    expect(text).toContain('role="img"');
  });

  it('shows an item as `cje show` knows it: request, raw reply, what was read, cost and model', async () => {
    const shown = project.run('show', 'scores/uncertainty/pi_bad', '3', '--json').events[0]!;
    const { text } = await page(`/build/last/calls/scores/uncertainty/pi_bad?item=${shown.item}`);
    const [call] = shown.calls;
    expect(text).toContain(call.key);
    expect(text).toContain(`by ${call.bought.node}`);
    expect(text).toContain(call.bought.model);
    const plain = text.replace(/&quot;/g, '"');
    expect(plain).toContain(JSON.parse(call.raw).choices[0].message.content);
    expect(plain).toContain(`"score": ${shown.row.score}`);
    expect(plain).toContain(JSON.parse(call.raw).id);
  });

  it('compares two builds as `cje diff` does', async () => {
    const { text } = await page('/compare?before=last~1&after=last');
    const difference = project.run('diff', '--json').events[0]!;
    const [change] = difference.scores.changes;
    expect(text).toContain(`<ins>+`);
    expect(text).toContain('Use all of the scale');
    expect(text).toContain(change.agreement.meanAfter.toFixed(3));
    expect(text).toContain(`${difference.estimates.unchanged} are unchanged`);
  });

  it('shows an edit at once, in what stands now', async () => {
    expect((await page('/build/now/node/scores/deterministic/pi_cot')).text).toContain('<span class="state done">');
    project.edit('configs/judges/deterministic.md', 'Use all of the scale', 'Use every part of the scale');
    const { text } = await page('/build/now/node/scores/deterministic/pi_cot');
    expect(text).toContain('<span class="state stale">');
    expect(text).toContain('judge prompt changed');
    project.edit('configs/judges/deterministic.md', 'Use every part of the scale', 'Use all of the scale');
    expect((await page('/build/now/node/scores/deterministic/pi_cot')).text).toContain('<span class="state done">');
  });

  it('has no link that leads nowhere, and no page that holds a key', async () => {
    // One page of each sort, and every link on them.
    const wanted = ['/', '/builds', '/build/now/graph', '/build/last/items', '/build/last/item?id=sim_3'];
    const seen = new Set<string>();
    const visit = async (path: string): Promise<string> => {
      const { status, text } = await page(path);
      expect([path, status]).toEqual([path, 200]);
      expect(text.includes(KEY), path).toBe(false);
      return text;
    };
    for (const start of wanted) {
      for (const [, href] of (await visit(start)).matchAll(/href="([^"#]+)/g)) seen.add(href!.replace(/&amp;/g, '&'));
    }
    expect(seen.size).toBeGreaterThan(100);
    for (const path of seen) await visit(path);
  });

  it('complains of a port that is none, and of a build that is not there', () => {
    expect(project.run('view', '--port', 'x')).toMatchObject({ exit: 2 });
    expect(project.run('view', '--port', '70000').stderr).toContain('--port takes a number from 0 to 65535');
    expect(project.run('view', '--build', 'nothing').stderr).toContain('there is no build "nothing"');
  });

  it('ends by Ctrl-C with 0, and leaves a build that has nothing to do', async () => {
    viewer.kill('SIGINT');
    const [exit] = await once(viewer, 'exit');
    expect(exit).toBe(0);
    expect(await nextEvent()).toMatchObject({ type: 'finished', exit: 0, build: null });
    const { finished } = project.build('ablations');
    expect(finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0, cached: 0 } });
  });
});
