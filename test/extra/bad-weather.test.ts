/** `cje simulate --faults`: an experiment of the real command against a server that fails by rate. */

import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Project, removeProject, shippedProject } from '../helpers/project.ts';

let project: Project;
let server: ReturnType<Project['start']> | undefined;

beforeEach(() => {
  project = shippedProject({ samples: 12 });
});
afterEach(async () => {
  await stop();
  removeProject(project);
});

async function stop(): Promise<void> {
  if (server === undefined) return;
  server.kill('SIGINT');
  await once(server, 'exit');
  server = undefined;
}

async function serve(faults: string): Promise<{ readonly url: string; readonly identity: string }> {
  project.write('faults.yaml', faults);
  server = project.start(['simulate', '--json', '--faults', 'faults.yaml']);
  const [line] = (await once(server.stdout!, 'data')) as [Buffer];
  return JSON.parse(String(line)) as { url: string; identity: string };
}

it('meets the same weather again, types what it meets, and is fair where nothing is drawn', async () => {
  const fair = project.build('responses/p0');
  expect(fair.finished).toMatchObject({ exit: 0, calls: { bought: 12 } });

  const faults =
    'seed: 3\nmodels:\n  sim-base: { content_filter: 0.2, wrong_model: 0.2, status_500: 0.1, length: 0.1 }\n';
  const { url, identity } = await serve(faults);
  const own = `type: openai\n    base_url: ${url}\n    identity: '${identity}'`;
  project.edit('configs/providers/simulator.yaml', 'type: simulator', own);
  // What was bought in fair weather is there under the same keys: the world and its identity are the same.
  expect(project.build('responses/p0', '--yes').finished).toMatchObject({ exit: 0, nodes: { run: 0 } });

  const foul = () => {
    rmSync(join(project.folder, '.cache'), { recursive: true });
    const ran = project.build('responses/p0', '--yes', '--set', 'samples=40', '--set', 'tolerate=0.9');
    const node = ran.events.find(({ type, node: name }) => type === 'node-finished' && name === 'responses/p0');
    expect(ran.finished.exit).toBe(0);
    return { ran, rows: project.read('out/responses/p0/rows.jsonl'), statuses: node!.summary.statuses };
  };
  const first = foul();
  expect(first.statuses.filtered).toBeGreaterThan(0);
  expect(first.statuses.wrong_model).toBeGreaterThan(0);
  const retries = first.ran.events.filter(({ type }) => type === 'call-retry');
  expect(new Set(retries.map(({ failure }) => failure.reason))).toEqual(new Set(['server_error']));

  await stop();
  const again = await serve(faults);
  project.edit('configs/providers/simulator.yaml', url, again.url);
  expect(foul().rows).toBe(first.rows);
});

it('refuses a file with mistakes, each at its line', () => {
  project.write('faults.yaml', 'seed: 1\nmodels:\n  sim-bse: {}\n  sim-base:\n    empty_txt: 0.1\n    reset: 2\n');
  const ran = project.run('simulate', '--faults', 'faults.yaml');
  expect(ran.exit).toBe(2);
  expect(ran.stderr).toContain('faults.yaml:3:3');
  expect(ran.stderr).toContain('Known: sim-large, sim-oracle, *.');
  expect(ran.stderr).toContain('faults.yaml:5:5');
  expect(ran.stderr).toContain("Did you mean 'empty_text'?");
  expect(ran.stderr).toContain('faults.yaml:6:12');
  expect(ran.stderr.match(/^error: /gm)).toHaveLength(3);
  const absent = project.run('simulate', '--faults', 'fault.yaml');
  expect(absent.exit).toBe(2);
  expect(absent.stderr).toContain("'fault.yaml' does not exist");
});
