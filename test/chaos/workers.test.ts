/** Workers that are killed and told to end again and again, and Redis that goes away: the bytes stay. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/cluster/connect.ts';
import { seeded } from '../helpers/crashing.ts';
import { type StartedWorker, type WorkScene, workOf, workScene } from '../helpers/workers.ts';

let scene: WorkScene;
beforeAll(async () => {
  scene = await workScene({
    seeds: 30,
    ablations: '[naive, direct, dr-cpo, stacked-dr]',
    workers: 'job_seconds: 1, wait_seconds: 60, lease_seconds: 1',
  });
}, 300_000);
afterAll(() => scene.close());

describe('workers', () => {
  it('two builds share one queue while workers die and come', { timeout: 300_000 }, async () => {
    const random = seeded(7);
    const machines = [scene.machine(), scene.machine()];
    const workers: StartedWorker[] = await Promise.all([scene.startWorker(), scene.startWorker(), scene.startWorker()]);
    let kills = 0;
    let striking = Promise.resolve();
    const strike = () => {
      striking = striking.then(async () => {
        if (kills >= 6) return;
        kills++;
        // Two of three, so that one of them has a job in hand most of the time.
        for (const at of [kills % 3, (kills + 1) % 3]) {
          await workers[at]!.kill(random() < 0.7 ? 'SIGKILL' : 'SIGTERM');
          workers[at] = await scene.startWorker();
        }
      });
    };
    const builds = machines.map((machine) =>
      scene.startBuild(machine, (event) => {
        if (event.type === 'workers' && event.inHand > 0 && random() < 0.5) strike();
      }),
    );
    const built = await Promise.all(builds.map(({ ended }) => ended));
    await striking;
    for (const { exit, stderr } of built) expect([exit, stderr]).toEqual([0, '']);
    expect(kills).toBeGreaterThan(3);
    expect(built.flatMap(({ events }) => workOf(events).returned).length).toBeGreaterThan(0);
    for (const machine of machines) expect(machine.outputs()).toEqual(scene.reference);
    for (const worker of workers) await worker.kill('SIGTERM');
  });

  it('where Redis goes away the build does the rest itself, and workers come back when it does', {
    timeout: 300_000,
  }, async () => {
    // What was done for the builds before would be found.
    const connection = await connectRedis({ url: scene.redis.url, password: undefined });
    await connection.flushall();
    connection.disconnect();
    const worker = await scene.startWorker();
    const machine = scene.machine();
    let crashed = false;
    const built = await scene.startBuild(machine, (event) => {
      if (crashed || event.type !== 'workers' || event.inHand === 0) return;
      crashed = true;
      void scene.redis.crash();
    }).ended;
    expect(built).toMatchObject({ exit: 0, stderr: '' });
    expect(workOf(built.events).notes).toEqual([expect.stringMatching(/Redis is gone; the rest is done here$/)]);
    expect(machine.outputs()).toEqual(scene.reference);
    expect(worker.said()).toMatch(/CJE-REDIS-UNREACHABLE/);
    // A build that never had it says so, and goes on by itself.
    const alone = scene.machine();
    const without = await scene.startBuild(alone).ended;
    expect(workOf(without.events).notes).toEqual([expect.stringMatching(/^Redis does not answer/)]);
    expect(alone.outputs()).toEqual(scene.reference);
    await scene.redis.restart();
    const third = scene.machine();
    const again = await scene.startBuild(third).ended;
    expect(again).toMatchObject({ exit: 0, stderr: '' });
    expect(workOf(again.events).last!.done).toBeGreaterThan(0);
    expect(third.outputs()).toEqual(scene.reference);
  });
});
