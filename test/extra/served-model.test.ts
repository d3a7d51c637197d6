/** Replies of another model than the one that was asked: refused and told by name, accepted where the file says so. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ForkedServer, forkServer } from '../helpers/forked.ts';
import { writeLab, writeProviders } from '../helpers/lab.ts';
import { type Event, emptyProject, type Project, type Ran, removeProject } from '../helpers/project.ts';

let project: Project;
let server: ForkedServer;

beforeEach(() => {
  project = emptyProject();
});
afterEach(() => {
  server?.stop();
  removeProject(project);
});

const of = (ran: Ran, type: string, node?: string): Event[] =>
  ran.events.filter((event) => event.type === type && (node === undefined || event.node === node));
const notes = (ran: Ran) => of(ran, 'note').map(({ text }) => text as string);
const requests = async () => ((await server.tell('bill')) as { requests: number }).requests;

it('refuses the replies of another model, says its name everywhere, and takes the line that the doctor prints', async () => {
  server = await forkServer(project, 'openai', { names: ['m', 'cheap-mini-q4'] });
  writeLab(project, { url: server.url, judgeOnly: true, items: 8 });

  const first = project.build('--yes');
  expect(first.stderr).toBe('');
  expect(first.finished).toMatchObject({ exit: 1, calls: { failed: 4 } });
  expect(first.finished.cost.billed).toBeCloseTo(8 * (20 + 5 * 4) * 1e-6, 12);
  const told = '4 of 8 replies say cheap-mini-q4 (refused), asked m';
  const [scores] = of(first, 'node-finished', 'scores');
  expect(scores).toMatchObject({ outcome: 'failed', summary: { statuses: { ok: 4, wrong_model: 4 } } });
  expect(scores!.summary.calls[0].served).toEqual([
    { name: 'cheap-mini-q4', replies: 4, refused: 4 },
    { name: 'm', replies: 4 },
  ]);
  expect(notes(first)).toContain(`scores: ${told}`);
  const [problem] = of(first, 'problem');
  expect(problem!.problem).toMatchObject({ id: 'CJE-INCOMPLETE', facts: [['answered', told]] });
  expect(problem!.problem.hint).toContain('cje doctor');
  expect(project.run('status').stdout).toContain(told);
  expect(project.run('status', '--failures').stdout).toContain(
    'wrong_model: the reply says cheap-mini-q4, asked for m',
  );
  expect(project.run('build', '--yes').stderr).toContain(told);

  await server.tell({ names: ['cheap-mini-q4'] });
  const doctor = project.run('doctor', '--yes');
  expect(doctor.stdout).toContain('answers_as: ["cheap-mini-q4"]');

  // What was refused is paid for, so it is read and not bought again.
  const before = await requests();
  writeProviders(project, { url: server.url, model: 'answers_as: [cheap-mini-q4]' });
  const second = project.build('--yes', '--retry-failed');
  expect(second.finished).toMatchObject({ exit: 0, calls: { bought: 0, failed: 0 } });
  expect((await requests()) - before).toBe(0);
  expect(notes(second)).toEqual([]);
  expect(project.run('diff').stdout).toMatch(/Which model answered:\n {2}scores: .*cheap-mini-q4, asked m\n/);
  expect(project.build('--yes').finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
});

it('takes any model where the file says to note it, and notes what an earlier version kept', async () => {
  server = await forkServer(project, 'openai', { names: ['cheap', 'm'] });
  writeLab(project, { url: server.url, model: 'model_mismatch: note', judgeOnly: true, items: 4 });
  const noted = project.build('--yes');
  expect(noted.finished).toMatchObject({ exit: 0, calls: { bought: 8, failed: 0 } });
  expect(notes(noted)).toContain('scores: 2 of 4 replies say cheap, asked m');

  // What is kept is read as it was, whatever the file says now: no reply is refused afterwards, and none bought.
  writeProviders(project, { url: server.url });
  const forced = project.build('--yes', '--force', 'scores');
  expect(forced.finished).toMatchObject({ exit: 0, calls: { bought: 0 } });
  expect(notes(forced)).toContain('scores: 2 of 4 replies say cheap, asked m');
});

it('shows the snapshot that served, and tells two of them in one node, or fails where one is wanted', async () => {
  server = await forkServer(project, 'openai', { names: ['ORG/m-2024-05'] });
  writeLab(project, { url: server.url, judgeOnly: true, items: 4 });
  const one = project.build('--yes');
  expect(one.finished).toMatchObject({ exit: 0 });
  expect(notes(one)).toEqual([]);
  expect(project.run('status').stdout).toContain('4 of 4 replies say ORG/m-2024-05, asked m');

  await server.tell({ names: ['m-2024-05', 'm-2025-11'] });
  project.edit('judge.md', 'Rate from', 'Rate it from');
  const two = project.build('--yes');
  expect(two.finished).toMatchObject({ exit: 0 });
  const told = '2 of 4 replies say m-2024-05, 2 say m-2025-11, asked m';
  expect(notes(two)).toContain(`scores: ${told}: answers of several snapshots are mixed`);

  writeProviders(project, { url: server.url, model: 'one_snapshot: true' });
  const strict = project.build('--yes');
  expect(strict.finished).toMatchObject({ exit: 1, calls: { bought: 0 } });
  expect(of(strict, 'problem')[0]!.problem).toMatchObject({
    id: 'CJE-SNAPSHOTS-MIXED',
    headline: `scores is made of several snapshots: ${told}`,
  });
  expect(project.run('status').stdout).toContain('incomplete');
});

it('asks nothing of a server that names no model', async () => {
  server = await forkServer(project, 'openai', { names: [null] });
  writeLab(project, { url: server.url, items: 3 });
  const built = project.build('--yes');
  expect(built.finished).toMatchObject({ exit: 0, calls: { bought: 6, failed: 0 } });
  expect(of(built, 'node-finished', 'scores')[0]!.summary.calls[0]).not.toHaveProperty('served');
});
