/** Builds that are killed while a server bills: what the server has charged is in the books, to the cent. */

import { expect } from 'vitest';
import { hostileServer, type Mode } from '../servers/hostile.ts';
import { seeded, startBuild } from './crashing.ts';
import { writeLab } from './lab.ts';
import { emptyProject, removeProject } from './project.ts';

/** How the server answers while a build runs; it mostly answers well. */
const MODES: readonly Mode[] = ['well', 'well', 'well', 'a cut body', 'a reset', 'a 500', 'a 500 with a usage'];
const ITEMS_A_BUILD = 4;

export async function expectBooksToHold(seed: number, kills: number): Promise<void> {
  const random = seeded(seed);
  const below = (most: number) => Math.floor(random() * most);
  const server = await hostileServer();
  const project = emptyProject();
  try {
    const items = kills * ITEMS_A_BUILD;
    writeLab(project, { url: server.url.replace(/\/v1$/, ''), items });
    project.edit('providers.yaml', 'concurrency: 1', 'concurrency: 8, attempts: 3');
    for (let killed = 0; killed < kills; ) {
      server.mode = MODES[below(MODES.length)]!;
      let left = 1 + below(16);
      const delay = below(6);
      server.onRequest = () => {
        if (--left === 0) setTimeout(() => build.child.kill('SIGKILL'), delay);
      };
      const build = startBuild(project, ['--jobs', '8', '--yes']);
      const { signal, stderr } = await build.ended;
      expect(stderr).toBe('');
      if (signal === 'SIGKILL') killed++;
      else if (server.mode === 'well') break;
    }
    server.mode = 'well';
    server.onRequest = () => {};
    expect(await startBuild(project, ['--yes']).ended).toMatchObject({ exit: 0 });
    const asked = server.requests;
    expect(await startBuild(project, ['--yes']).ended).toMatchObject({ exit: 0 });
    expect(server.requests).toBe(asked);
    const { billed, unknown } = project.run('log', '--cost', '--json').events[0]!;
    expect(server.bill).toBeGreaterThanOrEqual(billed - 1e-9);
    expect(server.bill).toBeLessThanOrEqual(billed + unknown + 1e-9);
  } finally {
    removeProject(project);
    await server.close();
  }
}
