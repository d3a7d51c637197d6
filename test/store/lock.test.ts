import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LockHolder } from '../../src/core/storage.ts';
import { type Processes, startFromStat, systemProcesses } from '../../src/store/disk/processes.ts';
import { bundle, workshop } from './support.ts';

const { folder, open } = workshop();

/** A machine with the given processes, by pid and start. */
const machine = (pid: number, running: Record<number, string>, about: Partial<Processes> = {}): Processes => ({
  pid,
  host: 'lab',
  bootId: () => 'boot-1',
  startOf: (asked) => running[asked],
  ...about,
});

describe('taking', () => {
  test('the first gets it, the second is told who has it, and it is free after release', async () => {
    const place = folder();
    const running = { 10: 'a', 11: 'b' };
    const first = open(place, { processes: machine(10, running), now: () => 77 });
    const second = open(place, { processes: machine(11, running) });
    expect(await first.lock.acquire('cje build ablations')).toEqual({ ok: true });
    const holder: LockHolder = {
      pid: 10,
      processStart: 'a',
      bootId: 'boot-1',
      host: 'lab',
      command: 'cje build ablations',
      since: 77,
    };
    expect(await second.lock.acquire('cje build')).toEqual({ ok: false, holder });
    expect(await first.lock.acquire('cje build')).toEqual({ ok: false, holder });
    expect(second.lock.holder()).toEqual(holder);
    await second.lock.release();
    expect(second.lock.holder()).toEqual(holder);
    await first.lock.release();
    expect(first.lock.holder()).toBeUndefined();
    expect(await second.lock.acquire('cje build')).toEqual({ ok: true });
  });

  test.each<[string, Processes, boolean]>([
    ['no such process', machine(11, { 11: 'b' }), true],
    ['its number is another process now', machine(11, { 10: 'later', 11: 'b' }), true],
    ['the machine was started again', machine(11, { 10: 'a', 11: 'b' }, { bootId: () => 'boot-2' }), true],
    ['it is alive', machine(11, { 10: 'a', 11: 'b' }), false],
    ['start times are not told', machine(11, { 10: '', 11: '' }), false],
    ['boots are not told', machine(11, { 10: 'a', 11: 'b' }, { bootId: () => '' }), false],
    ['it is on another machine', machine(11, { 11: 'b' }, { host: 'elsewhere', bootId: () => 'boot-9' }), false],
  ])('%s', async (_, processes, taken) => {
    const place = folder();
    const first = open(place, { processes: machine(10, { 10: 'a' }), now: () => 5 });
    await first.lock.acquire('cje build');
    const holder = first.lock.holder()!;
    const second = open(place, { processes });
    expect(await second.lock.acquire('cje build')).toEqual(
      taken ? { ok: true, tookOver: holder } : { ok: false, holder },
    );
    // The one who lost it does not free it for others.
    await first.lock.release();
    expect(second.lock.holder()?.pid).toBe(taken ? 11 : undefined);
  });
});

describe('processes', () => {
  test('this one is alive and has a start; one that never was has none', () => {
    const start = systemProcesses.startOf(process.pid);
    expect(start).toBeDefined();
    expect(systemProcesses.startOf(process.pid)).toBe(start);
    expect(systemProcesses.startOf(2 ** 30)).toBeUndefined();
    expect(systemProcesses.bootId()).toBe(systemProcesses.bootId());
  });

  test('the start is field 22, whatever the command is called; a zombie is gone', () => {
    const rest = Array.from({ length: 49 }, (_, index) => String(index + 4));
    expect(startFromStat(`42 (node) S ${rest.join(' ')}\n`)).toBe('22');
    expect(startFromStat(`42 (a) b (c d) R ${rest.join(' ')}\n`)).toBe('22');
    expect(startFromStat(`42 (node) Z ${rest.join(' ')}\n`)).toBeUndefined();
  });
});

describe('real processes', () => {
  let script: string;
  beforeAll(async () => {
    script = await bundle('locking-process');
  });

  const start = (place: string, manner: 'hold' | 'abandon') =>
    spawn(process.execPath, [script, join(place, '.cache'), manner], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answer = async (child: ChildProcess): Promise<{ ok: boolean; holder?: LockHolder }> => {
    let text = '';
    for await (const chunk of child.stdout!) {
      text += chunk;
      if (text.includes('\n')) break;
    }
    return JSON.parse(text);
  };

  test('of several that ask at once, one gets it and all others name that one', async () => {
    const place = folder();
    const children = Array.from({ length: 4 }, () => start(place, 'hold'));
    const answers = await Promise.all(children.map(answer));
    const winners = children.filter((_, index) => answers[index]!.ok);
    expect(winners.length).toBe(1);
    for (const each of answers) if (!each.ok) expect(each.holder!.pid).toBe(winners[0]!.pid);
    const reader = open(place, { readOnly: true });
    expect(reader.lock.holder()!.pid).toBe(winners[0]!.pid);
    await reader.close();
    const ended = Promise.all(children.map((child) => once(child, 'exit')));
    for (const child of children) child.stdin!.end();
    expect((await ended).map(([code]) => code)).toEqual([0, 0, 0, 0]);
    expect(open(place).lock.holder()).toBeUndefined();
  });

  test.each(['killed', 'gone without release'])('a holder that was %s is taken over', async (end) => {
    const place = folder();
    const child = start(place, end === 'killed' ? 'hold' : 'abandon');
    const exited = once(child, 'exit');
    expect(await answer(child)).toEqual({ ok: true });
    if (end === 'killed') child.kill('SIGKILL');
    await exited;
    const store = open(place);
    const taken = await store.lock.acquire('cje build');
    expect(taken).toMatchObject({ ok: true, tookOver: { pid: child.pid, command: 'cje build ablations' } });
  });
});
