/** A server that refuses a JSON schema: the doctor finds the line that works, and the pipeline builds with it. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ForkedServer, forkServer } from '../helpers/forked.ts';
import { writeLab, writeProviders } from '../helpers/lab.ts';
import { emptyProject, type Project, removeProject } from '../helpers/project.ts';

let project: Project;
let server: ForkedServer;

beforeEach(() => {
  project = emptyProject();
});
afterEach(() => {
  server.stop();
  removeProject(project);
});

it.each([
  ['object', ['json_object'], 'json_object'],
  ['none', [], 'none'],
])('json: %s', async (json, formats, asked) => {
  server = await forkServer(project, 'openai', { formats });
  writeLab(project, { url: server.url, judgeOnly: true, items: 3 });
  const refused = project.build('--yes');
  expect(refused.finished.exit).toBe(1);

  const doctor = project.run('doctor', '--yes');
  expect(doctor.exit).toBe(1);
  expect(doctor.stdout).toContain('This response_format type is unavailable now');
  expect(doctor.stdout).toContain(`models:\n    lab:\n      json: ${json}\n`);

  writeProviders(project, { url: server.url, model: `json: ${json}` });
  expect(project.run('doctor', '--yes').exit).toBe(0);
  const built = project.build('--yes');
  expect(built.finished).toMatchObject({ exit: 0, calls: { bought: 3, failed: 0 } });
  const { formats: seen } = (await server.tell('bill')) as { formats: string[] };
  expect(seen.slice(-3)).toEqual([asked, asked, asked]);
});
