/** Stories of builders and tills that are killed at random moments: what is bought is in the books, always. */

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect } from 'vitest';
import { connectRedis } from '../../src/cluster/connect.ts';
import { accountPrefix, readBooks } from '../../src/cluster/ledger.ts';
import { openStore } from '../../src/store/store.ts';
import { seeded, startBuild } from './crashing.ts';
import type { Project } from './project.ts';
import type { OwnRedis } from './redis.ts';
import { ACCOUNT, withTillScene } from './till.ts';

const STAGE = 'responses';

interface Ledgered {
  readonly books: Awaited<ReturnType<typeof readBooks>>;
  /** Tries of unknown outcome by call. */
  readonly unknowns: ReadonlyMap<string, number>;
  readonly open: number;
}

async function readLedger(redis: OwnRedis): Promise<Ledgered> {
  const connection = await connectRedis({ url: redis.url, password: undefined });
  try {
    const unknowns = new Map<string, number>();
    for (const name of await connection.hkeys(`${accountPrefix(ACCOUNT)}unknowns`)) {
      const [call = ''] = name.split('/');
      unknowns.set(call, (unknowns.get(call) ?? 0) + 1);
    }
    const open = await connection.zcard(`${accountPrefix(ACCOUNT)}lapse`);
    return { books: await readBooks(connection, ACCOUNT), unknowns, open };
  } finally {
    connection.disconnect();
  }
}

/** Kills a builder so many times while its calls are at the till. Nothing is bought twice. */
export function killBuilders(seed: number, kills: number): Promise<void> {
  return withTillScene({ samples: 5 * kills, latencyMs: 10, till: 'lease_seconds: 2' }, async (scene, redis) => {
    const random = seeded(seed);
    const till = await scene.openTill();
    const builder = scene.machine();
    const count = (key: string) => void scene.requests.set(key, (scene.requests.get(key) ?? 0) + 1);
    let killed = 0;
    for (let samples = 5; killed < kills; samples += 5) {
      let left = 1 + Math.floor(random() * 12);
      scene.crashing.onRequest = (key) => {
        count(key);
        if (--left === 0) build.child.kill('SIGKILL');
        return undefined;
      };
      const build = startBuild(builder, [STAGE, '--set', `samples=${samples}`]);
      const { signal, stderr } = await build.ended;
      if (signal === 'SIGKILL') killed++;
      else expect(stderr).toBe('');
    }
    scene.crashing.onRequest = (key) => count(key) as undefined;
    expect(await startBuild(builder, [STAGE, '--set', `samples=${5 * kills}`]).ended).toMatchObject({ exit: 0 });
    await till.kill('SIGTERM');
    expect([...scene.requests].filter(([, sent]) => sent > 1)).toEqual([]);
    const { books, open } = await readLedger(redis);
    expect(open).toBe(0);
    expect(books).toMatchObject({ reserved: 0, unknown: 0, calls: scene.requests.size });
  });
}

