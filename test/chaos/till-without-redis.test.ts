/** A till whose Redis goes away in mid-build. It waits as long as a person would, so it is none of the short forms. */

import { describe, expect, it } from 'vitest';
import { startBuild } from '../helpers/crashing.ts';
import { sceneOfFile } from '../helpers/till.ts';

const STAGES = ['responses/pi_bad', 'responses/pi_cot', 'logprobs/p0'];

describe('a till', () => {
  const file = sceneOfFile();
  const { machine } = file;

  it('that loses Redis buys nothing; the build stops clearly, and the next one goes on', {
    timeout: 300_000,
  }, async () => {
    const till = await file.scene.openTill();
    const third = machine();
    expect(await startBuild(third, ['responses/p0']).ended).toMatchObject({ exit: 0 });
    const before = file.scene.requests.size;
    let seen = 0;
    file.scene.crashing.onRequest = (key) => {
      file.scene.requests.set(key, (file.scene.requests.get(key) ?? 0) + 1);
      if (++seen === 5) void file.redis.crash();
      return 20;
    };
    // Several stages buy at once, and what ends them all is told once.
    const stopped = await startBuild(third, STAGES).ended;
    expect(stopped.exit).toBe(1);
    const problems = stopped.events.filter(({ type }) => type === 'problem').map(({ problem }) => problem);
    expect(problems).toEqual([expect.objectContaining({ id: 'CJE-REDIS-UNREACHABLE' })]);
    expect(problems[0].headline).toBe('the build stopped: Redis is gone, so nothing can be bought through the till');
    expect(problems[0].facts[0]).toEqual([
      'unfinished',
      expect.stringMatching(/responses.*logprobs|logprobs.*responses/),
    ]);
    expect(file.scene.requests.size - before).toBeLessThan(120);
    // A new build finds it gone at once.
    expect((await startBuild(machine(), ['responses/pi_bad']).ended).exit).toBe(1);
    await file.redis.restart();
    const went = await startBuild(third, STAGES).ended;
    expect(went).toMatchObject({ exit: 0, stderr: '' });
    expect([...file.scene.requests.values()].filter((sent) => sent > 1)).toEqual([]);
    await till.kill('SIGTERM');
  });
});
