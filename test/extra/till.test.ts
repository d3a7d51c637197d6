/** Builds on several machines that buy through a till. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/cluster/connect.ts';
import { readBooks } from '../../src/cluster/ledger.ts';
import { newSigningKey } from '../../src/remote/signing.ts';
import { startBuild } from '../helpers/crashing.ts';
import type { OwnRedis } from '../helpers/redis.ts';
import { ACCOUNT, sceneOfFile, withTillScene } from '../helpers/till.ts';
import { holdLimit, killBuilders, killTills } from '../helpers/till-story.ts';

const TARGET = 'responses/p0';

const books = async (redis: OwnRedis) => {
  const connection = await connectRedis({ url: redis.url, password: undefined });
  try {
    return await readBooks(connection, ACCOUNT);
  } finally {
    connection.disconnect();
  }
};

describe('a till', () => {
  const file = sceneOfFile();
  const { machines, machine } = file;

  it('buys once for builds that ask the same at the same time, and says what it has spent', async () => {
    const till = await file.scene.openTill();
    const built = await Promise.all([machine(), machine()].map((each) => startBuild(each, [TARGET]).ended));
    expect(built.map(({ exit, stderr }) => [exit, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    expect([...file.scene.requests.values()]).toEqual(Array(40).fill(1));
    const spent = built.map(({ events }) => events.at(-1)!.cost.billed as number);
    const { spent: booked, ...rest } = await books(file.redis);
    expect(booked).toBeGreaterThan(0);
    expect(spent[0]! + spent[1]!).toBeCloseTo(booked, 9);
    expect(rest).toEqual({ reserved: 0, unknown: 0, calls: 40, unknowns: 0, givenUp: 0 });
    expect(machines[0]!.outputs()).toEqual(machines[1]!.outputs());

    const status = machines[0]!.run('cluster', 'status', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({
      type: 'cluster-status',
      tills: [{ version: expect.any(String) }],
    });

    // A cap of the build is held at the till; asking anew is asking the provider anew.
    const capped = await startBuild(machine(), ['responses/pi_cot', '--max-calls', '7']).ended;
    expect(capped).toMatchObject({ exit: 3 });
    expect([...file.scene.requests.values()]).toHaveLength(47);
    const again = await startBuild(machines[0]!, [TARGET, '--ask-again', `${TARGET}:0`]).ended;
    expect(again.events.at(-1)).toMatchObject({ exit: 0, calls: { bought: 1 } });
    expect([...file.scene.requests.values()].filter((sent) => sent === 2)).toHaveLength(1);
    await till.kill('SIGTERM');
  });
});

describe('two tills for one account', () => {
  it('the second stands by, and takes over when the first is gone; builds hear of its tries that failed', () =>
    withTillScene({ samples: 10, till: 'lease_seconds: 1' }, async (scene) => {
      const first = await scene.openTill();
      const machine = scene.machine();
      const second = scene.startTill(machine);
      await second.said('stands by');
      const builder = scene.machine();
      expect(await startBuild(builder, [TARGET]).ended).toMatchObject({ exit: 0, stderr: '' });
      const { tills } = JSON.parse(builder.run('cluster', 'status', '--json').stdout) as { tills: { open: boolean }[] };
      expect(tills.map(({ open }) => open).sort()).toEqual([false, true]);
      const opened = second.said('"till-open"');
      await first.kill('SIGKILL');
      let requests = 0;
      scene.crashing.onRequest = () => (++requests === 3 ? { kind: 'status', status: 500 } : undefined);
      const built = await startBuild(builder, ['responses/pi_cot']).ended;
      await opened;
      expect(built).toMatchObject({ exit: 0, stderr: '' });
      expect(requests).toBe(11);
      expect(built.events.filter(({ type }) => type === 'call-retry')).toEqual([
        {
          type: 'call-retry',
          node: 'responses/pi_cot',
          failure: { class: 'transient', reason: 'server_error', message: expect.any(String) },
          waitMilliseconds: expect.any(Number),
        },
      ]);
      await second.kill('SIGTERM');
    }));
});

describe('a till elsewhere', () => {
  it('goes on with what a killed one has bought; what nobody has is asked again on a person’s word alone', async () => {
    const place = mkdtempSync(join(tmpdir(), 'cje-place-'));
    const { key, text } = newSigningKey();
    writeFileSync(join(place, 'key.pem'), text);
    mkdirSync(join(place, 'cache'));
    const remote = `{ url: ${join(place, 'cache')}, sign_with: ${join(place, 'key.pem')}, trusted: ['${key.public}'] }`;
    await withTillScene({ samples: 10, till: 'lease_seconds: 1', remote }, async (scene, redis) => {
      const twice = () => [...scene.requests.values()].filter((sent) => sent > 1).length;
      const first = await scene.openTill();
      expect(await startBuild(scene.machine(), [TARGET]).ended).toMatchObject({ exit: 0, stderr: '' });
      // It has given nothing yet: Redis holds what it bought.
      await first.kill('SIGKILL');
      const second = scene.startTill(scene.machine());
      await second.said('"till-open"');
      expect(await startBuild(scene.machine(), [TARGET]).ended).toMatchObject({ exit: 0, stderr: '' });
      expect([scene.requests.size, twice()]).toEqual([10, 0]);
      await second.kill('SIGTERM');
      // Now the shared cache has all of it, and a third till looks there.
      const held = await connectRedis({ url: redis.url, password: undefined });
      expect(await held.hlen(`cje:{${ACCOUNT}}:held`)).toBe(0);
      held.disconnect();
      const third = scene.startTill(scene.machine());
      await third.said('"till-open"');
      const builder = scene.machine();
      builder.edit('cje.remote.yaml', 'trusted:', 'pull: never, trusted:');
      expect(await startBuild(builder, [TARGET]).ended).toMatchObject({ exit: 0, stderr: '' });
      expect([scene.requests.size, twice()]).toEqual([10, 0]);
      await third.kill('SIGTERM');
      // The place is lost: what is nowhere ends no other calls, and is bought again when a person says so.
      rmSync(join(place, 'cache'), { recursive: true });
      mkdirSync(join(place, 'cache'));
      const fourth = scene.startTill(scene.machine());
      await fourth.said('"till-open"');
      const last = scene.machine();
      const more = [TARGET, '--set', 'samples=13'];
      const ended = await startBuild(last, more).ended;
      expect(ended.exit).toBe(3);
      expect(ended.events.find(({ type }) => type === 'problem')!.problem).toMatchObject({
        id: 'CJE-ANSWER-ELSEWHERE',
      });
      expect([scene.requests.size, twice()]).toEqual([13, 0]);
      expect(JSON.parse(last.run('cluster', 'status', '--json').stdout)).toMatchObject({ missing: 10 });
      expect(JSON.parse(last.run('cluster', 'resolve', '--missing', '--json').stdout)).toMatchObject({ calls: 10 });
      expect(await startBuild(last, more).ended).toMatchObject({ exit: 0, stderr: '' });
      expect([scene.requests.size, twice()]).toEqual([13, 10]);
      expect(await books(redis)).toMatchObject({ calls: 23, unknown: 0, givenUp: 10 });
      await fourth.kill('SIGTERM');
    });
    rmSync(place, { recursive: true });
  });
});

describe('four builders', () => {
  // Of so few, each moment that a busy machine stands still is a larger share.
  it('send no more than one limit', () => holdLimit({ limit: 30, each: 20, share: 0.8 }));
});

describe('kills', () => {
  it('of builders buy nothing twice', () => killBuilders(5, 2));
  it('of tills leave nothing unrecorded', () => killTills(5, 2));
});
