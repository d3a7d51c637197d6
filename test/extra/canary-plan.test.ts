/** What a plan expects after a canary of twenty calls is what the rest comes to, where answers are of many lengths. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ForkedServer, forkServer } from '../helpers/forked.ts';
import { writeLab } from '../helpers/lab.ts';
import { emptyProject, type Project, removeProject } from '../helpers/project.ts';

let project: Project;
let server: ForkedServer;

beforeEach(async () => {
  project = emptyProject();
  server = await forkServer(project, 'openai', { uneven: true });
});
afterEach(() => {
  server.stop();
  removeProject(project);
});

interface Planned {
  readonly dollars: { readonly expected: number };
}

it('is told within a tenth of the bill', () => {
  writeLab(project, { url: server.url, items: 300 });
  for (const node of ['responses', 'scores']) {
    expect(project.run('build', node, '--canary', '20', '--yes').exit).toBe(0);
    const planned = JSON.parse(project.run('plan', node, '--json').stdout) as Planned;
    const { finished } = project.run('build', node, '--yes', '--json');
    expect(finished).toMatchObject({ exit: 0, calls: { bought: 280 } });
    expect(planned.dollars.expected).toBeGreaterThan(0.9 * finished.cost.billed);
    expect(planned.dollars.expected).toBeLessThan(1.1 * finished.cost.billed);
  }
  expect(project.run('build', '--json').finished.calls.bought).toBe(0);
});
