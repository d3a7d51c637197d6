/** Prices that the experiment's own table lacks come from a library, where it knows the address of the provider. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ForkedServer, forkServer } from '../helpers/forked.ts';
import { type LabOptions, writeLab, writeProviders } from '../helpers/lab.ts';
import { emptyProject, type Project, removeProject } from '../helpers/project.ts';

let project: Project;
let server: ForkedServer;

beforeEach(async () => {
  project = emptyProject();
  server = await forkServer(project, 'openai', { base: '/v1' });
});
afterEach(() => {
  server.stop();
  removeProject(project);
});

const AZURE: LabOptions = { url: 'http://lab.openai.azure.com', name: 'gpt-4o', judgeOnly: true, items: 4 };
const OWN = 'date: 2026-01-01\nmodels:\n  sim-base: { input: 0, output: 0 }\n';
const run = (...args: string[]) => project.runWith({ HTTP_PROXY: server.url }, ...args);
const READ = '$2.50 in, $10.00 out for a million tokens (genai-prices 0.1.8, 2026-09-23)';

it('bills by the library, with a table of its own or without, and the own table wins', () => {
  writeLab(project, { ...AZURE, prices: OWN });
  const doctor = run('doctor', '--yes').stdout;
  expect(doctor).toContain(READ);
  expect(doctor).toContain(`proxy       through ${server.url}, as the environment says`);
  const built = run('build', '--yes', '--json');
  expect(built.stderr).toBe('');
  expect(built.finished).toMatchObject({ exit: 0, calls: { bought: 8 } });
  expect(built.finished.cost.billed).toBeCloseTo((4 * (20 * 2.5 + 5 * 10)) / 1e6, 12);

  // Without a table nothing is free but the simulator's own.
  writeProviders(project, { ...AZURE, prices: '' });
  expect(run('doctor', 'lab', '--yes').stdout).toContain(READ);

  writeProviders(project, AZURE);
  project.write('prices.yaml', `${OWN}  lab/gpt-4o: { input: 1, output: 2 }\n`);
  expect(run('doctor', '--yes').stdout).toContain('$1.00 in, $2.00 out for a million tokens\n');
  expect(run('log', '--cost').exit).toBe(0);
});

it('knows no price of a server of one’s own, whatever its models are called', () => {
  writeLab(project, { ...AZURE, url: server.url, prices: OWN });
  const built = run('build', '--yes', '--json');
  expect(built.finished.exit).not.toBe(0);
  expect(built.finished.calls.bought).toBe(0);
});
