/** A grid on workers: other processes with folders and homes of their own, Redis between them. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Event } from '../helpers/project.ts';
import { type WorkScene, workOf, workScene } from '../helpers/workers.ts';

let scene: WorkScene;
beforeAll(async () => {
  scene = await workScene({
    seeds: 16,
    ablations: '[direct, dr-cpo]',
    workers: 'job_seconds: 0.5, wait_seconds: 20, lease_seconds: 1',
  });
});
afterAll(() => scene.close());

describe('workers', () => {
  it('make the bytes of a build without them, also where one is killed with a job in hand', async () => {
    const doomed = await scene.startWorker();
    const others: ReturnType<WorkScene['startWorker']>[] = [];
    const strike = async () => {
      await doomed.kill('SIGKILL');
      for (let each = 0; each < 3; each++) others.push(scene.startWorker());
    };
    let struck = false;
    const machine = scene.machine();
    const built = await scene.startBuild(machine, (event: Event) => {
      if (struck || event.type !== 'workers' || event.inHand === 0) return;
      struck = true;
      void strike();
    }).ended;
    expect(built).toMatchObject({ exit: 0, stderr: '' });
    const { last, returned, notes } = workOf(built.events);
    expect(returned).toEqual(['worker-gone']);
    expect(notes).toEqual([]);
    expect(last!.done).toBeGreaterThanOrEqual(3);
    expect(machine.outputs()).toEqual(scene.reference);
    const status = JSON.parse(machine.run('cluster', 'status', '--json').stdout);
    expect(status.workers.length).toBeGreaterThanOrEqual(3);
    expect(status.work).toEqual([{ code: expect.stringMatching(/^\w{16}$/), waiting: 0, inHand: 0 }]);

    // Told to end, an idle worker ends at once.
    const rest = await Promise.all(others);
    await Promise.all(rest.map((worker) => worker.kill('SIGTERM')));
    expect(rest.map(({ child }) => child.exitCode)).toEqual([0, 0, 0]);

    // A second build has nothing to do, and another machine is served what is known already.
    expect((await scene.startBuild(machine).ended).events.at(-1)).toMatchObject({ exit: 0, nodes: { run: 0 } });
  });
});
