/** A till whose Redis goes away in mid-build. It waits as long as a person would, so it is none of the short forms. */

import { describe, expect, it } from 'vitest';
import { startBuild } from '../helpers/crashing.ts';
import { sceneOfFile } from '../helpers/till.ts';

describe('a till', () => {
  const file = sceneOfFile();
  const { machine } = file;

  it('that loses Redis buys nothing; the build stops clearly, and the next one goes on', async () => {
    const till = await file.scene.openTill();
    const before = file.scene.requests.size;
    let seen = 0;
    file.scene.crashing.onRequest = (key) => {
      file.scene.requests.set(key, (file.scene.requests.get(key) ?? 0) + 1);
      if (++seen === 5) void file.redis.crash();
      return 20;
    };
    const third = machine();
    const stopped = await startBuild(third, ['responses/pi_bad']).ended;
    expect(stopped.exit).toBe(1);
    const problems = stopped.events.filter(({ type }) => type === 'problem').map(({ problem }) => problem.id);
    expect(problems).toEqual(['CJE-REDIS-UNREACHABLE']);
    expect(file.scene.requests.size - before).toBeLessThan(40);
    // A new build finds it gone at once.
    expect((await startBuild(machine(), ['responses/pi_bad']).ended).exit).toBe(1);
    await file.redis.restart();
    const went = await startBuild(third, ['responses/pi_bad']).ended;
    expect(went).toMatchObject({ exit: 0, stderr: '' });
    expect([...file.scene.requests.values()].filter((sent) => sent > 1)).toEqual([]);
    await till.kill('SIGTERM');
  });
});