/** Kills a till so many times with calls in flight, while a builder waits. Whatever was bought twice is an unknown. */
export function killTills(seed: number, kills: number): Promise<void> {
  return withTillScene(
    { samples: 8 * kills, latencyMs: 10, till: 'lease_seconds: 1, buy_again: 1000' },
    async (scene, redis) => {
      const random = seeded(seed);
      let till = await scene.openTill();
      let left = 0;
      let strike: () => void = () => {};
      scene.crashing.onRequest = (key) => {
        scene.requests.set(key, (scene.requests.get(key) ?? 0) + 1);
        if (--left === 0) strike();
        return undefined;
      };
      const builder = scene.machine();
      const build = startBuild(builder, [STAGE]);
      let over = false;
      const ended = build.ended.finally(() => {
        over = true;
        strike();
      });
      let killed = 0;
      while (killed < kills) {
        const reached = new Promise<void>((resolve) => {
          strike = resolve;
        });
        left = 1 + Math.floor(random() * 15);
        await reached;
        if (over) break;
        await till.kill();
        killed++;
        till = await scene.openTill();
      }
      expect(await ended).toMatchObject({ exit: 0, stderr: '' });
      expect(killed).toBeGreaterThanOrEqual(Math.ceil(kills / 2));
      await till.kill('SIGTERM');
      const { books, unknowns, open } = await readLedger(redis);
      const twice = [...scene.requests].filter(([, sent]) => sent > 1);
      // Each time that a call was sent once more, a try of it is in the books as unknown.
      for (const [key, sent] of twice) expect(unknowns.get(key) ?? 0).toBeGreaterThanOrEqual(sent - 1);
      expect([open, books.reserved]).toEqual([0, 0]);
      // Every request that the provider has seen is one that was claimed.
      const requests = [...scene.requests.values()].reduce((sum, sent) => sum + sent, 0);
      expect(books.calls).toBeGreaterThanOrEqual(requests);
      expect(books.unknowns).toBe([...unknowns.values()].reduce((sum, tries) => sum + tries, 0));
      // A till that died after it had kept an answer, and before it booked that, leaves an unknown and no second request.
      expect(books.calls - scene.requests.size).toBeLessThanOrEqual(books.unknowns);
      expect(billOf(builder, scene.requests)).toBeLessThanOrEqual(books.spent + books.unknown + 1e-9);
    },
  );
}

const BUILDERS = ['responses/p0', 'responses/pi_clone', 'responses/pi_cot', 'responses/pi_bad'];

interface LimitStory {
  /** Requests a second. */
  readonly limit: number;
  /** Requests of one builder. */
  readonly each: number;
  /** The least share of the limit over all. */
  readonly share: number;
}

/** Four builders at one till. Says at how many requests a second it was held, and what the server has counted. */
export function holdLimit({ limit, each, share }: LimitStory): Promise<void> {
  const provider = `requests_per_minute: ${60 * limit}`;
  return withTillScene({ samples: each, latencyMs: 20, till: 'lease_seconds: 10', provider }, async (scene) => {
    const arrivals: number[] = [];
    const till = await scene.openTill();
    // The server makes its world at the first request, and stands still meanwhile.
    await startBuild(scene.machine(), ['responses/pi_bigger_model', '--set', 'samples=1']).ended;
    scene.crashing.onRequest = () => void arrivals.push(performance.now());
    const stalls = monitorEventLoopDelay({ resolution: 1 });
    stalls.enable();
    const built = await Promise.all(BUILDERS.map((node) => startBuild(scene.machine(), [node]).ended));
    stalls.disable();
    await till.kill('SIGTERM');
    expect(built.map(({ exit, stderr }) => [exit, stderr])).toEqual(BUILDERS.map(() => [0, '']));
    expect(arrivals).toHaveLength(BUILDERS.length * each);
    const mostIn = (window: number) =>
      Math.max(...arrivals.map((from) => arrivals.filter((at) => at >= from && at < from + window).length));
    const rate = (1000 * (arrivals.length - 1)) / (arrivals.at(-1)! - arrivals[0]!);
    // What comes while the server stands still is seen when it goes on.
    const stall = stalls.max / 1e6;
    console.log(
      `limit ${limit}/s: ${arrivals.length} requests of ${BUILDERS.length} builders, ${rate.toFixed(1)}/s over all; ` +
        `at most ${mostIn(1000)} in any second of a server that stood still for up to ${stall.toFixed(0)} ms`,
    );
    expect(mostIn(1000 - stall)).toBeLessThanOrEqual(limit);
    expect(rate).toBeGreaterThanOrEqual(share * limit);
  });
}

/** What the provider has billed: each request at the price of its answer. */
function billOf(project: Project, requests: ReadonlyMap<string, number>): number {
  const store = openStore(join(project.folder, '.cache'), { readOnly: true });
  let bill = 0;
  for (const { key, value } of store.calls.scan()) bill += (value?.cost ?? 0) * (requests.get(key) ?? 0);
  void store.close();
  return bill;
}
