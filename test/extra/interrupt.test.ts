/** Ctrl-C and its kin: once keeps what lands, twice ends at once; neither loses or repeats a reply. */

import { afterEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { type Crashing, crashingProject, startBuild, verify } from '../helpers/crashing.ts';

const TARGET = 'scores/deterministic/pi_cot';

let story: Crashing;
afterEach(() => story.close());

describe('an interrupted build', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'keeps what is in flight, leaves its record, and is gone on with (%s)',
    async (signal) => {
      story = await crashingProject(12, { latencyMs: 60 });
      const asked = new Set<string>();
      story.onRequest = (key) => {
        asked.add(key);
        if (asked.size === 5) build.child.kill(signal);
        return undefined;
      };
      const build = startBuild(story.project, [TARGET, '--jobs', '4']);
      const { exit, events } = await build.ended;
      expect(exit).toBe(130);
      expect(events.some(({ type, text }) => type === 'note' && text.includes('Ctrl-C'))).toBe(true);
      const finished = events.at(-1)!;
      expect(finished).toMatchObject({ type: 'finished', exit: 130 });
      const { damaged, keys } = await verify(story.project);
      expect(damaged).toEqual([]);
      // All that was sent has landed, and no more than what was in flight was sent after the signal.
      expect([...keys].sort()).toEqual([...asked].sort());
      expect(asked.size).toBeLessThan(12);
      expect(finished.calls.bought).toBe(asked.size);

      const store = openStore(`${story.project.folder}/.cache`, { readOnly: true });
      expect(store.builds.get(finished.build)).toMatchObject({ exit: 130 });
      await store.close();

      story.onRequest = () => undefined;
      expect((await startBuild(story.project, [TARGET]).ended).exit).toBe(0);
      expect((await startBuild(story.project, [TARGET]).ended).events.at(-1)).toMatchObject({ calls: { bought: 0 } });
      expect(story.simulator.stats().repeats).toBe(0);
    },
  );

  it('keeps what is in flight when nobody reads its output any more', async () => {
    story = await crashingProject(12, { latencyMs: 60 });
    const asked = new Set<string>();
    story.onRequest = (key) => {
      asked.add(key);
      if (asked.size === 5) build.child.stdout!.destroy();
      return undefined;
    };
    const build = startBuild(story.project, [TARGET, '--jobs', '4']);
    expect(await build.ended).toMatchObject({ exit: 130, stderr: '' });
    const { damaged, keys } = await verify(story.project);
    expect(damaged).toEqual([]);
    expect([...keys].sort()).toEqual([...asked].sort());
    expect((await startBuild(story.project, [TARGET]).ended).exit).toBe(0);
    expect((await startBuild(story.project, [TARGET]).ended).events.at(-1)).toMatchObject({ calls: { bought: 0 } });
    expect(story.simulator.stats().repeats).toBe(0);
  });

  it('ends at once when it is interrupted twice', async () => {
    story = await crashingProject(12);
    const asked = new Set<string>();
    let slow = 60_000;
    story.onRequest = (key) => {
      asked.add(key);
      if (asked.size === 4) build.child.kill('SIGINT');
      return slow;
    };
    const started = Date.now();
    const build = startBuild(story.project, [TARGET, '--jobs', '4'], (event) => {
      if (event.type === 'note' && event.text.includes('Ctrl-C')) build.child.kill('SIGINT');
    });
    const { exit, events } = await build.ended;
    expect(exit).toBe(130);
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(events.at(-1)).toMatchObject({ type: 'finished', exit: 130 });
    expect(await verify(story.project)).toMatchObject({ damaged: [], fault: undefined });
    slow = 0;
    expect((await startBuild(story.project, [TARGET]).ended).exit).toBe(0);
    expect((await startBuild(story.project, [TARGET]).ended).events.at(-1)).toMatchObject({ calls: { bought: 0 } });
  });
});

describe('the lock', () => {
  it('is told of, waited for, and taken over from the dead; looking works meanwhile', async () => {
    story = await crashingProject(10);
    let slow = 60_000;
    let arrived = () => {};
    const busy = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    story.onRequest = () => {
      arrived();
      return slow;
    };
    const first = startBuild(story.project, [TARGET]);
    await busy;
    const { pid } = first.child;

    const second = story.project.build(TARGET);
    expect(second.exit).toBe(4);
    const { problem } = second.events.find(({ type }) => type === 'problem')!;
    expect(problem.headline).toBe('another build holds the lock');
    const facts = Object.fromEntries(problem.facts);
    expect(facts).toMatchObject({ pid: String(pid), command: `cje build ${TARGET} --json` });
    expect(Date.parse(facts.since)).toBeGreaterThan(Date.now() - 60_000);
    for (const command of [
      ['plan', TARGET],
      ['why', 'prompts'],
      ['show', 'prompts'],
    ]) {
      expect([command, story.project.run(...command).exit]).toEqual([command, 0]);
    }
    expect(JSON.parse(story.project.run('status', '--json').stdout).lock.pid).toBe(pid);
    for (const command of [['verify'], ['unlock']]) {
      expect([command, story.project.run('cache', ...command).exit]).toEqual([command, 4]);
    }

    const waiting = startBuild(story.project, [TARGET, '--wait'], ({ type, text }) => {
      if (type !== 'note' || !text.includes('waiting for another build')) return;
      slow = 0;
      first.child.kill('SIGKILL');
    });
    const waited = await waiting.ended;
    expect((await first.ended).signal).toBe('SIGKILL');
    expect(waited.exit).toBe(0);
    const notes = waited.events.filter(({ type }) => type === 'note').map(({ text }) => text);
    expect(notes[0]).toContain(`pid ${pid}`);
    expect(notes).toContainEqual(expect.stringContaining('took over the lock of a build that is gone'));
    expect(story.project.build(TARGET).finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
    expect(story.project.run('cache', 'unlock').stdout).toContain('No build holds the lock');

    slow = 60_000;
    const killed = startBuild(story.project, [TARGET, '--set', 'samples=12'], ({ type }) => {
      if (type === 'node-items') killed.child.kill('SIGKILL');
    });
    expect((await killed.ended).signal).toBe('SIGKILL');
    expect(JSON.parse(story.project.run('status', '--json').stdout).lock).toBeNull();
  });
});
