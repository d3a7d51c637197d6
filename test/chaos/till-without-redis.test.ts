/** A till whose Redis goes away in mid-build. It waits as long as a person would, so it is none of the short forms. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBuild } from '../helpers/crashing.ts';
import { type Project, removeProject } from '../helpers/project.ts';
import { type OwnRedis, startRedis } from '../helpers/redis.ts';
import { type TillScene, tillScene } from '../helpers/till.ts';

describe('a till', () => {
  let redis: OwnRedis;
  let scene: TillScene;
  const machines: Project[] = [];
  const machine = () => {
    machines.push(scene.machine());
    return machines.at(-1)!;
  };

  beforeAll(async () => {
    redis = await startRedis();
    scene = await tillScene(redis, { samples: 40, latencyMs: 5, till: 'lease_seconds: 2' });
  });
  afterAll(async () => {
    await scene.crashing.close();
    await redis.stop();
    machines.forEach(removeProject);
  });

  it('that loses Redis buys nothing; the build stops clearly, and the next one goes on', async () => {
    const till = await scene.openTill();
    const before = scene.requests.size;
    let seen = 0;
    scene.crashing.onRequest = (key) => {
      scene.requests.set(key, (scene.requests.get(key) ?? 0) + 1);
      if (++seen === 5) void redis.crash();
      return 20;
    };
    const third = machine();
    const stopped = await startBuild(third, ['responses/pi_bad']).ended;
    expect(stopped.exit).toBe(1);
    const problems = stopped.events.filter(({ type }) => type === 'problem').map(({ problem }) => problem.id);
    expect(problems).toEqual(['CJE-REDIS-UNREACHABLE']);
    expect(scene.requests.size - before).toBeLessThan(40);
    // A new build finds it gone at once.
    expect((await startBuild(machine(), ['responses/pi_bad']).ended).exit).toBe(1);
    await redis.restart();
    const went = await startBuild(third, ['responses/pi_bad']).ended;
    expect(went).toMatchObject({ exit: 0, stderr: '' });
    expect([...scene.requests.values()].filter((sent) => sent > 1)).toHaveLength(1);
    await till.kill('SIGTERM');
  });
});
