/** What commands do where somebody holds the build lock: who waits, who is turned away, and whose lock is taken. */

import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/providers/clock.ts';
import { type Processes, systemProcesses } from '../../src/store/disk/processes.ts';
import { type LocalStore, openStore } from '../../src/store/store.ts';
import { type PricedProject, pricedProject } from '../helpers/priced-project.ts';

let at: PricedProject;
beforeAll(async () => {
  at = await pricedProject({ confirmAbove: 100, prompts: 2 });
});
afterAll(() => at.close());

let held: LocalStore | undefined;
/** Holds the lock in this process, or as another one. */
async function hold(processes: Processes = systemProcesses): Promise<LocalStore> {
  held = openStore(join(at.project.folder, '.cache'), { processes, now: () => Date.UTC(2026, 1, 3) });
  expect(await held.lock.acquire('cje build elsewhere')).toEqual({ ok: true });
  return held;
}
afterEach(async () => {
  vi.restoreAllMocks();
  held?.lock.break();
  await held?.lock.release();
  await held?.close();
  held = undefined;
});
const away: Processes = { ...systemProcesses, host: 'elsewhere' };

describe('a command that writes', () => {
  it.each([
    ['build', 'prompts'],
    ['batch', 'harvest'],
    ['cache', 'gc', '--keep-builds', '1'],
    ['cache', 'unlock'],
  ])('is turned away by a holder that is alive: cje %s %s', async (...args) => {
    const store = await hold();
    const { exit, stderr } = await at.cje(...args);
    expect([exit, stderr.includes('CJE-LOCKED'), stderr.includes('cje build elsewhere')]).toEqual([4, true, true]);
    expect(store.lock.holder()).toMatchObject({ command: 'cje build elsewhere' });
  });

  it('waits where it is told to, a quarter of a second at a time, and says for whom', async () => {
    const store = await hold();
    const slept: number[] = [];
    vi.spyOn(systemClock, 'sleep').mockImplementation(async (milliseconds) => {
      slept.push(milliseconds);
      if (slept.length === 2) await store.lock.release();
    });
    const { exit, events } = await at.cje('build', 'prompts', '--wait', '--json');
    expect([exit, slept]).toEqual([0, [250, 250]]);
    const notes = events.flatMap(({ type, text }) => (type === 'note' ? [text] : []));
    expect(notes.filter((text) => text.startsWith('waiting for another build'))).toEqual([
      `waiting for another build: pid ${process.pid} on ${systemProcesses.host}, \`cje build elsewhere\`, since 2026-02-03T00:00:00.000Z`,
    ]);
  });
});

describe('the lock of a holder', () => {
  it('on another machine is taken by cje cache unlock alone, which says whose it was', async () => {
    await hold(away);
    expect((await at.cje('build', 'prompts', '--force', 'prompts')).exit).toBe(4);
    const { exit, finished } = await at.cje('cache', 'unlock', '--json');
    expect([exit, finished.type, finished.holder.host]).toEqual([0, 'cache-unlocked', 'elsewhere']);
    await held?.close();
    await hold(away);
    expect((await at.cje('cache', 'unlock')).stdout).toMatch(
      /^Took the lock from pid \d+ on elsewhere, .* since 2026-02-03T00:00:00\.000Z \(cje build elsewhere\)\.\n$/,
    );
    expect(await at.cje('cache', 'unlock')).toMatchObject({ exit: 0, stdout: 'No build holds the lock.\n' });
  });

  it('is shown while it lives, and passed over once it is gone', async () => {
    await hold();
    expect((await at.cje('status', 'prompts', '--json')).finished.lock).toMatchObject({ pid: process.pid });
    expect((await at.cje('status', 'prompts')).stdout).toContain('A build is running: pid');
    await held?.lock.release();
    await held?.close();
    // Its number is another process now.
    await hold({ ...systemProcesses, startOf: () => 'long ago' });
    expect((await at.cje('status', 'prompts', '--json')).finished.lock).toBeNull();
    expect((await at.cje('status', 'prompts')).stdout).not.toContain('A build is running');
    expect((await at.cje('build', 'prompts', '--force', 'prompts')).exit).toBe(0);
  });
});
