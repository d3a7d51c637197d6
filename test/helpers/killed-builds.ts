/** A story of builds that are killed at random moments: nothing stored is ever damaged, lost or bought again. */

import { expect } from 'vitest';
import { crashingProject, seeded, startBuild, verify } from './crashing.ts';

const SAMPLES = 10;
const TARGET = 'dataset';

type Moment =
  /** Some milliseconds after so many requests have arrived. */
  | { readonly after: 'requests'; readonly count: number; readonly delay: number }
  /** Some milliseconds after so many nodes have begun or ended. */
  | { readonly after: 'nodes'; readonly count: number; readonly delay: number };

/** Kills builds of one project so many times, then lets one through and compares it with an undisturbed one. */
export async function expectKillsToBeHarmless(seed: number, wanted: number): Promise<void> {
  const random = seeded(seed);
  const below = (most: number) => Math.floor(random() * most);
  const moment = (): Moment =>
    random() < 0.6
      ? { after: 'requests', count: 1 + below(14), delay: below(5) }
      : { after: 'nodes', count: 1 + below(12), delay: below(8) };

  const story = await crashingProject(SAMPLES);
  const { project, simulator } = story;
  let stored: ReadonlySet<string> = new Set();
  /** How often each request came since the last build ended: one that was on its way when a build died may come during the next. */
  let asked = new Map<string, number>();
  const boughtAgain: string[] = [];
  /** Requests of killed builds whose replies were not stored when the build died: these may be asked again. */
  let lost = 0;
  let kills = 0;
  try {
    let samples = SAMPLES;
    while (kills < wanted) {
      const { after, count, delay } = moment();
      let seen = 0;
      const strike = () => {
        if (++seen === count) setTimeout(() => build.child.kill('SIGKILL'), delay);
      };
      story.onRequest = (key) => {
        asked.set(key, (asked.get(key) ?? 0) + 1);
        if (stored.has(key)) boughtAgain.push(key);
        if (after === 'requests') strike();
      };
      const build = startBuild(project, [TARGET, '--jobs', '8', '--set', `samples=${samples}`], (event) => {
        if (after === 'nodes' && (event.type === 'node-started' || event.type === 'node-finished')) strike();
      });
      const ended = await build.ended;
      const looked = await verify(project);
      expect(looked.fault).toBeUndefined();
      expect(looked.damaged).toEqual([]);
      for (const key of stored) expect(looked.keys.has(key)).toBe(true);
      // What a build says that it bought is there, however it ended.
      const reported = new Map<string, number>();
      for (const event of ended.events) {
        if (event.type === 'node-progress') reported.set(event.node, event.bought);
        if (event.type === 'node-finished') reported.set(event.node, event.calls.bought);
      }
      const bought = [...reported.values()].reduce((sum, calls) => sum + calls, 0);
      expect(looked.keys.size - stored.size).toBeGreaterThanOrEqual(bought);
      for (const [key, times] of asked) lost += times - (looked.keys.has(key) ? 1 : 0);
      asked = new Map();
      stored = looked.keys;
      if (ended.signal === 'SIGKILL') {
        kills++;
      } else {
        // It got through: there is more to do from here.
        expect(ended.events.filter(({ type }) => type === 'problem')).toEqual([]);
        expect(ended).toMatchObject({ exit: 0, stderr: '' });
        samples += 6;
      }
    }
    story.onRequest = (key) => {
      if (stored.has(key)) boughtAgain.push(key);
    };
    const args = [TARGET, '--set', `samples=${samples}`];
    const last = await startBuild(project, args).ended;
    expect(last).toMatchObject({ exit: 0, stderr: '' });
    expect((await startBuild(project, args).ended).events.at(-1)).toMatchObject({
      exit: 0,
      nodes: { run: 0 },
      calls: { bought: 0, cached: 0 },
    });
    expect(boughtAgain).toEqual([]);
    // What was under way when a build died may have been billed: it is in the books, and nothing else is unknown.
    const ledger = project.run('log', '--cost', '--json').events[0]!;
    expect(ledger.unrecorded.unknown > 0).toBe(lost > 0);
    expect(simulator.stats().repeats).toBeLessThanOrEqual(lost);

    const undisturbed = await crashingProject(SAMPLES);
    try {
      expect(await startBuild(undisturbed.project, args).ended).toMatchObject({ exit: 0 });
      expect(project.outputs()).toEqual(undisturbed.project.outputs());
      expect(undisturbed.simulator.stats().repeats).toBe(0);
    } finally {
      await undisturbed.close();
    }
  } finally {
    await story.close();
  }
}
