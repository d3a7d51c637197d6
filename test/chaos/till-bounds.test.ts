/** Four builders at one till: one limit, and one cap. The figures are printed, for docs/cluster.md. */

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/cluster/connect.ts';
import { readBooks } from '../../src/cluster/ledger.ts';
import { openStore } from '../../src/store/store.ts';
import { startBuild } from '../helpers/crashing.ts';
import { ACCOUNT, type TillScene, withTillScene } from '../helpers/till.ts';
import { holdLimit } from '../helpers/till-story.ts';

const BUILDERS = ['responses/p0', 'responses/pi_clone', 'responses/pi_cot', 'responses/pi_bad'];
const EACH = 100;
/** Dollars: less than any of the builders would spend. */
const CAP = 0.004;

const build = (scene: TillScene) => Promise.all(BUILDERS.map((node) => startBuild(scene.machine(), [node]).ended));

describe('four builders', { timeout: 120_000 }, () => {
  it('send no more than the limit in any second of the server, and hardly less over all', () =>
    // Few a second, so that four builders on a busy machine always have more to ask.
    holdLimit({ limit: 20, each: EACH, share: 0.95 }));

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
