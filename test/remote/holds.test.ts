/** What a cache folder says it needs of a shared cache, and whose word still counts. */

import { describe, expect, test } from 'vitest';
import type { Action } from '../../src/core/storage.ts';
import { open, seal } from '../../src/remote/envelope.ts';
import { holdKept, readHolds } from '../../src/remote/holds.ts';
import { push } from '../../src/remote/push.ts';
import { sampleBuild } from '../store/sample.ts';
import { DAY, fill, NOW, newKey, team } from './support.ts';

const { folder, machine } = team();
const key = newKey();

describe('an envelope', () => {
  const versioned = (version: string) =>
    Buffer.from(
      seal('hold', Buffer.from('{}'), key).toString('latin1').replace('cje-hold 1 ', `cje-hold ${version} `),
      'latin1',
    );
  const reasonOf = (bytes: Buffer, trusted = true) => {
    const opened = open('hold', bytes, () => trusted);
    return opened.ok ? 'ok' : opened.reason;
  };

  test.each([
    ['1', 'ok'],
    ['2', 'it was made by a newer cje: update cje'],
    ['0', 'it is not signed'],
    ['01', 'it is not signed'],
  ])('of version %s: %s', (version, reason) => {
    expect(reasonOf(versioned(version))).toBe(reason);
  });

  test('of a writer who is not trusted names him', () => {
    expect(reasonOf(versioned('1'), false)).toBe(`its writer is not trusted: ${key.public}`);
  });
});

describe('what is held', () => {
  test('is the segments behind the ten newest builds', async () => {
    const { store, remote } = machine(folder(), [key], key);
    const give = async (from: number) => {
      const action = { ...(await fill(store, from, 1)), finishedAt: from };
      await store.actions.put(action);
      await push(store, remote, { all: false });
      return action;
    };
    const build = (action: Action, id: number) => {
      const node = { key: action.key, outcome: 'run', outputs: action.outputs, bought: 1, cost: 1 } as const;
      const record = sampleBuild(`20260101-000000-000-${id}`);
      return store.builds.put({
        ...record,
        startedAt: action.finishedAt,
        finishedAt: action.finishedAt,
        nodes: { node },
      });
    };
    const [old, young] = [await give(10), await give(20)];
    await build(old, 10);
    for (let id = 20; id < 29; id++) await build(young, id);
    const held = async () => {
      await holdKept(store, remote, () => 0.5);
      return remote.known.held?.segments.length;
    };
    expect(await held()).toBe(2);
    await build(young, 29);
    expect(await held()).toBe(1);
    expect((await readHolds(remote, NOW - DAY)).segments.size).toBe(1);
  });

  test('is said again after a day, or where it has changed', async () => {
    let now = NOW;
    const { store, remote } = machine(folder(), [key], key, () => now);
    const saidAt = async () => {
      await holdKept(store, remote, () => 0.5);
      return (remote.known.held!.at - NOW) / DAY;
    };
    expect(await saidAt()).toBe(0);
    now += DAY - 1;
    expect(await saidAt()).toBe(0);
    now += 1;
    expect(await saidAt()).toBe(1);
    now += 1000;
    await fill(store, 1, 1);
    await push(store, remote, { all: false });
    expect(await saidAt()).toBe(1 + 1000 / DAY);
    expect(await remote.objects.list('holds/')).toHaveLength(1);
  });

  test('counts as long as it was renewed or written since', async () => {
    const { remote } = machine(folder(), [key], key);
    const content = Buffer.from(JSON.stringify({ at: NOW, segments: ['a'.repeat(64)] }));
    const modifiedAt = (modified: number) => ({
      ...remote,
      objects: {
        ...remote.objects,
        list: async () => [{ name: 'holds/x', bytes: 1, modified }],
        get: async () => seal('hold', content, key),
      },
    });
    const found = async (modified: number, since: number) => {
      const { segments, expired } = await readHolds(modifiedAt(modified), since);
      return [segments.size, expired.length];
    };
    expect(await found(0, NOW)).toEqual([1, 0]);
    expect(await found(0, NOW + 1)).toEqual([0, 1]);
    expect(await found(NOW + 5, NOW + 5)).toEqual([1, 0]);
  });
});
