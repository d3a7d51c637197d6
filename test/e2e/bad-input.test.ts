/** Bad input: each mistake has its exit code and a message that a person can act on, and buys nothing. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Project, removeProject, shippedProject } from '../helpers/project.ts';

let project: Project;
beforeEach(() => {
  project = shippedProject({ samples: 10 });
});
afterEach(() => removeProject(project));

/** Runs a build that must fail with exit 2 and say all of `parts`. */
function complains(parts: (string | RegExp)[], ...args: string[]): void {
  const { exit, stderr } = project.run('build', ...args);
  for (const part of parts)
    expect(stderr).toMatch(part instanceof RegExp ? part : new RegExp(part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  expect(exit).toBe(2);
}

describe('a mistake in the arguments', () => {
  it('is told as events where events are asked for', () => {
    const { exit, stdout, stderr } = project.run('build', '--json', '--joobs');
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ type }) => type)).toEqual(['started', 'problem', 'finished']);
    expect(events.at(-1)).toMatchObject({ exit: 2, build: null });
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: '' });
  });

  it.each(['0', '1.5'])('--jobs %s', (jobs) => complains(['--jobs takes a'], '--jobs', jobs));
});

describe('a mistake in the pipeline', () => {
  it('in the name of an input: file, line, column, caret and the nearest name', () => {
    project.edit('pipeline.yaml', 'responses: responses/p0', 'responses: respnses/p0');
    complains([/pipeline\.yaml:\d+:\d+/, 'respnses/p0', '^', /did you mean.*responses/i]);
  });

  it('in the name of a kind', () => {
    project.edit('pipeline.yaml', 'kind: scores', 'kind: scroes');
    complains(['scroes', /pipeline\.yaml:\d+:\d+/, /did you mean.*scores/i]);
  });

  it('a wire that does not fit, and closes a circle: one mistake', () => {
    project.edit(
      'pipeline.yaml',
      /inputs: \{ ?prompts: prompts ?\}|prompts: prompts/.exec(project.read('pipeline.yaml'))![0],
      'prompts: ablations',
    );
    complains([/takes 'prompts', and the stage 'ablations' makes 'report'/]);
    expect(project.run('build').stderr).not.toContain('circle');
  });

  it('two nodes with one name', () => {
    project.edit('pipeline.yaml', 'policies: [p0, pi_clone', 'policies: [p0, p0, pi_clone');
    complains([/p0/, /twice|two|same|already/i]);
  });

  it('an undefined variable', () => {
    project.edit('pipeline.yaml', '${samples}', '${sampels}');
    complains(['sampels', /did you mean.*samples/i]);
  });

  it('a config file that is not there', () => {
    project.edit('pipeline.yaml', 'configs/judges/${scorer}.yaml', 'configs/judge/${scorer}.yaml');
    complains(['configs/judge/deterministic.yaml', /pipeline\.yaml:\d+:\d+/]);
  });

  it('several at once are reported at once', () => {
    project.edit('pipeline.yaml', 'kind: scores', 'kind: scroes');
    project.edit('pipeline.yaml', '${samples}', '${sampels}');
    complains(['scroes', 'sampels']);
  });

  it('a target or a variable or a command that does not exist', () => {
    complains(['scoers', /did you mean.*scores/i], 'scoers');
    complains(['sampels', /did you mean.*samples/i], '--set', 'sampels=3');
    const { exit, stderr } = project.run('biuld');
    expect(exit).toBe(2);
    expect(stderr).toContain('did you mean `cje build`');
    expect(project.run('build', '--no-such-flag').exit).toBe(2);
    expect(project.run('build', '-f', 'nowhere.yaml').exit).toBe(2);
  });
});

describe('a machine that opens too few files to load a command', () => {
  it('is told as any other problem', () => {
    const command = join(import.meta.dirname, '../..', process.env.CJE_DIST ?? 'dist', 'cje.js');
    const limited = (...args: string[]) =>
      spawnSync('sh', ['-c', 'ulimit -n 30; exec "$0" "$@"', process.execPath, command, ...args], {
        cwd: project.folder,
        encoding: 'utf8',
      });
    const { status, stderr } = limited('plan');
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^error: too many open files: .*\[CJE-SYSTEM\]\n/)]);
    expect(stderr).toContain('hint: raise `ulimit -n`');
    expect(stderr).not.toMatch(/^ +at /m);
    const events = limited('build', '--json').stdout.trim().split('\n');
    expect(JSON.parse(events.at(-1) ?? '{}')).toMatchObject({ type: 'finished', exit: 1 });
  });
});

