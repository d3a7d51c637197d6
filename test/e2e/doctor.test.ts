/** `cje doctor` on the simulated experiment, and over HTTP on servers that differ from a good one. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Event, type Project, removeProject, shippedProject } from '../helpers/project.ts';

const KEY = 'sk-very-secret-0123456789';
const servers: ChildProcess[] = [];
let project: Project;

beforeEach(() => {
  project = shippedProject({ samples: 3 });
  process.env.LAB_KEY = KEY;
});
afterEach(() => {
  for (const server of servers.splice(0)) server.kill();
  delete process.env.LAB_KEY;
  removeProject(project);
});

/** Serves the world over HTTP, and points the hosted profiles at it. */
async function serve(...quirks: string[]): Promise<void> {
  const server = project.start(['simulate', '--json', ...quirks.flatMap((quirk) => ['--quirk', quirk])]);
  servers.push(server);
  const [line] = (await once(server.stdout!, 'data')) as [Buffer];
  const { url } = JSON.parse(String(line)) as { url: string };
  project.write(
    'configs/providers/hosted.yaml',
    `providers:
  lab: { type: openai, base_url: "${url}", key: LAB_KEY, concurrency: 4 }
  spare: { type: openai, base_url: "http://127.0.0.1:1/v1", key: SPARE_KEY }
models:
  scout: { provider: lab, model: sim-base, template: llama4 }
  maverick:
    provider: lab
    model: sim-large
    template: llama4
  judge: { provider: lab, model: sim-base }
  oracle: { provider: lab, model: sim-oracle }
prices: configs/prices.yaml
`,
  );
}

const models = (events: readonly Event[]) => events.filter(({ type }) => type === 'model-checked');

it('finds the simulator sound, keeps nothing, and leaves a build what it was', () => {
  const { exit, stdout, stderr } = project.run('doctor');
  expect(stderr).toBe('');
  expect(exit).toBe(0);
  expect(stdout).toContain('simulated: nothing is charged');
  expect(stdout).toContain('ok          scout, maverick, judge, oracle');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  expect(existsSync(join(project.folder, '.cache'))).toBe(false);

  const capped = project.run('doctor', '--max-cost', '0.00001', '--json');
  expect(capped.finished).toMatchObject({ exit: 3, calls: { bought: 0 } });
  // An oracle that is switched off needs no model.
  const off = project.run('doctor', '--json', '--set', 'oracle=off');
  expect(models(off.events).flatMap(({ aliases }) => aliases)).toEqual(['scout', 'maverick', 'judge']);

  expect(project.build('responses/p0').finished).toMatchObject({ exit: 0, calls: { bought: 3 } });
  expect(project.build('responses/p0').finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
});

it('says which lines mend a server that refuses 0 and begins no text, and is content with them', async () => {
  await serve('echo-needs-token', 'no-bos', 'rate-limits', 'no-listing', 'alias');
  const { exit, stdout } = project.run('doctor', '--profile', 'test');
  expect(exit).toBe(1);
  expect(stdout).toContain('would fail  scout, maverick\n');
  expect(stdout).toContain('not needed  spare\n');
  const lines = /says:\n\n((?: {2}.*\n)+)/.exec(stdout)![1]!;
  expect(lines.replace(/^ {2}/gm, '')).toBe(`providers:
  lab:
    requests_per_minute: 3000
    tokens_per_minute: 900000
models:
  scout:
    echo_tokens: 1
    bos: prompt
    forcing: ids
  maverick:
    echo_tokens: 1
    bos: prompt
    forcing: ids
`);
  const file = 'configs/providers/hosted.yaml';
  project.edit(
    file,
    'model: sim-base, template: llama4 ',
    'model: sim-base, template: llama4, echo_tokens: 1, bos: prompt, forcing: ids ',
  );
  project.edit(
    file,
    '    template: llama4\n',
    '    template: llama4\n    echo_tokens: 1\n    bos: prompt\n    forcing: ids\n',
  );
  project.edit(file, 'concurrency: 4', 'concurrency: 4, requests_per_minute: 3000, tokens_per_minute: 900000');

  const mended = project.run('doctor', '--profile', 'test', '--json');
  expect(mended.exit).toBe(0);
  expect(mended.events[0]).toMatchObject({ type: 'started', version: 2, profile: 'test' });
  expect(mended.events[1]).toMatchObject({ type: 'probes-planned', simulated: false });
  expect(mended.finished).toMatchObject({ type: 'finished', exit: 0, calls: { failed: 0 } });
  expect(mended.finished.calls.bought).toBeLessThanOrEqual(mended.events[1]!.calls);
  expect(mended.finished.cost.billed).toBeLessThanOrEqual(mended.events[1]!.dollars);
  expect(
    models(mended.events).every(({ verdict, settings }) => verdict === 'ok' && Object.keys(settings).length === 0),
  ).toBe(true);

  // The experiment, which a failing echo would have stopped, now builds on that server.
  const forced = [
    'logprobs/p0',
    '--profile',
    'test',
    '--set',
    'prompts_source=simulated',
    '--set',
    'samples=3',
    '--set',
    'prompts_sha256=null',
  ];
  expect(project.build(...forced).finished).toMatchObject({ exit: 0, calls: { bought: 6, failed: 0 } });
  expect(project.build(...forced).finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
});

it('never shows the credential, whatever the server makes of it', async () => {
  await serve('unauthorised');
  for (const more of [[], ['--json']]) {
    const { exit, stdout, stderr } = project.run('doctor', '--profile', 'test', ...more);
    expect(exit).toBe(1);
    expect(stdout).toContain('[credential]');
    for (const text of [stdout, stderr]) expect(text).not.toMatch(/sk-very|0123456789/);
  }
  delete process.env.LAB_KEY;
  const without = project.run('doctor', '--profile', 'test');
  expect(without.exit).toBe(1);
  expect(without.stdout).toContain('LAB_KEY is not set');
  expect(without.stdout).toContain('0 calls, $0');
});

it('knows its providers', () => {
  const { exit, stderr } = project.run('doctor', '--profile', 'test', 'firewroks');
  expect(exit).toBe(2);
  expect(stderr).toContain('did you mean fireworks?');
  const real = project.run('doctor', '--profile', 'test', '--context', '1000000', '--json');
  expect(real.finished).toMatchObject({ exit: 3, calls: { bought: 0 } });
  expect(project.run('simulate', '--quirk', 'deaf').stderr).toContain('no-echo');
});
