/** Four builders at one till: one limit, and one cap. The figures are printed, for docs/cluster.md. */

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/cluster/connect.ts';
import { readBooks } from '../../src/cluster/ledger.ts';
import { openStore } from '../../src/store/store.ts';
import { startBuild } from '../helpers/crashing.ts';
import { ACCOUNT, type TillScene, withTillScene } from '../helpers/till.ts';

const BUILDERS = ['responses/p0', 'responses/pi_clone', 'responses/pi_cot', 'responses/pi_bad'];
/** Requests a second: few, so that four builders on a busy machine always have more to ask. */
const LIMIT = 20;
const EACH = 100;
/** Dollars: less than any of the builders would spend. */
const CAP = 0.004;

const build = (scene: TillScene) => Promise.all(BUILDERS.map((node) => startBuild(scene.machine(), [node]).ended));

describe('four builders', { timeout: 120_000 }, () => {
  it('send no more than the limit in any second of the server, and hardly less over all', () =>
    withTillScene(
      { samples: EACH, latencyMs: 20, till: 'lease_seconds: 10', provider: `requests_per_minute: ${60 * LIMIT}` },
      async (scene) => {
        const arrivals: number[] = [];
        const till = await scene.openTill();
        // The server makes its world at the first request, and stands still meanwhile.
        await startBuild(scene.machine(), ['responses/pi_bigger_model', '--set', 'samples=1']).ended;
        scene.crashing.onRequest = () => void arrivals.push(performance.now());
        const stalls = monitorEventLoopDelay({ resolution: 1 });
        stalls.enable();
        const built = await build(scene);
        stalls.disable();
        await till.kill('SIGTERM');
        expect(built.map(({ exit, stderr }) => [exit, stderr])).toEqual(BUILDERS.map(() => [0, '']));
        expect(arrivals).toHaveLength(BUILDERS.length * EACH);
        const mostIn = (window: number) =>
          Math.max(...arrivals.map((from) => arrivals.filter((at) => at >= from && at < from + window).length));
        const rate = (1000 * (arrivals.length - 1)) / (arrivals.at(-1)! - arrivals[0]!);
        // What comes while the server stands still is seen when it goes on.
        const stall = stalls.max / 1e6;
        console.log(
          `limit ${LIMIT}/s: ${arrivals.length} requests of ${BUILDERS.length} builders, ${rate.toFixed(1)}/s over all; ` +
            `at most ${mostIn(1000)} in any second of a server that stood still for up to ${stall.toFixed(0)} ms`,
        );
        expect(mostIn(1000 - stall)).toBeLessThanOrEqual(LIMIT);
        expect(rate).toBeGreaterThanOrEqual(0.95 * LIMIT);
      },
    ));

  it('never pass the cap, to less than a micro-dollar, and come as near to it as the next call allows', () =>
    withTillScene({ samples: EACH, till: `cap: ${CAP}, lease_seconds: 10` }, async (scene, redis) => {
      const connection = await connectRedis({ url: redis.url, password: undefined });
      const till = await scene.openTill();
      const building = build(scene);
      let over = false;
      void building.finally(() => {
        over = true;
      });
      let looks = 0;
      let highest = 0;
      while (!over) {
        const { spent, reserved, unknown } = await readBooks(connection, ACCOUNT);
        highest = Math.max(highest, spent + reserved + unknown);
        looks++;
      }
      const built = await building;
      const { spent, reserved, unknown } = await readBooks(connection, ACCOUNT);
      connection.disconnect();
      await till.kill('SIGTERM');
      expect(built.map(({ exit }) => exit)).toEqual(BUILDERS.map(() => 3));
      const store = openStore(join(scene.crashing.project.folder, '.cache'), { readOnly: true });
      const bill = [...store.calls.scan()].reduce((sum, { value }) => sum + (value?.cost ?? 0), 0);
      await store.close();
      console.log(
        `cap $${CAP}: ${scene.requests.size} calls of ${BUILDERS.length} builders came to $${bill.toFixed(9)}; ` +
          `the books held $${highest.toFixed(9)} at most in ${looks} looks`,
      );
      expect(reserved).toBe(0);
      expect(unknown).toBe(0);
      expect(Math.abs(bill - spent)).toBeLessThan(1e-9);
      expect(highest).toBeLessThanOrEqual(CAP);
      expect(highest).toBeGreaterThan(0.9 * CAP);
      expect([...scene.requests.values()].filter((sent) => sent > 1)).toEqual([]);
    }));
});
