import { describe, expect, it } from 'vitest';
import { DamageError, type LockHolder, type OutputRef } from '../../src/core/storage.ts';
import { build } from '../../src/engine/build/build.ts';
import { nodesWith, toyGraph, toyOptions, toyWorld } from '../helpers/toy.ts';

const OTHER: LockHolder = {
  pid: 42,
  processStart: '1',
  bootId: 'b',
  host: 'lab',
  command: 'cje build everything',
  since: 1_700_000_000_000,
};

describe('a build that finds the lock taken', () => {
  it('says who holds it, since when and with which command, and does nothing', async () => {
    const world = toyWorld();
    world.store.holder = OTHER;
    const outcome = await world.build();
    expect(outcome).toMatchObject({ exit: 4, build: null, holder: OTHER });
    expect(world.buyer.sent).toEqual([]);
    const problem = world.events.find((event) => event.type === 'problem');
    expect(problem).toMatchObject({
      problem: {
        facts: [
          ['pid', '42'],
          ['host', 'lab'],
          ['command', 'cje build everything'],
          ['since', '2023-11-14T22:13:20.000Z'],
        ],
      },
    });
  });

  it('that cannot be written says so and ends, as on a full disk', async () => {
    const world = toyWorld();
    world.store.lock.acquire = () =>
      Promise.reject(Object.assign(new Error('no room'), { code: 'ENOSPC', path: '/x' }));
    expect(await world.build()).toMatchObject({ exit: 1, build: null });
    expect(world.events.slice(-2)).toMatchObject([
      { type: 'problem', problem: { id: 'CJE-CACHE-FULL', headline: 'no space left on the disk: /x' } },
      { type: 'finished', exit: 1 },
    ]);
    expect(world.buyer.sent).toEqual([]);
  });

  it('waits when it is told to, says so once for each holder, and then builds', async () => {
    const world = toyWorld();
    world.store.holder = OTHER;
    let looks = 0;
    const pause = async () => {
      looks++;
      if (looks === 3) world.store.holder = { ...OTHER, pid: 43 };
      if (looks === 6) world.store.holder = undefined;
    };
    const outcome = await world.build(toyGraph(), { pause });
    expect(outcome.exit).toBe(0);
    expect(looks).toBe(6);
    expect(nodesWith(outcome, 'run')).toHaveLength(5);
    const notes = world.events.filter((event) => event.type === 'note').map(({ text }) => text);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toContain('pid 42 on lab');
    expect(notes[1]).toContain('pid 43');
  });

  it('has nothing left to do when the build that it waited for did the same', async () => {
    const world = toyWorld();
    world.store.holder = OTHER;
    let first = true;
    const outcome = await world.build(toyGraph(), {
      pause: async () => {
        if (!first) return;
        first = false;
        world.store.holder = undefined;
        await build(toyGraph(), ['last'], { ...toyOptions(), command: 'the other' }, world.ports());
        world.buyer.sent.length = 0;
      },
    });
    expect(outcome).toMatchObject({ exit: 0, build: null });
    expect(world.buyer.sent).toEqual([]);
    expect(world.store.contents.builds).toHaveLength(1);
    expect(world.store.holder).toBeUndefined();
  });

  it('stops waiting when it is interrupted', async () => {
    const world = toyWorld();
    world.store.holder = OTHER;
    const interrupt = new AbortController();
    const outcome = await world.build(toyGraph(), {
      interrupt: interrupt.signal,
      pause: async () => interrupt.abort(),
    });
    expect(outcome).toMatchObject({ exit: 130, build: null });
    expect(world.store.holder).toEqual(OTHER);
  });
});

describe('damage met by a build', () => {
  it('is read through before anything is bought with it', async () => {
    const world = toyWorld();
    await world.build();
    const words = world.store.contents.actions.values().next().value!;
    const { digest } = words.outputs['rows.jsonl'] as OutputRef;
    const bytes = Buffer.from(world.store.contents.blobs.get(digest)!);
    const at = bytes.indexOf('three');
    bytes.write('thraa', at);
    world.store.contents.blobs.set(digest, bytes);
    // Other requests, so that the damaged rows would be asked and paid.
    const met = await world.build(toyGraph({ suffix: '?' }), { onFailure: 'continue' });
    expect(met.exit).toBe(5);
    expect(world.buyer.sent).toEqual([]);
    const again = await world.build(toyGraph({ suffix: '?' }));
    expect(again.exit).toBe(0);
    expect(nodesWith(again, 'run')).toContain('words');
    expect(world.buyer.sent.map(({ body }) => JSON.parse(body).prompt)).not.toContain('thraa?');
  });

  it('by a copy for people is exit 5, and the record is written all the same', async () => {
    const world = toyWorld();
    const ports = world.ports();
    const sync = async () => {
      throw new DamageError('blob x', 'blob x is damaged: it is missing');
    };
    const outcome = await build(toyGraph(), ['last'], toyOptions(), { ...ports, out: { sync } });
    expect(outcome.exit).toBe(5);
    expect(world.store.contents.builds[0]).toMatchObject({ id: outcome.build, exit: 5 });
    expect(world.events.filter((event) => event.type === 'problem')).toHaveLength(1);
  });
});
