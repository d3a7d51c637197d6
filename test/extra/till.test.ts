/** Builds on several machines that buy through a till. */

import { describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/cluster/connect.ts';
import { readBooks } from '../../src/cluster/ledger.ts';
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
    expect(rest).toEqual({ reserved: 0, unknown: 0, calls: 40, unknowns: 0 });
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

describe('four builders', () => {
  // Of so few, each moment that a busy machine stands still is a larger share.
  it('send no more than one limit', () => holdLimit({ limit: 30, each: 20, share: 0.8 }));
});

describe('kills', () => {
  it('of builders buy nothing twice', () => killBuilders(5, 2));
  it('of tills leave nothing unrecorded', () => killTills(5, 2));
});