describe('what was built', () => {
  it('is listed whatever mistakes pipeline.yaml has now', () => {
    project.edit('pipeline.yaml', 'stages:', 'stagse: [');
    expect(project.run('plan').exit).toBe(2);
    const { exit, stderr } = project.run('log', '--cost');
    expect([exit, stderr]).toEqual([0, '']);
  });
});

describe('a mistake in a config file', () => {
  it('a judge template without its response', () => {
    project.edit('configs/judges/deterministic.md', '{{response}}', 'the response');
    complains(['{{response}}', /configs\/judges\/deterministic\.md/]);
  });

  it('an unknown placeholder, with its place in the template', () => {
    project.edit('configs/judges/deterministic.md', '{{response}}', '{{response}} {{repsonse}}');
    complains(['{{repsonse}}', /configs\/judges\/deterministic\.md:\d+:\d+/, /did you mean.*response/i]);
  });

  it('a temperature that is a word', () => {
    const path = 'configs/policies/pi_cot.yaml';
    project.write(path, project.read(path).replace(/^temperature: .*/m, 'temperature: warm'));
    complains([/configs\/policies\/pi_cot\.yaml:\d+:\d+/, /temperature/]);
  });
});

describe('a mistake in the prompts', () => {
  const good = Array.from({ length: 30 }, (_, index) =>
    JSON.stringify({ prompt_id: `p${index}`, prompt: `Prompt ${index}?` }),
  );

  it('a broken line 17', () => {
    project.write('my.jsonl', good.with(16, '{"prompt": "oops').join('\n'));
    complains([/my\.jsonl:17/], '--set', 'prompts_source=my.jsonl');
  });

  it('an empty file', () => {
    project.write('my.jsonl', '');
    complains([/my\.jsonl/, /no usable prompts/], '--set', 'prompts_source=my.jsonl');
  });

  it('more samples than there are prompts', () => {
    project.write('my.jsonl', good.join('\n'));
    complains(['31', '30'], '--set', 'prompts_source=my.jsonl', '--set', 'samples=31');
  });

  it('a file that is not there', () => {
    complains(['absent.jsonl'], '--set', 'prompts_source=absent.jsonl');
  });
});

describe('a machine that is not ready', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  it('no key for a hosted profile: the variable is named before any call', () => {
    project.write(
      'my.jsonl',
      Array.from({ length: 30 }, (_, index) => JSON.stringify({ prompt: `Prompt ${index}?` })).join('\n'),
    );
    complains(
      ['FIREWORKS_API_KEY', /export FIREWORKS_API_KEY/],
      '--profile',
      'test',
      '--set',
      'prompts_source=my.jsonl',
      '--set',
      'samples=30',
    );
  });

  it('plans a hosted profile without any key, and says what it would cost beside the original', () => {
    const { exit, stdout } = project.run('plan', '--profile', 'full', 'ablations');
    expect(exit).toBe(0);
    for (const part of ['140,000 calls', '$60', '50', '75', 'Dollars', 'Tokens']) expect(stdout).toContain(part);
  });

  it('a port in use', async () => {
    const busy = createServer();
    server = busy;
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const { port } = busy.address() as AddressInfo;
    const { exit, stderr } = project.run('simulate', '--port', String(port));
    expect(stderr).toContain(String(port));
    expect(exit).toBe(2);
  });

  // Root may write anywhere, whatever the permissions say.
  it.runIf(process.getuid?.() !== 0)('a cache folder that may not be written to', () => {
    mkdirSync(join(project.folder, '.cache'));
    chmodSync(join(project.folder, '.cache'), 0o500);
    complains([/cache folder is not writable/]);
  });

  it('a cache folder that is a file', () => {
    project.write('.cache', 'in the way');
    complains([/cache folder/]);
  });
});
